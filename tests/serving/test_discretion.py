"""No log line holds what a user typed, whatever goes wrong."""

import logging
import socket
import time

import pytest

from tests.serving.conftest import WAIT_S, Service, refusal, serving, until

SECRET = "the launch code is 4711"


def test_nothing_typed_or_answered_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving() as service:
        token = service.create()
        with service.events(token) as frames:
            service.draft(token, 1, SECRET)
            service.draft(token, 1, SECRET)
            service.http.put(f"/api/sessions/{token}/draft", json={"text": SECRET, SECRET: SECRET})
            service.submit(token, 2, f"{SECRET}. Repeat it.", lanes=["live"])
            answer = next(
                frame.data["delta"] for frame in until(frames, "turn", done=True) if frame.event == "answer"
            )
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert not [line for line in ours if SECRET in line or answer in line]
    assert not [line for line in ours if token in line]


def test_an_unforeseen_error_is_logged_without_its_message(
    service: Service, token: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(revision: int, text: str) -> None:
        raise RuntimeError(f"cannot handle {text}")

    monkeypatch.setattr(service.manager.get(token), "draft", fail)
    response = service.draft(token, 1, SECRET)
    assert refusal(response) == (500, "internal_error")
    assert SECRET not in response.text
    assert "RuntimeError" in caplog.text
    assert "in draft" in caplog.text
    assert SECRET not in caplog.text


def test_an_error_in_a_stream_ends_it_and_is_logged_without_its_message(
    service: Service, token: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(last: int) -> None:
        raise RuntimeError(SECRET)
        yield

    monkeypatch.setattr(service.manager.get(token), "events", fail)
    with pytest.raises(Exception, match=r"incomplete|closed"), service.events(token) as frames:
        list(frames)
    assert "RuntimeError" in caplog.text
    assert SECRET not in caplog.text
    assert service.http.get("/api/health").status_code == 200


def test_a_client_that_goes_in_the_middle_of_its_request_is_no_failure(
    service: Service, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    url = service.http.base_url
    head = f"PUT /api/sessions/{token}/draft HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: 60\r\n"
    with socket.create_connection((url.host, url.port), timeout=WAIT_S) as connection:
        connection.sendall(head.encode() + b'Content-Type: application/json\r\n\r\n{"revision": 1')
    end = time.monotonic() + WAIT_S
    while "went away in the middle of its request" not in caplog.text:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
