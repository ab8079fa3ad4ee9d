"""What the model itself thought likely the last time it read a token (arXiv 2408.08696)."""

from collections import OrderedDict
from collections.abc import Sequence

Likely = tuple[tuple[int, float], ...]  # tokens and their probabilities
ENTRY_BYTES = 900  # about, of one context
ENTRIES = 20_000  # contexts remembered; the least recently written goes first


class Recycled:
    """The model's most likely next tokens after contexts of one token and of two."""

    def __init__(self, most: int = ENTRIES) -> None:
        self._most = most
        self._likely: OrderedDict[tuple[int, ...], Likely] = OrderedDict()

    def __len__(self) -> int:
        return len(self._likely)

    @property
    def bytes(self) -> int:
        """About what it holds."""
        return len(self) * ENTRY_BYTES

    def write(self, context: Sequence[int], likely: Likely) -> None:
        """`context` ends with the token after which `likely` was computed."""
        for length in (1, 2):
            key = tuple(context[-length:])
            self._likely[key] = likely
            self._likely.move_to_end(key)
        while len(self._likely) > self._most:
            self._likely.popitem(last=False)

    def read(self, context: Sequence[int]) -> tuple[int, Likely]:
        """Tokens of context that were recognized, and what was likely after them."""
        for length in (2, 1):
            if len(context) >= length and (likely := self._likely.get(tuple(context[-length:]))):
                return length, likely
        return 0, ()
