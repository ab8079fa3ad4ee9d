"""Gates 1 to 5 on a server with an engine that needs no model."""

import asyncio
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psutil
import pytest

from livemind_app.cli import main
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.protocol import Output, Priority, Request
from livemind_app.serving.app import Timing, create_api
from livemind_app.serving.connections import ConnectionLimits
from livemind_app.serving.server import Server, address, listen
from livemind_app.session.limits import Limits
from livemind_app.session.manager import SessionManager
from tests.load.conftest import FULL, told
from tests.serving.conftest import WAIT_S, Service, refusal, serving, until

TEXT = "Tom has three apples. Ann gives him four more. He eats two of them. How many has he now?"


def eventually(condition: Any, seconds: float = WAIT_S) -> float:
    """Seconds until it holds; fails when it never does."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds
        time.sleep(0.01)
    return time.monotonic() - began


# 1. Typing users.


class CountingEngine(ScriptedEngine):
    """Knows how many requests of a session are under way for each of its caches."""

    def __init__(self) -> None:
        super().__init__(token_s=0.001)
        self._live: Counter[tuple[str, str | None]] = Counter()
        self.most: Counter[str] = Counter()

    async def stream(self, request: Request) -> AsyncGenerator[Output, None]:  # type: ignore[override]
        key = (request.session, request.cache_key)
        if request.priority is Priority.SPECULATION:
            self._live[key] += 1
            self.most[request.session] = max(self.most[request.session], self._live[key])
        try:
            async for output in super().stream(request):
                yield output
        finally:
            if request.priority is Priority.SPECULATION:
                self._live[key] -= 1


async def test_a_session_has_one_guess_at_a_time() -> None:
    engine = CountingEngine()
    manager = SessionManager(engine)
    random = Random(7)
    sessions = [manager.create({"mode": "exact", "lanes": ["exact"]}) for _ in range(8)]
    for revision in range(1, 200):
        session = sessions[revision % len(sessions)]
        session.draft(revision, TEXT[: random.randrange(len(TEXT))] + random.choice(["", "?", "."]))
        if random.random() < 0.3:
            await asyncio.sleep(0.005)
    for session in sessions:
        session.draft(1000, TEXT)
        await session.settled()
    assert engine.most
    assert set(engine.most.values()) == {1}
    await manager.close()
    engine.close()


@pytest.mark.skipif(not FULL, reason="make test-load; tests/benchmark/load has the short one")
@pytest.mark.timeout(600)
def test_a_hundred_users_type_for_five_minutes(tmp_path: Path) -> None:
    out = tmp_path / "load.json"
    command = ["bench", "load", "--sessions", "100", "--keys-per-second", "6", "--seconds", "300"]
    assert main([*command, "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    told(**summary)
    assert summary["ack_p99_ms"] < 100
    assert summary["rss_growth_mb"] < 30
    assert summary["lost_drafts"] == summary["responses_5xx"] == summary["failed_answers"] == 0


# 2. Connections that are lost, at every moment.


def raw(service: Service, head: str, body: bytes = b"") -> socket.socket:
    """A connection on which this was sent."""
    host, port = service.http.base_url.host, service.http.base_url.port
    connection = socket.create_connection((host, port), timeout=WAIT_S)
    connection.sendall(f"{head} HTTP/1.1\r\nHost: {host}\r\n".encode() + body)
    return connection


def lose(service: Service, token: str, moment: int) -> None:
    """Break a connection in the middle of a keystroke, a stream, or a submit."""
    url, json_head = f"/api/sessions/{token}", b"Content-Type: application/json\r\nContent-Length: 60\r\n\r\n"
    match moment % 4:
        case 0:
            connection = raw(service, f"PUT {url}/draft", json_head + b'{"revision": 1, "te')
        case 1:
            connection = raw(service, f"PUT {url}/dr")
        case 2:
            connection = raw(service, f"GET {url}/events", b"\r\n")
            connection.recv(12)
        case _:
            body = json.dumps({"revision": 10**6 + moment, "text": TEXT}).encode()
            head = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            connection = raw(service, f"POST {url}/submit", head + body)
    # An end that says "reset" rather than "goodbye".
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def test_lost_connections_leave_nothing_behind() -> None:
    count = 2000 if FULL else 60
    with serving(Limits(max_turns=10**4)) as service:
        process = psutil.Process()
        for warm in range(4):  # what is made once is made now
            lose(service, token := service.create(), warm)
            service.http.delete(f"/api/sessions/{token}")
        before = process.num_fds(), threading.active_count()
        tokens = [service.create(lanes=["live"]) for _ in range(8)]
        for number in range(count):
            lose(service, tokens[number // 4 % len(tokens)], number)
        for token in tokens:
            assert service.http.delete(f"/api/sessions/{token}").status_code == 204
        engine = service.manager.engine
        idle_s = eventually(lambda: not sum(engine.usage().queued.values()))
        eventually(lambda: process.num_fds() <= before[0])
        assert threading.active_count() <= before[1]
        assert len(service.manager) == service.manager.admission.answers == 0
        told(disconnects=count, engine_idle_after_s=round(idle_s, 2))
        assert idle_s < 1 or not FULL
        assert service.http.get("/api/health").status_code == 200


# 3. More than it can do.


def test_three_times_what_it_can_do() -> None:
    """Speculation rests first, submits are refused with a time to come back, nothing grows without end."""
    capacity = 8
    with serving(Limits(max_answers=capacity, max_sessions=100)) as service:
        service.gate.open.clear()
        tokens = [service.create(lanes=["live"]) for _ in range(3 * capacity)]
        answered, refused, slowest = [], [], 0.0
        for token in tokens:
            service.draft(token, 1, TEXT[:50])
            began = time.monotonic()
            response = service.submit(token, 2, TEXT)
            slowest = max(slowest, time.monotonic() - began)
            (answered if response.status_code == 202 else refused).append((token, response))
            assert not answered or len(answered) < capacity / 2 or service.manager.admission.shedding
        assert len(answered) == capacity
        for _, response in refused:
            assert refusal(response) == (429, "overloaded")
            assert int(response.headers["retry-after"]) > 0
        queued = service.manager.engine.usage().queued
        assert sum(queued.values()) <= 3 * capacity
        told(answered=len(answered), refused=len(refused), slowest_ms=round(1000 * slowest, 1))
        assert slowest < 0.05 or not FULL
        for token, _ in refused:  # what was typed is still there
            assert service.manager.get(token).state.text == TEXT[:50]
        service.gate.open.set()
        for token, _ in answered:
            with service.events(token) as frames:
                until(frames, "turn", done=True)
        token = refused[0][0]
        assert service.submit(token, 3, TEXT).status_code == 202


# 4. Bodies that are none: most are in tests/serving/test_refusals.py.


@pytest.mark.parametrize("size", [1_000_001, 20_000_000])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(service: Service, size: int) -> None:
    token = service.create()
    head = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size
    began = time.monotonic()
    with raw(service, f"PUT /api/sessions/{token}/draft", head) as connection:
        assert connection.recv(12) == b"HTTP/1.1 413"
    seconds = time.monotonic() - began
    told(bytes=size, refused_after_ms=round(1000 * seconds, 1))
    assert seconds < 0.2 or not FULL
    service.http.delete(f"/api/sessions/{token}")


# 5. Slow readers and slow writers: the readers are in tests/serving/test_events.py.


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
        app = create_api(manager, engine.status, timing=Timing(body_timeout_s=0.2))
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
