"""Whether a server takes another question, and whether it has room to think ahead."""

import asyncio
from collections.abc import Callable

from livemind_app.errors import Overloaded, ServerDraining

SHED_SHARE = 1 / 2  # of the answers a server takes, at which it stops to work ahead


class Admission:
    """Counts the users of all sessions who wait for an answer; `on_shed` is called when the room runs out.

    Work that nobody waits for goes first: long before a question is refused, notes and guesses rest.
    """

    def __init__(self, max_answers: int, on_shed: Callable[[], None] = lambda: None) -> None:
        self._max_answers = max_answers
        self._on_shed = on_shed
        self._waiting: set[str] = set()  # tokens of sessions
        self._draining = False
        self._room = asyncio.Event()
        self._room.set()

    @property
    def answers(self) -> int:
        """That users wait for."""
        return len(self._waiting)

    @property
    def draining(self) -> bool:
        return self._draining

    @property
    def shedding(self) -> bool:
        return not self._room.is_set()

    async def room(self) -> None:
        """Return when there is room to work ahead."""
        await self._room.wait()

    def take_work(self) -> None:
        """Raises ServerDraining where nothing new is begun."""
        if self._draining:
            raise ServerDraining("this server is being stopped; the same request soon reaches another one")

    def take_submit(self) -> None:
        """Raises ServerDraining or Overloaded where the question cannot be taken."""
        self.take_work()
        if self.answers >= self._max_answers:
            raise Overloaded(
                f"{self.answers} answers are being written; your text is kept, send it again soon"
            )

    def mark(self, session: str, *, waiting: bool) -> None:
        """Whether this session's user waits for an answer."""
        if waiting:
            self._waiting.add(session)
        else:
            self._waiting.discard(session)
        self._look()

    def drain(self) -> None:
        """From now on take nothing new, and work ahead for nobody."""
        self._draining = True
        self._look()

    def _look(self) -> None:
        crowded = self._draining or self.answers >= max(self._max_answers * SHED_SHARE, 1)
        if not crowded:
            self._room.set()
        elif self._room.is_set():
            self._room.clear()
            self._on_shed()
