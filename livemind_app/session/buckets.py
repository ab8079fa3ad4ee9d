"""Token buckets: how much of something one of many may have, at once and over time."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

MOST_KEYS = 10_000  # remembered; of more, those unseen for longest are forgotten


@dataclass(frozen=True)
class Rate:
    per_s: float
    burst: float


class Buckets:
    """One for each key: full at first, filled again at the rate. `clock` is in seconds."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when that was

    def level(self, key: str) -> float:
        """Tokens that are left; below 0 where more was spent than there was."""
        now = self._clock()
        level, at = self._levels.get(key, (self._rate.burst, now))
        return min(level + (now - at) * self._rate.per_s, self._rate.burst)

    def wait(self, key: str) -> float:
        """Seconds until there is a token; 0 where there is one."""
        return max(1 - self.level(key), 0) / self._rate.per_s

    def spend(self, key: str, tokens: int = 1) -> None:
        """Also what is not there: some things cost what is known only when they are done."""
        self._levels[key] = (self.level(key) - tokens, self._clock())
        self._levels.move_to_end(key)
        if len(self._levels) > MOST_KEYS:
            self._levels.popitem(last=False)

    def take(self, key: str) -> float:
        """0 where there was a token, which is spent, else the seconds until there is one."""
        wait = self.wait(key)
        self.spend(key, 0 if wait else 1)
        return wait
