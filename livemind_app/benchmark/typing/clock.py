"""When keystrokes fall: on a real clock, or on one that skips the time in which nothing is computed.

Both run as fast as the machine while something is computed, so a note that takes three seconds is three
seconds of the user's typing on either.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from livemind_app.session import clock

Settled = Callable[[], Awaitable[None]]  # returns when nothing is computed or left to compute


class Clock(clock.Clock, Protocol):
    """The session takes its times from here too."""

    async def until(self, moment: float, settled: Settled) -> None:
        """Return at `moment`, or as soon as possible when that is past."""
        ...


class RealClock(clock.RealClock):
    """Typing takes as long as it takes."""

    async def until(self, moment: float, settled: Settled) -> None:
        await asyncio.sleep(max(moment - self(), 0.0))


class VirtualClock:
    """Typing costs no real time, computing does: the LiveMind paper's method (arXiv 2406.14319).

    Sleepers, who wait for a silence of the typist, are woken at their moment of the typing.
    """

    def __init__(self) -> None:
        self._skipped = 0.0  # seconds
        self._sleepers: dict[asyncio.Future[None], float] = {}  # and their moments

    def __call__(self) -> float:
        return time.perf_counter() + self._skipped

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self._sleepers[woken] = self() + seconds
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):  # wait_for can lose a cancellation (Python 3.11)
                    await woken
        finally:
            del self._sleepers[woken]

    async def until(self, moment: float, settled: Settled) -> None:
        while (now := self()) < moment:
            with suppress(TimeoutError):
                async with asyncio.timeout(moment - now):
                    await settled()
                self._skip(min([moment, *self._sleepers.values()]))
            await asyncio.sleep(0)  # whoever waits for the processor goes first, as in real time
        await asyncio.sleep(0)

    def _skip(self, moment: float) -> None:
        self._skipped += max(moment - self(), 0.0)
        for woken, at in self._sleepers.items():
            if at <= moment and not woken.done():
                woken.set_result(None)
