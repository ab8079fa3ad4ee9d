"""A real uvicorn server on a free port, in a thread, with an engine that needs no model."""

import asyncio
import json
import queue
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from livemind_app.config import Settings
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.protocol import Request
from livemind_app.serve import create_app
from livemind_app.serving.access import Access
from livemind_app.serving.app import Timing, create_api
from livemind_app.serving.connections import ConnectionLimits
from livemind_app.serving.history import History
from livemind_app.serving.server import Server, address, listen
from livemind_app.session.limits import Limits
from livemind_app.session.manager import SessionManager

WAIT_S = 20  # far above what anything here takes


class Gate:
    """Called by the engine before every token: lets it through, or holds it while closed."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()

    def __call__(self, request: Request) -> None:
        self.reached.set()
        assert self.open.wait(WAIT_S)


@dataclass(frozen=True)
class Frame:
    id: int
    event: str
    data: dict[str, Any]


@dataclass
class Service:
    http: httpx.Client
    gate: Gate
    manager: SessionManager
    server: Server
    thread: threading.Thread
    loop: asyncio.AbstractEventLoop

    def create(self, **options: Any) -> str:
        response = self.http.post("/api/sessions", json={"options": options})
        assert response.status_code == 201, response.text
        return str(response.json()["session"])

    def draft(self, token: str, revision: int, text: str) -> httpx.Response:
        return self.http.put(f"/api/sessions/{token}/draft", json={"revision": revision, "text": text})

    def submit(self, token: str, revision: int, text: str, **more: Any) -> httpx.Response:
        body = {"revision": revision, "text": text, **more}
        return self.http.post(f"/api/sessions/{token}/submit", json=body)

    @contextmanager
    def events(self, token: str, last: int | None = None, **headers: str) -> Iterator[Iterator[Frame]]:
        query = {} if last is None else {"last": last}
        url = f"/api/sessions/{token}/events"
        with self.http.stream("GET", url, params=query, headers=headers) as response:
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            yield parse(response.iter_lines())

    def stop(self) -> None:
        self.gate.open.set()
        self.server.should_exit = True
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()


def parse(lines: Iterator[str]) -> Iterator[Frame]:
    """Frames with data; comments and `retry` are passed over."""
    fields: dict[str, str] = {}
    deadline = time.monotonic() + WAIT_S  # pings keep a silent stream from timing out by itself
    for line in lines:
        assert time.monotonic() < deadline
        if not line:
            if "data" in fields:
                yield Frame(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}
        else:
            name, _, value = line.partition(": ")
            fields[name] = value


def until(frames: Iterator[Frame], event: str, **expected: Any) -> list[Frame]:
    """Frames up to and with the first of this type that has these values."""
    seen: list[Frame] = []
    for frame in frames:
        seen.append(frame)
        if frame.event == event and expected.items() <= frame.data.items():
            return seen
    raise AssertionError(f"the stream ended before {event} {expected}; it had {[f.event for f in seen]}")


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer that must be a refusal in the documented shape."""
    body = response.json()
    assert set(body) == {"error"}
    details = {"stale_revision": {"revision"}, "text_too_long": {"limit"}}.get(body["error"]["code"], set())
    assert set(body["error"]) == {"code", "message"} | details
    assert body["error"]["message"]
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, body["error"]["code"]


@contextmanager
def serving(
    limits: Limits | None = None,
    timing: Timing | None = None,
    send_buffer: int | None = None,
    access: Access | None = None,
    history: History | None = None,
    connections: ConnectionLimits | None = None,
    others: Sequence[APIRouter] = (),
    engine: ScriptedEngine | None = None,
) -> Iterator[Service]:
    gate = Gate()
    engine = engine or ScriptedEngine(step=gate)
    manager = SessionManager(engine, limits or Limits())
    app = create_api(manager, timing=timing, access=access, history=history, others=others)
    app.state.end_streams = manager.close
    with running(app, engine, gate, send_buffer, connections) as service:
        yield service


@contextmanager
def assembled(settings: Settings | None = None) -> Iterator[Service]:
    """The whole program: the page, too."""
    engine = ScriptedEngine()
    with running(create_app(settings or Settings(), engine), engine, Gate()) as service:
        yield service


@contextmanager
def running(
    app: FastAPI,
    engine: ScriptedEngine,
    gate: Gate,
    send_buffer: int | None = None,
    connections: ConnectionLimits | None = None,
) -> Iterator[Service]:
    """Serve an app that has `end_streams`; the engine is closed with it."""
    loops: queue.Queue[asyncio.AbstractEventLoop] = queue.Queue()
    with listen("127.0.0.1", 0) as listening:
        if send_buffer:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        server = Server(
            app,
            listening,
            end_streams=app.state.end_streams,
            announce=lambda line: loops.put(asyncio.get_running_loop()),
            connections=connections,
        )
        thread = threading.Thread(target=server.run, name="server")
        thread.start()
        loop = loops.get(timeout=WAIT_S)
        with httpx.Client(base_url=address(listening), timeout=WAIT_S) as http:
            service = Service(http, gate, app.state.manager, server, thread, loop)
            try:
                yield service
            finally:
                service.stop()
                engine.close()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serving() as running:
        yield running


@pytest.fixture
def token(service: Service) -> Iterator[str]:
    token = service.create(mode="off")
    yield token
    service.gate.open.set()
    service.http.delete(f"/api/sessions/{token}")
