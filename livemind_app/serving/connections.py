"""A client's connection: there are so many at most, of all and of one address, and none is waited for
without an end.

uvicorn begins to count time only behind an answer, and takes all connections that come.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from livemind_app.serving.addresses import TrustedProxies, address_of

RETRY_AFTER_S = 5


def _refusal(status: bytes, message: str) -> bytes:
    body = json.dumps({"error": {"code": "too_many_connections", "message": message}}).encode()
    return b"""HTTP/1.1 %s\r
content-type: application/json\r
content-length: %d\r
cache-control: no-store\r
retry-after: %d\r
connection: close\r
\r
%s""" % (status, len(body), RETRY_AFTER_S, body)


FULL = _refusal(b"503 Service Unavailable", "all connections are in use; try again soon")
TOO_MANY = _refusal(b"429 Too Many Requests", "your address has too many connections; close some")


@dataclass(frozen=True)
class ConnectionLimits:
    connections: int = 512
    per_address: int = 128  # 0: any number
    proxies: TrustedProxies = field(default_factory=TrustedProxies)  # many users each, so not counted
    head_s: float = 10.0  # from the beginning of a connection, or of a later request, to the end of its head
    stall_s: float = 30.0  # that a reader may leave what is sent with us


class Timer:
    """Calls `then` after so many seconds, unless it is stopped before."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, then: Callable[[], None]) -> None:
        self._begin = partial(loop.call_later, seconds, then)
        self._running: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """One that runs goes on."""
        self._running = self._running or self._begin()

    def stop(self) -> None:
        if self._running:
            self._running.cancel()
            self._running = None


class Connection(HttpToolsProtocol):
    """Closed when its head does not come, cut off when its reader takes nothing."""

    def __init__(self, *, limits: ConnectionLimits, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._limits = limits
        self._address: str | None = None  # that is counted
        self._head = Timer(self.loop, limits.head_s, self._end)
        self._reader = Timer(self.loop, limits.stall_s, lambda: self.transport.abort())

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head.start()
        peer = self.client[0] if self.client else ""
        self._address = None if self._limits.proxies.has_peer(peer) else address_of({"client": (peer, 0)})
        if refusal := self._refused_with():
            transport.write(refusal)
            self._end()

    def _refused_with(self) -> bytes | None:
        if len(self.connections) > self._limits.connections:
            return FULL
        most = self._limits.per_address
        return TOO_MANY if most and self._address is not None and self._of_address() > most else None

    def _of_address(self) -> int:
        return sum(getattr(other, "_address", None) == self._address for other in self.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head.stop()
        self._reader.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        answered = self.cycle is None or self.cycle.response_complete
        if answered and self in self.connections:
            self._head.start()  # a part of the next one, or what comes behind an answer and is no request

    def on_headers_complete(self) -> None:
        self._head.stop()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._reader.start()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader.start()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reader.stop()
        if self.transport.is_closing():
            self._reader.start()

    def timeout_keep_alive_handler(self) -> None:
        self._end()

    def _end(self) -> None:
        """Close it; what was sent still goes to a reader who takes it."""
        self.transport.close()
        self._reader.start()
