"""uvicorn, bound early, and stopped in order: answers are finished, streams ended, connections closed."""

import asyncio
import gc
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from types import FrameType

import uvicorn
from sse_starlette.sse import AppStatus
from starlette.types import ASGIApp

from livemind_app.errors import ConfigError
from livemind_app.serving.connections import Connection, ConnectionLimits

SHUTDOWN_S = 5  # for what is being sent; then it is cut


async def at_once() -> None:
    """Nothing to wait for."""


class Server(uvicorn.Server):
    """At shutdown `drain` runs first, while requests are still answered; a second signal cuts it short.

    Then `end_streams`: uvicorn would wait for open streams before it tells the app.
    """

    def __init__(
        self,
        app: ASGIApp,
        listening: socket.socket,
        *,
        end_streams: Callable[[], Awaitable[None]],
        drain: Callable[[], Awaitable[None]] = at_once,
        announce: Callable[[str], None] = print,
        connections: ConnectionLimits | None = None,
    ) -> None:
        # sse-starlette would cut streams at a signal while we let them end; the switch is the process's.
        AppStatus.enable_automatic_graceful_drain = False
        # No access log: paths hold session tokens, and a token opens its session's drafts.
        super().__init__(
            uvicorn.Config(
                app,
                http=partial(Connection, limits=connections or ConnectionLimits()),  # type: ignore[arg-type]
                log_config=None,  # as everything of this program logs
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,  # serving/addresses.py reads them
                timeout_graceful_shutdown=SHUTDOWN_S,
            )
        )
        self._listening = listening
        self._end_streams = end_streams
        self._drain = drain
        self._hurry = asyncio.Event()
        self._announce = announce

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await super().serve(sockets or [self._listening])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            _collect_rarely()
            self._announce(f"LiveMind is at {address(self._listening)}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._finish()
        await self._end_streams()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self._loop.call_soon_threadsafe(self._hurry.set)
        super().handle_exit(sig, frame)

    async def _finish(self) -> None:
        """Let it drain, but not beyond a second signal."""
        tasks = {asyncio.ensure_future(self._drain()), asyncio.ensure_future(self._hurry.wait())}
        _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


def _collect_rarely() -> None:
    """A full collection stops every user, with a hundred sessions for a fifth of a second.

    What is imported stays and need not be walked; little of what comes later is in cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises ConfigError with the reason where there can be none."""
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(where[:2], family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host} port {port} ({error.strerror}); see --host and --port"
        ) from error
    # Connections inherit it. asyncio sets it only on sockets of its own making, and without it
    # every second packet of an answer waits 40 ms for the reader's acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def address(listening: socket.socket) -> str:
    """What to open in a browser; an address that stands for all is shown as this machine's own."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
