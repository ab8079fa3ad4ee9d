"""Of Gradio's routes there are those that the page and `gradio_client` need."""

from collections.abc import Iterator

import gradio as gr
import pytest
from gradio_client import Client
from starlette.routing import Mount

from livemind_app.config import Settings
from livemind_app.serving.app import MAX_BODY
from livemind_app.session.clock import RealClock
from livemind_app.session.limits import SESSIONS
from tests.serving.conftest import Service, assembled, refusal
from tests.ui.test_login import as_in_a_space

GRADIO = "/gradio_api"
CALL = f"{GRADIO}/call/draft"
JOIN = f"{GRADIO}/queue/join"
COSTLY = (
    ("POST", f"{GRADIO}/upload"),
    ("GET", f"{GRADIO}/upload_progress"),
    ("GET", f"{GRADIO}/heartbeat/x"),
    ("POST", f"{GRADIO}/stream/x"),
    ("POST", f"{GRADIO}/stream/x/close"),
    ("POST", f"{GRADIO}/process_recording"),
    ("POST", f"{GRADIO}/component_server"),
    ("POST", f"{GRADIO}/run/draft"),
    ("POST", f"{GRADIO}/api/draft"),
    ("GET", f"{GRADIO}/file=static/app.js"),
    ("GET", f"{GRADIO}/file/static/app.js"),
    ("HEAD", f"{GRADIO}/file=static/app.js"),
    ("GET", f"{GRADIO}/proxy=https://example.org"),
    ("GET", f"{GRADIO}/deep_link"),
    ("POST", f"{GRADIO}/vibe-edit"),
    ("GET", "/monitoring"),
    ("GET", "/monitoring/summary"),
    ("POST", "/login"),
    ("GET", f"{GRADIO}//upload"),
    ("POST", f"{GRADIO}/queue/join/../../upload"),
    ("POST", f"{GRADIO}/%75pload"),
)


@pytest.fixture(scope="module")
def whole() -> Iterator[Service]:
    with assembled() as service:
        yield service


@pytest.fixture(scope="module")
def replica() -> Iterator[Service]:
    with assembled(Settings(place_header="X-Request-ID")) as service:
        yield service


@pytest.mark.parametrize(("method", "path"), COSTLY)
def test_what_nothing_needs_is_not_there(whole: Service, replica: Service, method: str, path: str) -> None:
    files = {"files": b"x"} if method == "POST" else None
    for service in (whole, replica):
        with service.http.stream(method, path, files=files) as response:  # some would not end
            assert response.status_code == 404


def test_every_route_that_gradio_has_is_either_needed_or_not_there(replica: Service) -> None:
    """Also those of another version: what is not named is closed."""
    mounts = [route for route in replica.server.config.app.routes if isinstance(route, Mount)]  # type: ignore[union-attr]
    page = next(mount.app for mount in mounts if isinstance(mount.app, gr.routes.App))
    paths = {path.replace("{", "").replace("}", "") for path in page.openapi()["paths"]}
    assert f"{GRADIO}/upload" in paths
    found = {path for path in paths if status(replica, path) != 404}
    assert found <= {"/", "/config", "/config/", "/favicon.ico", "/robots.txt", "/theme.css"}


def status(service: Service, path: str, method: str = "GET") -> int:
    with service.http.stream(method, path) as response:
        return response.status_code


def test_what_the_page_needs_is_there(whole: Service, replica: Service) -> None:
    for service in (whole, replica):
        script = service.http.get("/").text.partition('src="./assets/')[2].partition('"')[0]
        assert script
        for path in ("/", "/config", "/theme.css", "/favicon.ico", f"/assets/{script}"):
            assert service.http.get(path).status_code == 200


def test_gradio_client_calls_the_endpoints(whole: Service) -> None:
    client = Client(str(whole.http.base_url), verbose=False, analytics_enabled=False)
    drafted = client.predict("Anna has five apples. Ben", api_name="/draft")
    assert client.predict("Anna?", drafted["session"], api_name="/submit")["session"] == drafted["session"]
    client.close()


def test_a_program_calls_them_without_it(whole: Service) -> None:
    event = whole.http.post(CALL, json={"data": ["Anna has", 1, ""]}).json()["event_id"]
    assert "event: complete" in whole.http.get(f"{CALL}/{event}").text


def test_the_page_needs_no_heartbeat(whole: Service, replica: Service) -> None:
    """Nor does it keep any stream but that of its events; a cluster counts pages by them."""
    for service in (whole, replica):
        assert service.http.get("/config").json()["connect_heartbeat"] is False


def test_who_has_not_signed_in_reaches_nothing_but_the_page_and_its_login(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_in_a_space(monkeypatch, "https://huggingface.example")
    with assembled(Settings(login="huggingface")) as service:
        for method, path in COSTLY:
            assert status(service, path, method) == 404
        for path in (CALL, f"{GRADIO}/cancel"):
            assert status(service, path, "POST") == 404
        assert status(service, "/api/sessions", "POST") == 401
        assert status(service, "/") == 200
        assert status(service, "/logout") == 307
        config = service.http.get("/config").json()
        assert not config["connect_heartbeat"]
        assert not {"draft", "submit"} & {each["api_name"] for each in config["dependencies"]}


def test_a_replica_has_no_endpoints(replica: Service) -> None:
    for path in (CALL, JOIN, f"{GRADIO}/cancel"):
        assert refusal(replica.http.post(path, json={"data": []})) == (404, "not_found")


@pytest.mark.parametrize("path", [CALL, f"{GRADIO}/call/v2/draft", JOIN, f"{GRADIO}/upload"])
@pytest.mark.parametrize("size", [MAX_BODY + 1, 20_000_000])
def test_huge_bodies_are_refused_there_too(whole: Service, path: str, size: int) -> None:
    body = b'{"data": ["' + b"x" * size + b'"]}'
    json = {"Content-Type": "application/json"}
    assert refusal(whole.http.post(path, content=body, headers=json)) == (413, "body_too_large")


@pytest.mark.parametrize("path", [CALL, JOIN])
def test_also_without_a_length(whole: Service, path: str) -> None:
    pieces = (b" " * 10_000 for _ in range(MAX_BODY // 10_000 + 2))
    response = whole.http.post(path, content=pieces, headers={"Content-Type": "application/json"})
    assert response.status_code == 413


def test_sessions_that_begin_through_gradio_are_counted_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RealClock, "__call__", lambda clock: 1.0)  # what is spent does not come back
    data = ["Anna has", -1, ""]
    with assembled() as service:
        http, stranger = service.http, {"X-Forwarded-For": "203.0.113.1"}
        for _ in range(int(SESSIONS.burst) + 2):
            event = http.post(CALL, json={"data": data}, headers=stranger).json()["event_id"]
            told = http.get(f"{CALL}/{event}", headers=stranger).text
        assert "event: error" in told
        join = {"data": data, "fn_index": endpoint(service, "draft"), "session_hash": "x"}
        assert http.post(JOIN, json=join, headers=stranger).status_code == 200
        told = http.get(f"{GRADIO}/queue/data?session_hash=x", headers=stranger).text
        assert "too_many_requests" in told
        answer = http.post("/api/sessions", json={}, headers=stranger)
        assert refusal(answer) == (429, "too_many_requests")
        assert int(answer.headers["retry-after"]) > 0
        assert http.post("/api/sessions", json={}).status_code == 201


def endpoint(service: Service, name: str) -> int:
    found = service.http.get("/config").json()["dependencies"]
    return next(int(each["id"]) for each in found if each["api_name"] == name)
