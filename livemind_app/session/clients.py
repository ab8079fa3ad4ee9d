"""Who asks, and what all sessions of one of them may cost together."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, inf

from livemind_app.errors import TooManyRequests
from livemind_app.session.buckets import Buckets, Rate
from livemind_app.session.limits import Limits

MINUTE_S = 60.0


@dataclass(frozen=True)
class Client:
    """Of a request, as far as it is known; an empty name stands for nobody in particular."""

    owner: str = ""  # opens only sessions of its own: a user who is logged in, a browser, a program
    payers: tuple[str, ...] = ()  # whose tokens are counted: a user, an address; none at this machine


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


class Purse:
    """Tokens of one kind that a client may have, in all its sessions; without payers as many as it likes."""

    def __init__(self, buckets: Buckets, payers: Sequence[str]) -> None:
        self._buckets = buckets
        self._payers = payers

    @property
    def left(self) -> float:
        """Of the payer who has least; below 0 where an answer was longer than what was left."""
        return min((self._buckets.level(payer) for payer in self._payers), default=inf)

    def spend(self, tokens: int) -> None:
        for payer in self._payers:
            self._buckets.spend(payer, tokens)

    def check(self) -> None:
        """Raises TooManyRequests where nothing is left."""
        if wait := max((self._buckets.wait(payer) for payer in self._payers), default=0):
            raise TooManyRequests(
                "your answers took all tokens that one client may have; wait a little", ceil(wait)
            )


@dataclass(frozen=True)
class Account:
    """What one client may have computed."""

    ahead: Purse  # before it submits: notes, and what is begun of answers
    answers: Purse


class Ledger:
    """The accounts of all clients of a server."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._ahead, self._answers = (
            Buckets(Rate(tokens / MINUTE_S, tokens), clock)  # so many a minute, and so many at once
            for tokens in (limits.speculate_per_client, limits.tokens_per_client)
        )

    def account(self, client: Client) -> Account:
        return Account(
            Purse(self._ahead, client.payers if self._limits.speculate_per_client else ()),
            Purse(self._answers, client.payers if self._limits.tokens_per_client else ()),
        )
