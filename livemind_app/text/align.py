"""Which token of one tokenizer covers what a token of another one ends with.

A rendered chat is parts: what the template says, a message, what the template says, a message, … Two models
share the messages; templates may differ. So a place is (part, position): inside a message counted from its
beginning, in a template's part up to its end, as `-2` for two characters before it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, groupby

from livemind_app.protocol import Place


def places(parts: Sequence[str], ends: Sequence[int]) -> tuple[Place, ...]:
    """Where tokens end. `parts` are template, message, template, …; `ends` count characters of all of them.

    Several tokens that end with the same character, bytes of it, share it evenly.

    >>> places(["<u>", "ab", "<e>"], [3, 4, 5, 8])
    ((0, 0), (1, 1), (1, 2), (2, 0))
    """
    starts = [0, *accumulate(map(len, parts))]
    return tuple(_place(parts, starts, end) for end in _spread(ends))


def align(reader: Sequence[Place], writer: Sequence[Place]) -> tuple[int, ...]:
    """For each token of the writer the reader's that covers its last character.

    It does not depend on what comes behind that token. What the reader has no token for gets its last one.

    >>> align([(1, 3), (1, 5), (2, 0)], [(1, 1), (1, 3), (1, 4), (2, 0)])
    (0, 0, 1, 2)
    """
    return tuple(min(bisect_left(reader, place), len(reader) - 1) for place in writer)


def _spread(ends: Sequence[int]) -> list[float]:
    """
    >>> _spread([2, 3, 3, 5])
    [2, 2.5, 3, 5]
    """
    spread: list[float] = []
    for end, group in groupby(accumulate(ends, max)):
        size = len(list(group))
        spread += [end - 1 + index / size for index in range(1, size)] + [end]
    return spread


def _place(parts: Sequence[str], starts: Sequence[int], end: float) -> Place:
    """The part that holds the last character before `end`."""
    part = min(max(bisect_left(starts, end) - 1, 0), len(parts) - 1)
    return (part, end - starts[part + (part % 2 == 0)])
