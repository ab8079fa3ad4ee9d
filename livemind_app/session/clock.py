"""Where a session takes its time from."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    def __call__(self) -> float:
        """Seconds from any moment on; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class RealClock:
    def __call__(self) -> float:
        return time.perf_counter()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
