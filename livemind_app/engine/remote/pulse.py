"""Whether a server that writes nothing is alive.

A living server may be silent for minutes over a long prompt, so silence alone says little. One that does not
even say which models it has is stopped, or cannot be reached, and waiting for it any longer is no use.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx

QUIET_S = 0.3  # without a sign of life from any stream, then it is asked

T = TypeVar("T")


class NoSignOfLife(TimeoutError):
    """The server answers nothing at all."""


class Pulse:
    """Guards waits for one server, on one event loop; one question at a time serves all of them."""

    def __init__(self, ask: Callable[[], Awaitable[object]], alive_s: float) -> None:
        self._ask = ask
        self._alive_s = alive_s
        self._waits: set[asyncio.Timeout] = set()
        self._heard = 0.0
        self._listener: asyncio.Task[None] | None = None  # ends by itself when nobody waits

    async def wait(self, awaited: Awaitable[T], until: float) -> T:
        """Its result. Raises NoSignOfLife, or TimeoutError at `until` on the loop's clock."""
        scope = asyncio.timeout_at(until)  # wait_for can lose a cancellation (Python 3.11)
        self._waits.add(scope)
        self._listen()
        try:
            async with scope:
                result = await awaited
        except TimeoutError as error:
            raise error if scope in self._waits else NoSignOfLife from error
        finally:
            self._waits.discard(scope)
        self._heard = asyncio.get_running_loop().time()
        return result

    def _listen(self) -> None:
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listening())

    async def _listening(self) -> None:
        time = asyncio.get_running_loop().time
        while self._waits:
            await asyncio.sleep(QUIET_S)
            silent = set(self._waits)
            if time() - self._heard < QUIET_S:
                continue
            if await self._alive():
                self._heard = time()
                continue
            for scope in silent & self._waits:
                if not scope.expired():  # by itself, just now
                    self._waits.discard(scope)
                    scope.reschedule(time())

    async def _alive(self) -> bool:
        try:
            async with asyncio.timeout(self._alive_s):
                await self._ask()
        except (TimeoutError, httpx.HTTPError):
            return False
        return True
