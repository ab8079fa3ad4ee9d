"""SIGTERM at a real process: running answers are finished, everything else is sent elsewhere."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from livemind_app.serving import server
from livemind_app.serving.inspector_routes import inspector_router
from tests.serving.conftest import WAIT_S, Frame, parse, refusal, serving, until

PROGRAM = """
import sys, time
from pathlib import Path
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.serving.app import create_api
from livemind_app.serving.server import Server, listen
from livemind_app.session.manager import SessionManager

gate, drain_s = Path(sys.argv[1]), float(sys.argv[2])

def step(request):
    while not gate.exists() and not request.cancel.cancelled:
        time.sleep(0.01)

engine = ScriptedEngine(step=step)
manager = SessionManager(engine)
with listen("127.0.0.1", 0) as listening:
    app = create_api(manager)
    Server(
        app,
        listening,
        drain=lambda: manager.drain(drain_s),
        end_streams=manager.close,
        announce=lambda line: print(line, flush=True),
    ).run()
"""


@dataclass
class Draining:
    """A server that was told to stop while it answers one session; another one is open."""

    process: "subprocess.Popen[str]"
    http: httpx.Client
    frames: Iterator[Frame]
    other: str

    def ended(self) -> None:
        _, errors = self.process.communicate(timeout=WAIT_S)
        assert (self.process.returncode, errors) == (-signal.SIGTERM, "")


@contextmanager
def draining(gate: Path, drain_s: float) -> Iterator[Draining]:
    command = [sys.executable, "-c", PROGRAM, str(gate), str(drain_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            url = process.stdout.readline().split()[-1]
            with httpx.Client(base_url=url, timeout=WAIT_S) as http:
                tokens = [http.post("/api/sessions", json={}).json()["session"] for _ in range(2)]
                body = {"revision": 1, "text": "Hello there.", "lanes": ["live"]}
                with http.stream("GET", f"/api/sessions/{tokens[0]}/events") as response:
                    frames = parse(response.iter_lines())
                    assert http.post(f"/api/sessions/{tokens[0]}/submit", json=body).status_code == 202
                    until(frames, "lane", status="running")
                    assert http.get("/api/ready").status_code == 200
                    process.send_signal(signal.SIGTERM)
                    yield Draining(process, http, frames, tokens[1])
        finally:
            process.kill()


def wait_until_unready(http: httpx.Client) -> httpx.Response:
    deadline = time.monotonic() + WAIT_S
    while (response := http.get("/api/ready")).status_code == 200:
        assert time.monotonic() < deadline
    return response


def test_answers_are_finished_and_nothing_new_is_taken(tmp_path: Path) -> None:
    gate = tmp_path / "go"
    with draining(gate, drain_s=600) as server:
        refused = [wait_until_unready(server.http), server.http.post("/api/sessions", json={})]
        assert refusal(refused[1]) == (503, "draining")
        question = {"revision": 2, "text": "And again?"}
        refused.append(server.http.post(f"/api/sessions/{server.other}/submit", json=question))
        assert refusal(refused[2]) == (503, "draining")
        assert all(int(response.headers["retry-after"]) > 0 for response in refused)
        draft = server.http.put(f"/api/sessions/{server.other}/draft", json=question)
        assert draft.status_code == 202
        gate.touch()
        seen = until(server.frames, "turn", done=True)
        assert any(frame.event == "lane" and frame.data["status"] == "done" for frame in seen)
        assert any(frame.event == "answer" for frame in seen)
        assert list(server.frames) == []  # the stream ends as it should, and is not cut
        server.ended()


def test_an_answer_that_takes_longer_is_stopped_in_order(tmp_path: Path) -> None:
    with draining(tmp_path / "go", drain_s=0.2) as server:
        until(server.frames, "lane", status="stopped")
        assert [frame.event for frame in server.frames] == ["turn"]
        server.ended()


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    with draining(tmp_path / "go", drain_s=600) as server:
        wait_until_unready(server.http)
        server.process.send_signal(signal.SIGTERM)
        assert list(server.frames) == []
        server.ended()


class Slow:
    """An inspector that never comes to an end."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    async def sentences(self, text: str) -> Any:
        self.asked.set()
        await asyncio.Event().wait()

    async def between(self, first: str, second: str) -> list[str]:
        return [first, second]


def test_what_is_still_computed_when_the_time_is_over_may_be_asked_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "SHUTDOWN_S", 0.2)
    slow = Slow()
    with serving(others=[inspector_router({"": slow})]) as service, ThreadPoolExecutor() as pool:
        body = {"text": "A sentence."}
        asked = pool.submit(service.http.post, "/api/sentence-vae/sentences", json=body)
        assert slow.asked.wait(WAIT_S)
        service.stop()
        response = asked.result(WAIT_S)
    assert refusal(response) == (503, "draining")
    assert int(response.headers["retry-after"]) > 0


def test_nothing_is_inspected_any_more_while_answers_are_finished() -> None:
    with serving(others=[inspector_router({"": Slow()})]) as service:
        service.manager.admission.drain()
        for path, body in (("sentences", {"text": "A."}), ("between", {"first": "A.", "second": "B."})):
            response = service.http.post(f"/api/sentence-vae/{path}", json=body)
            assert refusal(response) == (503, "draining")
            assert int(response.headers["retry-after"]) > 0
