"""The one owner of a session's state: every change is an event, applied and logged in one place."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context

from livemind_app.session.apply import apply
from livemind_app.session.clock import Clock
from livemind_app.session.events import Event, Retry, StateChanged, Turn, to_wire
from livemind_app.session.limits import Limits
from livemind_app.session.readers import Reader
from livemind_app.session.ring import EventRing, Frame, coalesce
from livemind_app.session.state import State, snapshot

Observe = Callable[[Event], None]
Room = Callable[[], Awaitable[None]]  # returns when there is room to work ahead
COALESCE_S = 0.03  # readers get tokens in batches of this length; the echo of a keystroke at once


class Store:
    """State, clock and event ring of one session; lives on one event loop."""

    def __init__(
        self, state: State, limits: Limits, clock: Clock, observe: Observe = lambda event: None
    ) -> None:
        self.state = state
        self.ring = EventRing(limits.ring, limits.ring_text)
        self.asked = copy_context()  # of whoever asked for the newest answer: logs name the request by it
        self._clock = clock
        self._observe = observe
        self._began = clock()

    @property
    def now(self) -> float:
        """Seconds since the session began."""
        return self._clock() - self._began

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def emit(self, event: Event) -> None:
        if isinstance(event, Retry) or (isinstance(event, Turn) and not event.done):
            self.asked = copy_context()
        self.state = apply(self.state, event)
        self._observe(event)
        if isinstance(event, StateChanged) and event.cleared:
            self.ring.forget()
        whole = isinstance(event, StateChanged)
        self.ring.append(self._snapshot() if whole else to_wire(event))

    async def read(self, last: int, reader: Reader) -> list[Frame]:
        """Wait for frames after `last`; a snapshot stands for what was lost. Empty at the reader's end."""
        if last == self.ring.last and not self.ring.closed:
            await self.ring.news(last, reader)
            if self.ring.flowing:
                await asyncio.sleep(COALESCE_S)
        if reader.gone:
            return []
        frames = self.ring.since(last)
        return [(self.ring.last, self._snapshot())] if frames is None else coalesce(frames)

    def _snapshot(self) -> dict[str, object]:
        return {**snapshot(self.state), "at": self.now}
