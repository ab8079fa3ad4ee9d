"""When to stop asking a server that fails, and when to try again."""

from collections.abc import Callable
from time import monotonic

FAILURES = 3  # in a row
REST_S = 2.0


class Breaker:
    """Open after so many failures in a row; then one request a rest may try, until one gets an answer.

    >>> clock = iter([0.0, 1.0, 2.0, 2.0, 2.1, 3.0]).__next__
    >>> breaker = Breaker(clock=clock)
    >>> for _ in range(FAILURES): breaker.failed()
    >>> breaker.admits(), breaker.admits(), breaker.admits()
    (False, True, False)
    >>> breaker.answered()
    >>> breaker.admits()
    True
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    @property
    def open(self) -> bool:
        """Whether the next request would be refused."""
        return self._failures >= FAILURES and self._clock() < self._until

    def admits(self) -> bool:
        """Whether this request may be sent. The first one after a rest is the trial, and others rest on."""
        if self.open:
            return False
        if self._failures >= FAILURES:
            self._until = self._clock() + REST_S
        return True

    def answered(self) -> None:
        """A request got its first answer: others may go too, and one more failure is enough to open again."""
        self._failures = min(self._failures, FAILURES - 1)

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES:
            self._until = self._clock() + REST_S
