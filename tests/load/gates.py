"""What the gates on an engine that needs no model share."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import psutil

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.protocol import Output, Priority, Request
from tests.serving.conftest import WAIT_S, Service

TEXT = "Tom has three apples. Ann gives him four more. He eats two of them. How many has he now?"


def eventually(condition: Any, seconds: float = WAIT_S) -> float:
    """Seconds until it holds; fails when it never does."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds
        time.sleep(0.01)
    return time.monotonic() - began


class CountingEngine(ScriptedEngine):
    """Knows how many requests of a session are under way for each of its caches."""

    def __init__(self, token_s: float = 0.001) -> None:
        super().__init__(token_s=token_s, recorded=False)  # memory is looked at
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


def raw(service: Service, head: str, body: bytes = b"") -> socket.socket:
    """A connection on which this was sent."""
    host, port = service.http.base_url.host, service.http.base_url.port
    connection = socket.create_connection((host, port), timeout=WAIT_S)
    connection.sendall(f"{head} HTTP/1.1\r\nHost: {host}\r\n".encode() + body)
    return connection


def busy(service: Service) -> int:
    return sum(service.manager.engine.usage().queued.values())


@dataclass(frozen=True)
class Held:
    """What a server holds while nothing happens."""

    tasks: int
    threads: int
    descriptors: int
    connections: int
    bytes: int

    @classmethod
    def of(cls, service: Service) -> "Held":
        process = psutil.Process()
        connections = len(service.server.server_state.connections)
        tasks = len(asyncio.all_tasks(service.loop))
        threads, descriptors = threading.active_count(), process.num_fds()
        return cls(tasks, threads, descriptors, connections, process.memory_info().rss)

    def no_more_than(self, other: "Held") -> bool:
        mine, others = ({**vars(held), "bytes": 0} for held in (self, other))
        return all(mine[name] <= others[name] for name in mine)
