"""When to stop asking a server that fails, and when to try again."""

from collections.abc import Callable
from time import monotonic

FAILURES = 3  # in a row
REST_S = 2.0


class Breaker:
    """Open after so many failures in a row; then one request a rest may try, until one gets an answer.

    >>> clock = iter([0.0, 1.0, 2.0, 2.0, 2.1, 3.0]).__next__
    >>> breaker = Breaker(clock=clock)
    >>> for _ in range(FAILURES): breaker.failed(breaker.admit())
    >>> breaker.admit(), breaker.admit(), breaker.admit()
    (None, 4, None)
    >>> breaker.answered()
    >>> breaker.admit()
    5
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0
        self._admitted = 0
        self._told = 0  # of those, the newest one when a failure was last counted

    @property
    def open(self) -> bool:
        """Whether the next request would be refused."""
        return self._failures >= FAILURES and self._clock() < self._until

    def admit(self) -> int | None:
        """The number of a request that may be sent. The first one after a rest is the trial; others rest."""
        if self.open:
            return None
        if self._failures >= FAILURES:
            self._until = self._clock() + REST_S
        self._admitted += 1
        return self._admitted

    def answered(self) -> None:
        """A request got its first answer: others may go too, and one more failure is enough to open again."""
        self._failures = min(self._failures, FAILURES - 1)

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self, number: int) -> None:
        """All that were under way at once tell of one failure: a router may have lost one of its workers."""
        if number <= self._told:
            return
        self._told = self._admitted
        self._failures += 1
        if self._failures >= FAILURES:
            self._until = self._clock() + REST_S
