"""When to stop asking a server that fails, and when to try again."""

from collections.abc import Callable
from time import monotonic

FAILURES = 3  # in a row
REST_S = 2.0


class Breaker:
    """Open after so many failures in a row; after a rest one request may try again.

    >>> clock = iter([0.0, 1.0, 9.0]).__next__
    >>> breaker = Breaker(clock=clock)
    >>> for _ in range(FAILURES): breaker.failed()
    >>> breaker.open, breaker.open
    (True, False)
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    @property
    def open(self) -> bool:
        return self._failures >= FAILURES and self._clock() < self._until

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES:
            self._until = self._clock() + REST_S
