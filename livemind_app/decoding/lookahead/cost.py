"""What a forward of k rows costs, compared with one of a single row."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from livemind_app.decoding.lookahead.tree import WIDEST

ROWS = (1, 2, 4, 8, 16, WIDEST)  # measured; costs between are interpolated
CONTEXTS = (256, 2048)  # tokens before them

Seconds = Mapping[int, Mapping[int, float]]  # context → rows → seconds
Cost = Sequence[float]  # by rows; index 0 is not used


class Costs:
    """Curves C(k) by the length of the context."""

    def __init__(self, seconds: Seconds) -> None:
        self._contexts = sorted(seconds)
        self._curves = [curve(seconds[context]) for context in self._contexts]

    @property
    def curves(self) -> dict[int, Cost]:
        return dict(zip(self._contexts, self._curves, strict=True))

    def __call__(self, context: int) -> Cost:
        """The curve measured at the next longer context, or at the longest."""
        at = bisect_left(self._contexts, context)
        return self._curves[min(at, len(self._curves) - 1)]


def curve(seconds: Mapping[int, float]) -> Cost:
    """Interpolated for every number of rows up to the largest measured; it never falls.

    >>> curve({1: 2.0, 3: 3.0, 4: 2.9})
    (0.0, 1.0, 1.25, 1.5, 1.5)
    """
    measured = sorted(seconds)
    costs = [0.0]
    for rows in range(1, measured[-1] + 1):
        after = bisect_left(measured, rows)
        high = measured[after]
        low = measured[max(after - 1, 0)]
        share = (rows - low) / (high - low) if high > low else 0.0
        cost = (seconds[low] + share * (seconds[high] - seconds[low])) / seconds[measured[0]]
        costs.append(max(cost, costs[-1]))
    return tuple(costs)
