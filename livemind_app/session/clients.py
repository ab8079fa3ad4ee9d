"""Who asks, and what all sessions of one of them may cost together."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, inf

from livemind_app.errors import TooManyRequests
from livemind_app.session.buckets import Buckets, Rate
from livemind_app.session.limits import Limits

MINUTE_S = 60.0
READ_FOR_ONE = 10  # tokens of prompts that may be read ahead for each that may be generated


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
    """What a client may have of one kind, in all its sessions; without payers as much as it likes.

    `refusal` says what there was too much of.
    """

    def __init__(self, buckets: Buckets, payers: Sequence[str], refusal: str) -> None:
        self._buckets = buckets
        self._payers = payers
        self._refusal = refusal

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
            raise TooManyRequests(f"{self._refusal}; wait a little", ceil(wait))

    def take(self) -> None:
        """Spend one. Raises TooManyRequests where nothing is left."""
        self.check()
        self.spend(1)


UNLIMITED = Purse(Buckets(Rate(per_s=1, burst=1)), (), "")
REFUSALS = {
    "sessions": "you began too many sessions",
    "submits": "you asked too often",
    "ahead": "too much was computed ahead for you",
    "reading": "too much was read ahead for you",
    "answers": "your answers took all tokens that one client may have",
}


@dataclass(frozen=True)
class Account:
    """What one client may begin and have computed."""

    payers: tuple[str, ...]
    sessions: Purse  # how many it begins
    submits: Purse
    ahead: Purse  # tokens before it submits: notes, and what is begun of answers
    reading: Purse  # tokens of prompts before it submits
    answers: Purse  # tokens


class Ledger:
    """The accounts of all clients of a server."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        rates = {
            "sessions": limits.new_sessions,
            "submits": limits.submits,
            "ahead": _a_minute(limits.speculate_per_client),
            "reading": _a_minute(READ_FOR_ONE * limits.speculate_per_client),
            "answers": _a_minute(limits.tokens_per_client),
        }
        self._buckets = {kind: Buckets(rate, clock) for kind, rate in rates.items() if rate}

    def account(self, client: Client) -> Account:
        return Account(client.payers, **{kind: self._purse(kind, client) for kind in REFUSALS})

    def _purse(self, kind: str, client: Client) -> Purse:
        buckets = self._buckets.get(kind)
        return Purse(buckets, client.payers, REFUSALS[kind]) if buckets else UNLIMITED


def _a_minute(tokens: int) -> Rate | None:
    """So many a minute, and so many at once."""
    return Rate(tokens / MINUTE_S, tokens) if tokens else None
