"""Bad requests are refused with a status, a code and a message that repeats nothing of what was typed."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from livemind_app.serving.app import MAX_BODY
from livemind_app.session.limits import Limits
from tests.serving.conftest import Service, refusal, serving

SECRET = "the launch code is 4711"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def strict() -> Iterator[Service]:
    with serving(Limits(max_sessions=2, max_text=100, max_turns=1)) as running:
        yield running


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/options"),
        ("PUT", "/draft"),
        ("POST", "/submit"),
        ("POST", "/stop"),
        ("POST", "/clear"),
        ("DELETE", ""),
        ("GET", "/events"),
    ],
)
def test_unknown_session(service: Service, method: str, path: str) -> None:
    body = {"PUT": {"revision": 1, "text": ""}, "PATCH": {}}.get(method)
    body = {"revision": 1, "text": "x"} if path == "/submit" else body
    response = service.http.request(method, f"/api/sessions/nobody{path}", json=body)
    assert refusal(response) == (404, "unknown_session")


@pytest.mark.parametrize("revision", [2, 1, 0])
def test_a_draft_that_is_not_newer(service: Service, token: str, revision: int) -> None:
    service.draft(token, 2, "x")
    refused = service.draft(token, revision, "y")
    assert refusal(refused) == (409, "stale_revision")
    assert refused.json()["error"]["revision"] == 2


def test_a_submit_that_is_older(service: Service, token: str) -> None:
    service.draft(token, 2, "x")
    assert refusal(service.submit(token, 1, "x")) == (409, "stale_revision")


def test_submit_while_a_live_answer_is_running(service: Service, token: str) -> None:
    service.gate.reached.clear()
    service.gate.open.clear()
    service.submit(token, 1, "Hello there.", lanes=["live"])
    assert service.gate.reached.wait(20)
    assert refusal(service.submit(token, 2, "And again.")) == (409, "turn_running")


def test_limits_of_a_server(strict: Service) -> None:
    token, _ = strict.create(mode="off"), strict.create()
    full = strict.http.post("/api/sessions", json={})
    assert refusal(full) == (429, "too_many_sessions")
    assert int(full.headers["retry-after"]) > 0
    assert refusal(strict.draft(token, 1, "x" * 101)) == (413, "text_too_long")
    assert refusal(strict.submit(token, 1, "x" * 101)) == (413, "text_too_long")
    with strict.events(token) as frames:
        strict.submit(token, 1, "Hello there.", lanes=["live"])
        next(frame for frame in frames if frame.event == "turn" and frame.data["done"])
    assert refusal(strict.submit(token, 2, "And again.")) == (409, "too_many_turns")


@pytest.mark.parametrize("text", ["a\\ud800", "\\udfff", "a\\u0000b"])
@pytest.mark.parametrize("action", ["draft", "submit"])
def test_text_that_is_no_text(service: Service, token: str, text: str, action: str) -> None:
    method = "PUT" if action == "draft" else "POST"
    body = f'{{"revision": 1, "text": "{text}"}}'
    response = service.http.request(method, f"/api/sessions/{token}/{action}", content=body, headers=JSON)
    assert refusal(response) == (422, "invalid_text")


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_submit(service: Service, token: str, text: str) -> None:
    assert refusal(service.submit(token, 1, text)) == (422, "invalid_text")


@pytest.mark.parametrize(
    "body",
    [
        f'{{"revision": 1, "text": "{SECRET}"',
        f'{{"revision": 1, "text": "{SECRET}", "more": 1}}',
        f'{{"revision": 1, "text": "x", "{SECRET}": 1}}',
        f'{{"revision": "{SECRET}", "text": "x"}}',
        f'{{"revision": "1", "text": "{SECRET}"}}',
        f'{{"revision": 1.5, "text": "{SECRET}"}}',
        f'{{"revision": true, "text": "{SECRET}"}}',
        f'{{"revision": null, "text": "{SECRET}"}}',
        f'{{"revision": -1, "text": "{SECRET}"}}',
        f'{{"revision": NaN, "text": "{SECRET}"}}',
        f'{{"revision": 1e999, "text": "{SECRET}"}}',
        f'{{"revision": {"9" * 400}, "text": "{SECRET}"}}',
        f'{{"revision": {"9" * 5000}, "text": "{SECRET}"}}',
        f'{{"revision": 1, "text": ["{SECRET}"]}}',
        f'{{"text": "{SECRET}"}}',
        '{"revision": 1}',
        f'["{SECRET}"]',
        f'"{SECRET}"',
        "null",
        "",
        "[" * 100_000,
        '{"a":' * 100_000,
        b'{"revision": 1, "text": "\xff\xfe"}',
        b"\x00\x01\x02",
        '{"revision": 1, "text": "x", "\\ud800": 1}',
    ],
)
def test_malformed_bodies(service: Service, token: str, body: str | bytes) -> None:
    response = service.http.put(f"/api/sessions/{token}/draft", content=body, headers=JSON)
    assert refusal(response) == (422, "invalid_request")
    assert SECRET not in response.text


def test_only_json_is_taken_so_that_other_sites_cannot_post(service: Service) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        response = service.http.post("/api/sessions", content="{}", headers={"Content-Type": kind})
        assert refusal(response) == (422, "invalid_request")
    assert refusal(service.http.post("/api/sessions")) == (422, "invalid_request")


@pytest.mark.parametrize("lanes", [[], ["fast"], "live", [1], {}, ["live", "\ud800"]])
def test_lanes_that_do_not_exist(service: Service, token: str, lanes: Any) -> None:
    body = json.dumps({"revision": 1, "text": SECRET, "lanes": lanes})
    response = service.http.post(f"/api/sessions/{token}/submit", content=body, headers=JSON)
    assert refusal(response) == (422, "invalid_request")
    assert SECRET not in response.text


@pytest.mark.parametrize(
    "options",
    [
        '{"speed": 1}',
        '{"\\ud800": 1}',
        '{"temperature": NaN}',
        '{"temperature": Infinity}',
        '{"temperature": 3}',
        '{"temperature": "1"}',
        '{"temperature": true}',
        '{"mode": "exactly"}',
        '{"mode": ["infer"]}',
        '{"mode": "\\ud800"}',
        '{"lanes": []}',
        '{"lanes": [["live"]]}',
        '{"min_length": 0}',
        '{"min_length": 2.5}',
        '{"max_tokens": 99999}',
        '{"seed": 1.5}',
    ],
)
def test_options_out_of_range(service: Service, token: str, options: str) -> None:
    patch = service.http.patch(f"/api/sessions/{token}/options", content=options, headers=JSON)
    assert refusal(patch) == (422, "invalid_option")
    post = service.http.post("/api/sessions", content=f'{{"options": {options}}}', headers=JSON)
    assert refusal(post) == (422, "invalid_option")


@pytest.mark.parametrize("body", ["[]", "1", '{"options": []}', '{"options": null}', '{"option": {}}'])
def test_malformed_sessions(service: Service, body: str) -> None:
    assert refusal(service.http.post("/api/sessions", content=body, headers=JSON)) == (422, "invalid_request")


def test_a_body_where_none_belongs(service: Service, token: str) -> None:
    response = service.http.post(f"/api/sessions/{token}/stop", json={"hard": True})
    assert refusal(response) == (422, "invalid_request")


@pytest.mark.parametrize(
    "position", [{"last": "x"}, {"last": "-1"}, {"Last-Event-ID": "x"}, {"Last-Event-ID": "-1"}]
)
def test_positions_that_are_none(service: Service, token: str, position: dict[str, str]) -> None:
    query = {name: value for name, value in position.items() if name == "last"}
    headers = {name: value for name, value in position.items() if name != "last"}
    response = service.http.get(f"/api/sessions/{token}/events", params=query, headers=headers)
    assert refusal(response) == (422, "invalid_request")


@pytest.mark.parametrize("size", [MAX_BODY + 1, 20_000_000])
def test_huge_bodies_are_refused_before_they_are_parsed(service: Service, token: str, size: int) -> None:
    began = time.monotonic()
    response = service.http.put(f"/api/sessions/{token}/draft", content=b" " * size, headers=JSON)
    assert refusal(response) == (413, "body_too_large")
    assert time.monotonic() - began < 2


def test_huge_bodies_without_a_length_are_refused(service: Service, token: str) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(MAX_BODY // 10_000 + 2):
            yield b" " * 10_000

    response = service.http.put(f"/api/sessions/{token}/draft", content=pieces(), headers=JSON)
    assert refusal(response) == (413, "body_too_large")


def test_the_longest_text_fits_into_a_body() -> None:
    escaped = len(json.dumps("\N{GRINNING FACE}")) - 2
    assert Limits().max_text * escaped + 1000 < MAX_BODY


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/sessions/x/nothing", "/nothing"])
def test_unknown_paths(service: Service, path: str) -> None:
    assert refusal(service.http.get(path)) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/sessions", "POST"),
        ("POST", "/api/health", "GET"),
        ("GET", "/api/sessions/x", "DELETE"),
        ("POST", "/api/sessions/x/draft", "PUT"),
        ("OPTIONS", "/api/sessions", "POST"),
    ],
)
def test_wrong_methods(service: Service, method: str, path: str, allowed: str) -> None:
    response = service.http.request(method, path)
    assert refusal(response) == (405, "method_not_allowed")
    assert response.headers["allow"] == allowed


def test_other_sites_are_given_nothing(service: Service) -> None:
    preflight = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answers: list[httpx.Response] = [
        service.http.options("/api/sessions", headers=preflight),
        service.http.get("/api/health", headers={"Origin": "https://elsewhere.example"}),
    ]
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control-allow-origin")]
