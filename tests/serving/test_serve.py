"""The whole program, put together: page, API and files on one port."""

import socket
import sys
from collections.abc import Iterator

import gradio as gr
import httpx
import pytest

from livemind_app.config import Settings
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.errors import ConfigError
from livemind_app.serve import create_app, serve_cluster, static_folder
from livemind_app.serving.server import listen
from tests.serving.conftest import assembled, refusal


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with assembled(Settings(max_sessions=1)) as service:
        yield service.http


def test_the_page_is_at_the_root(http: httpx.Client) -> None:
    page = http.get("/")
    assert page.status_code == 200
    assert "LiveMind" in page.text


def test_our_files_and_those_of_gradio_are_under_static(http: httpx.Client) -> None:
    own = sorted(path.name for path in static_folder().glob("*.js"))
    assert own
    for name in (own[0], "img/logo.svg"):
        assert http.get(f"/static/{name}").status_code == 200
    assert http.get("/static/nothing.js").status_code == 404
    assert http.get("/static/../pyproject.toml").status_code == 404
    assert http.get("/static/%2e%2e/pyproject.toml").status_code == 404


def test_the_api_is_not_shadowed_by_the_page(http: httpx.Client) -> None:
    assert http.get("/api/health").json()["status"] == "ready"
    assert refusal(http.get("/api/nothing")) == (404, "not_found")
    assert refusal(http.get("/api/sessions")) == (405, "method_not_allowed")
    assert http.get("/openapi.json").json()["info"]["title"] == "LiveMind"


def test_settings_reach_the_sessions(http: httpx.Client) -> None:
    assert http.post("/api/sessions", json={}).status_code == 201
    assert refusal(http.post("/api/sessions", json={})) == (429, "too_many_sessions")


STRANGER = {"X-Forwarded-For": "203.0.113.1"}


def test_settings_say_what_one_client_may_have() -> None:
    with assembled(Settings(sessions_per_client=2, connections_per_address=1)) as service:
        create = {"url": "/api/sessions", "json": {}, "headers": STRANGER}
        first = service.http.post(**create)
        assert [first.status_code, service.http.post(**create).status_code] == [201, 201]
        assert refusal(service.http.post(**create)) == (429, "too_many_sessions")
        with service.events(first.json()["session"], **STRANGER):
            assert refusal(service.http.post(**create)) == (429, "too_many_requests")


def test_without_a_rate_nothing_is_counted() -> None:
    with assembled(Settings(rate=0, sessions_per_client=0)) as service:
        answers = [service.http.post("/api/sessions", json={}, headers=STRANGER) for _ in range(40)]
        assert {answer.status_code for answer in answers} == {201}


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """Nagle's algorithm would hold back the second packet of every answer for 40 ms."""
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_cluster_without_ray_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "livemind_app.serving.cluster", raising=False)
    with pytest.raises(ConfigError, match=r"livemind-app\[cluster\]"):
        serve_cluster(Settings())


def test_replicas_are_a_number_or_a_range() -> None:
    given = [Settings.from_env({"LIVEMIND_REPLICAS": value}).replicas for value in ("3", "2-8")]
    assert given == [(3, 3), (2, 8)]
    for wrong in ("0", "8-2", "2-", "-2", "x", "2-3-4"):
        with pytest.raises(ConfigError, match="LIVEMIND_REPLICAS"):
            Settings.from_env({"LIVEMIND_REPLICAS": wrong})


def test_behind_a_router_gradio_offers_no_endpoints() -> None:
    """It would send the parts of one call to several servers."""
    engine = ScriptedEngine()
    app = create_app(Settings(place_header="X-Request-ID"), engine)
    page = next(route.app for route in app.routes if isinstance(getattr(route, "app", None), gr.routes.App))
    assert not page.get_blocks().get_api_info()["named_endpoints"]
    engine.close()


@pytest.mark.parametrize("path", ["/api/benchmark", "/api/benchmark/report"])
def test_behind_a_router_there_is_no_benchmark(path: str) -> None:
    """Its run is known to the server that began it, and others would be asked."""
    with assembled(Settings(place_header="X-Request-ID")) as service:
        assert refusal(service.http.get(path)) == (404, "not_found")
        assert refusal(service.http.post(path, json={"prompts": ["Hello?"]})) == (404, "not_found")
