"""Who asks, and what all sessions of one of them may cost together."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

MINUTE_S = 60.0


@dataclass(frozen=True)
class Client:
    """Of a request, as far as it is known; an empty name stands for nobody in particular."""

    owner: str = ""  # opens only sessions of its own: a user who is logged in, a browser, a program
    payer: str = ""  # whose work ahead is counted together: a user, or an address


ANYBODY = Client()


class Minute:
    """How many tokens the last minute had; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at: deque[float] = deque()

    @property
    def tokens(self) -> int:
        while self._at and self._at[0] < self._clock() - MINUTE_S:
            self._at.popleft()
        return len(self._at)

    def add(self, tokens: int) -> None:
        self._at.extend([self._clock()] * tokens)


class Ledger:
    """Tokens speculated a minute by payer, in all their sessions; `limit` 0: as many as they like.

    Nobody in particular is this machine's own user, and is not counted.
    """

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._minutes: dict[str, Minute] = {}

    def left(self, payer: str) -> float:
        if not self._limit or not payer:
            return inf
        if payer not in self._minutes:
            return self._limit
        spent = self._minutes[payer].tokens
        if not spent:
            del self._minutes[payer]
        return self._limit - spent

    def spend(self, payer: str, tokens: int) -> None:
        if self._limit and payer:
            self._minutes.setdefault(payer, Minute(self._clock)).add(tokens)

    def forget(self) -> None:
        """Those who spent nothing in the last minute."""
        self._minutes = {payer: minute for payer, minute in self._minutes.items() if minute.tokens}
