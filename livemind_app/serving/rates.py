"""How often one address may ask, so that nobody can take the server from the others."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic

from starlette.types import ASGIApp, Receive, Scope, Send

from livemind_app.errors import TooManyRequests
from livemind_app.serving.addresses import address_of
from livemind_app.serving.errors import session_error_response

MOST_ADDRESSES = 10_000  # remembered; of more, those unseen for longest are forgotten


@dataclass(frozen=True)
class Rate:
    per_s: float
    burst: float


SESSIONS = Rate(per_s=1, burst=30)  # pages that are opened
SUBMITS = Rate(per_s=2, burst=30)
BURST_S = 3  # of requests in general, that may come at once


class Buckets:
    """A token bucket for each key: full at first, filled again at the rate, one token a call."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when that was

    def take(self, key: str) -> float:
        """0 where there was a token, else the seconds until there is one."""
        now = self._clock()
        level = self._level(key, now)
        self._levels[key] = (max(level - 1, 0) if level >= 1 else level, now)
        self._levels.move_to_end(key)
        if len(self._levels) > MOST_ADDRESSES:
            self._levels.popitem(last=False)
        return 0.0 if level >= 1 else (1 - level) / self._rate.per_s

    def empty(self, key: str) -> bool:
        """Whether there is no token; takes none."""
        return self._level(key, self._clock()) < 1

    def _level(self, key: str, now: float) -> float:
        level, at = self._levels.get(key, (self._rate.burst, now))
        return min(level + (now - at) * self._rate.per_s, self._rate.burst)


class RateLimit:
    """Refuses what one address sends beyond `per_s` requests a second, with less for sessions and submits.

    This machine's own user is not counted.
    """

    def __init__(self, app: ASGIApp, per_s: float) -> None:
        self.app = app
        self._requests = Buckets(Rate(per_s, BURST_S * per_s))
        self._sessions = Buckets(SESSIONS)
        self._submits = Buckets(SUBMITS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait = self._wait(scope) if scope["type"] == "http" else 0
        if wait:
            error = TooManyRequests("too many requests came from this address; wait a little", ceil(wait))
            await session_error_response(error)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _wait(self, scope: Scope) -> float:
        who = address_of(scope)
        if who is None:
            return 0
        buckets = [self._requests]
        if scope["method"] == "POST" and scope["path"].endswith("/api/sessions"):
            buckets.append(self._sessions)
        elif scope["method"] == "POST" and scope["path"].endswith("/submit"):
            buckets.append(self._submits)
        return max(bucket.take(who) for bucket in buckets)
