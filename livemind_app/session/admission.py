"""Whether a server takes another question, and whether it has room to think ahead."""

import asyncio
from collections.abc import Callable, Sequence
from math import inf

from livemind_app.errors import Overloaded, ServerDraining, TooManyRequests

SHED_SHARE = 1 / 2  # of the answers a server takes, at which it stops to work ahead
RETRY_AFTER_S = 3  # an answer of one's own takes about so long


class Admission:
    """Counts the users of all sessions who wait for an answer; `on_shed` is called when the room runs out.

    Work that nobody waits for goes first: long before a question is refused, notes and guesses rest.
    """

    def __init__(
        self, max_answers: int, on_shed: Callable[[], None] = lambda: None, per_client: float = inf
    ) -> None:
        self._max_answers = max_answers
        self._per_client = per_client
        self._on_shed = on_shed
        self._waiting: dict[str, Sequence[str]] = {}  # tokens of sessions, and who pays
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

    def take_submit(self, payers: Sequence[str] = ()) -> None:
        """Raises ServerDraining, Overloaded or TooManyRequests where the question cannot be taken."""
        self.take_work()
        if self.answers >= self._max_answers:
            raise Overloaded(
                f"{self.answers} answers are being written; your text is kept, send it again soon"
            )
        if any(self._answers_of(payer) >= self._per_client for payer in payers):
            message = "too many of your questions are being answered; your text is kept, send it again soon"
            raise TooManyRequests(message, RETRY_AFTER_S)

    def mark(self, session: str, *, waiting: bool, payers: Sequence[str] = ()) -> None:
        """Whether this session's user waits for an answer."""
        if waiting:
            self._waiting[session] = payers
        else:
            self._waiting.pop(session, None)
        self._look()

    def drain(self) -> None:
        """From now on take nothing new, and work ahead for nobody."""
        self._draining = True
        self._look()

    def _answers_of(self, payer: str) -> int:
        return sum(payer in payers for payers in self._waiting.values())

    def _look(self) -> None:
        crowded = self._draining or self.answers >= max(self._max_answers * SHED_SHARE, 1)
        if not crowded:
            self._room.set()
        elif self._room.is_set():
            self._room.clear()
            self._on_shed()
