"""Gate 5: slow writers; slow readers are in tests/serving/test_events.py."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.serving.app import Timing, create_api
from livemind_app.serving.connections import ConnectionLimits
from livemind_app.serving.server import Server, address, listen
from livemind_app.session.manager import SessionManager
from tests.load.gates import TEXT, eventually, raw
from tests.serving.conftest import WAIT_S, Service, serving


def test_requests_that_never_end_hold_up_nobody() -> None:
    """A hundred that send a byte now and then: others are served, and the server lets go of them."""
    timing, limits = Timing(body_timeout_s=1.0), ConnectionLimits(head_s=1.0)
    with serving(timing=timing, connections=limits) as service:
        hold_up(service)


def hold_up(service: Service) -> None:
    token = service.create()
    head = b"Content-Type: application/json\r\nContent-Length: 60\r\n\r\n{"
    slow = [raw(service, f"PUT /api/sessions/{token}/draft", head if n % 2 else b"") for n in range(100)]
    try:
        for revision in range(1, 30):
            assert service.draft(token, revision, TEXT[:revision]).status_code == 202
            for connection in slow[:10]:
                with suppress(OSError):
                    connection.sendall(b"x")
        service.http.close()
        eventually(lambda: not service.server.server_state.connections)
        for connection in slow:
            with suppress(ConnectionError):
                while connection.recv(1024):  # TimeoutError where it was not closed
                    pass
    finally:
        for connection in slow:
            connection.close()


@contextmanager
def impatient() -> Iterator[tuple[str, int]]:
    """A server that waits 0.2 s for a body."""
    engine = ScriptedEngine()
    manager = SessionManager(engine)
    started = threading.Event()
    with listen("127.0.0.1", 0) as listening:
        app = create_api(manager, timing=Timing(body_timeout_s=0.2))
        server = Server(app, listening, end_streams=manager.close, announce=lambda _: started.set())
        thread = threading.Thread(target=server.run)
        thread.start()
        assert started.wait(WAIT_S)
        yield address(listening), listening.getsockname()[1]
        server.should_exit = True
        thread.join(WAIT_S)
    engine.close()


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    with impatient() as (url, port), httpx.Client(base_url=url, timeout=WAIT_S) as http:
        token = http.post("/api/sessions", json={}).json()["session"]
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as connection:
            head = f"PUT /api/sessions/{token}/draft HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n"
            connection.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n{")
            assert connection.recv(12) == b"HTTP/1.1 408"
        assert http.get("/api/health").status_code == 200
