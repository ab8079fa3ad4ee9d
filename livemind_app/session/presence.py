"""Whether anybody still reads what a session says."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from livemind_app.session.readers import Reader, Readers


class Presence:
    """Knows `readers`; `on_abandoned` is called `grace_s` after the last of them and the last call; 0: never.

    Who never read, a program that submits and looks later, abandons nothing.
    """

    def __init__(self, grace_s: float, readers: Readers, on_abandoned: Callable[[], None]) -> None:
        self._grace_s = grace_s
        self._readers = readers
        self._on_abandoned = on_abandoned
        self._touched = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None  # where readers were there and went
        self._here = asyncio.Event()
        self._here.set()

    @property
    def idle_s(self) -> float:
        """Seconds without a call; 0 while somebody reads."""
        return 0.0 if self._readers else time.monotonic() - self._touched

    @property
    def abandoned(self) -> bool:
        return not self._here.is_set()

    async def returned(self) -> None:
        """Return when somebody is there."""
        await self._here.wait()

    def touch(self) -> None:
        """A call came."""
        self._touched = time.monotonic()
        if self.abandoned:
            self._here.set()
            self._watch(self._grace_s)

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """While one reads."""
        reader = self._readers.enter()
        self._unwatch()
        self._here.set()
        try:
            yield reader
        finally:
            self._readers.leave(reader)
            self._touched = time.monotonic()
            if not self._readers:
                self._watch(self._grace_s)

    def close(self) -> None:
        """The session ends; readers may still be about to go."""
        self._unwatch()
        self._grace_s = 0

    def _unwatch(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _watch(self, seconds: float) -> None:
        if self._grace_s:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """Calls come with every keystroke, so the timer is set anew when it has run, not then."""
        if (left := self._grace_s - self.idle_s) > 0:
            self._watch(left)
            return
        self._timer = None
        self._here.clear()
        self._on_abandoned()
