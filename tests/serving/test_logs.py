"""Log lines: JSON with request ids; and nothing that was typed, in a real process that logs all it can."""

import json
import logging
import subprocess
import sys
from contextlib import suppress
from typing import Any

import httpx
import pytest

from livemind_app.serving.logs import JsonFormatter, TextFormatter
from tests.serving.conftest import WAIT_S, Service, parse, until

SECRET = "xylophone"
TYPED = f"My password is {SECRET} and nobody knows it. What is it? "
PROGRAM = """
import logging
from livemind_app.config import Settings
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.serve import create_app
from livemind_app.serving import logs
from livemind_app.serving.server import Server, listen

def script(role, prompt):
    if role == "slm":
        raise RuntimeError("cannot answer " + prompt)
    return "It is " + prompt

logs.configure("json")
logging.getLogger().setLevel(logging.DEBUG)
engine = ScriptedEngine(script)
with listen("127.0.0.1", 0) as listening:
    app = create_app(Settings(), engine)
    announce = lambda line: print(line, flush=True)
    Server(app, listening, end_streams=app.state.end_streams, announce=announce).run()
engine.close()
"""


class Told:
    """What a server told about its users' text where it should have told nothing."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.token = ""
        self.submitted = ""  # the id of the request that asked for an answer

    def refused(self, response: httpx.Response) -> None:
        assert response.status_code >= 400
        self.texts.append(f"{response.headers} {response.text}")

    def use(self, http: httpx.Client, mode: str, event: str) -> None:
        """Type in every way, rightly and wrongly; `event` tells of what is thought meanwhile."""
        options = {"mode": mode, "lanes": ["live", "slm"]}
        self.token = http.post("/api/sessions", json={"options": options}).json()["session"]
        url = f"/api/sessions/{self.token}"
        with http.stream("GET", f"{url}/events") as response:
            frames = parse(response.iter_lines())
            body = {"revision": 1, "text": TYPED}
            assert http.put(f"{url}/draft", json=body).status_code == 202
            until(frames, event)
            self.refused(http.put(f"{url}/draft", json=body))
            self.refused(http.put(f"{url}/draft", json={**body, SECRET: 1}))
            self.refused(http.put(f"{url}/draft", content=f'{{"text": "{SECRET}'.encode()))
            self.refused(http.put(f"{url}/draft", json={"revision": 2, "text": TYPED * 1000}))
            self.refused(http.put(f"{url}/draft", json={"revision": 2, "text": TYPED * 30_000}))
            self.refused(http.put(f"{url}/draft", json={"revision": 2, "text": TYPED + "\0"}))
            self.refused(http.patch(f"{url}/options", json={"format": SECRET}))
            self.refused(http.get(f"/api/sessions/{SECRET}/events"))
            self.refused(http.get(f"/api/{SECRET}", params={"q": SECRET}))
            self.refused(http.get(f"{url}/events", params={"last": SECRET}))
            self.refused(
                http.get(f"/{SECRET}", headers={"X-Request-ID": f"{SECRET} {SECRET}", "Cookie": SECRET})
            )
            submit = {"revision": 3, "text": TYPED}
            response = http.post(f"{url}/submit", json=submit)
            assert response.status_code == 202
            self.submitted = response.headers["x-request-id"]
            seen = until(frames, "turn", done=True)
        assert [frame for frame in seen if frame.event == "error"]  # the small model failed
        http.post("/gradio_api/call/draft", json={"data": [TYPED, 1, ""]})
        for data in ([TYPED, "no such session"], [TYPED, "no such session", None], [{TYPED: TYPED}, "", []]):
            event = http.post("/gradio_api/call/submit", json={"data": data}).json()["event_id"]
            http.get(f"/gradio_api/call/submit/{event}")  # Gradio tells the sender, and nobody else
        self.texts.append(http.get("/metrics").text)
        self.texts.append(http.get("/api/health").text)


@pytest.mark.parametrize(("mode", "event"), [("draft", "prepared"), ("infer", "action")])
def test_a_secret_that_is_typed_is_in_no_log_metric_or_refusal(mode: str, event: str) -> None:
    told = Told()
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            url = process.stdout.readline().split()[-1]
            with httpx.Client(base_url=url, timeout=WAIT_S) as http:
                told.use(http, mode, event)
            process.terminate()
            out, errors = process.communicate(timeout=WAIT_S)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
    lines = [json.loads(line) for line in errors.splitlines()]
    assert {"route": "/api/sessions/{token}/draft", "status": 413}.items() <= one(lines, status=413).items()
    failed = one(lines, message="failed: generation_failed")
    assert (failed["lane"], failed["request"]) == ("slm", told.submitted)
    for text in (out, errors, *told.texts):
        assert SECRET not in text
        assert told.token not in text


def one(lines: list[dict[str, Any]], **expected: Any) -> dict[str, Any]:
    return next(line for line in lines if expected.items() <= line.items())


@pytest.mark.parametrize("name", ["a-name_of.mine", "x" * 64])
def test_a_request_may_bring_its_name(service: Service, name: str) -> None:
    response = service.http.get("/api/health", headers={"X-Request-ID": name})
    assert response.headers["x-request-id"] == name


@pytest.mark.parametrize("name", ["", "two words", "x" * 65, 'a"b', "ä".encode()])
def test_any_other_name_is_replaced(service: Service, name: str | bytes) -> None:
    headers = httpx.Headers([(b"x-request-id", name if isinstance(name, bytes) else name.encode())])
    given = [service.http.get("/api/nothing", headers=headers).headers["x-request-id"] for _ in range(2)]
    assert given[0] != given[1]
    assert all(len(one) == 16 for one in given)


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_an_exception_is_told_without_its_message(formatter: logging.Formatter) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", 40, "f", 1, "it failed", (), sys.exc_info())
    line = formatter.format(record)
    assert "ValueError" in line
    assert "test_logs.py" in line
    assert SECRET not in line
