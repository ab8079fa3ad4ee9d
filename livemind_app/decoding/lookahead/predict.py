"""Next tokens with their probabilities, blended from contexts of several lengths."""

from collections.abc import Iterable
from typing import NamedTuple

from livemind_app.decoding.lookahead.sources import Level

SHRINK = 0.6  # times that a shorter context's opinion counts as seen (α)


class Guess(NamedTuple):
    """A token that may come next."""

    token: int
    probability: float
    order: int  # tokens of context that it was seen after


def blend(levels: Iterable[Level]) -> list[Guess]:
    """`p(t) = (count(t) + α p_shorter(t)) / (total + α)`, from the shortest context to the longest.

    What no context has seen keeps the rest of the probability: the shortest one has nothing to lean on.
    """
    guesses: dict[int, tuple[float, int]] = {}
    for order, followers in reversed(list(levels)):
        total = sum(followers.values()) + SHRINK
        blended = {token: (SHRINK * p / total, seen) for token, (p, seen) in guesses.items()}
        for token, count in followers.items():
            shorter = blended.get(token, (0.0, 0))[0]
            blended[token] = (count / total + shorter, order)
        guesses = blended
    return [Guess(token, p, order) for token, (p, order) in guesses.items()]
