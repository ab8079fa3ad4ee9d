"""Tokens that are verified in one forward, as a tree."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

WIDEST = 32  # rows of a forward


class Candidate(NamedTuple):
    """A token that may follow a node."""

    token: int
    probability: float  # of being next, if the node is right
    tag: Any = None  # whatever its maker wants to see again


@dataclass
class Tree:
    """Row 0 is the last token of the text itself, which is certain; parents come before their children."""

    tokens: list[int]
    parents: list[int] = field(default_factory=lambda: [-1])
    depths: list[int] = field(default_factory=lambda: [0])
    tags: list[Any] = field(default_factory=lambda: [None])

    def __len__(self) -> int:
        return len(self.tokens)

    def add(self, parent: int, token: int, tag: Any = None) -> int:
        """The new row."""
        self.tokens.append(token)
        self.parents.append(parent)
        self.depths.append(self.depths[parent] + 1)
        self.tags.append(tag)
        return len(self.tokens) - 1

    def children(self, row: int) -> list[int]:
        return [child for child in range(row + 1, len(self)) if self.parents[child] == row]

    def follow(self, rows: Sequence[int], token: int) -> list[int]:
        """Children of any of the rows that say this token; several where branches were not merged."""
        return [
            row
            for row in range(rows[0] + 1, len(self))
            if self.tokens[row] == token and self.parents[row] in rows
        ]

    def ancestors(self, row: int) -> list[int]:
        """The row itself and those it follows, up to the root."""
        path = []
        while row >= 0:
            path.append(row)
            row = self.parents[row]
        return path

    def cut(self, rows: int) -> None:
        """Keep the first rows."""
        for column in (self.tokens, self.parents, self.depths, self.tags):
            del column[rows:]


def grow(
    token: int,
    expand: Callable[[Sequence[int]], Sequence[Candidate]],
    cost: Sequence[float],
    depth: int,
) -> Tree:
    """The tree that promises most tokens for its price: the maximum of (1 + Σ path probability) / cost(rows).

    `expand` gives candidates, each token once, after a path of drafted ones; `cost[k]` is what a forward
    of k rows takes, compared with one of a single row, and its length bounds the tree. No path is longer
    than `depth`. Rows come in the order of their probability, so the best tree is a beginning of the widest.
    """
    tree, expected = Tree([token]), 1.0
    best_rows, best = 1, 1.0 / cost[1]
    heap: list[tuple[float, int, int, tuple[int, ...], Candidate]] = []

    def push(parent: int, path: tuple[int, ...], probability: float) -> None:
        if len(path) < depth:
            for candidate in expand(path):
                negative = -probability * candidate.probability
                heapq.heappush(heap, (negative, parent, candidate.token, path, candidate))

    push(0, (), 1.0)
    while heap and len(tree) + 1 < len(cost):
        negative, parent, _, path, candidate = heapq.heappop(heap)
        if not _pays(-negative, expected, len(tree), cost, best):
            break
        expected -= negative
        row = tree.add(parent, candidate.token, candidate.tag)
        if expected / cost[len(tree)] > best:
            best_rows, best = len(tree), expected / cost[len(tree)]
        push(row, (*path, candidate.token), -negative)
    tree.cut(best_rows)
    return tree


def _pays(probability: float, expected: float, rows: int, cost: Sequence[float], best: float) -> bool:
    """Whether some more rows, none more probable than this one, could still be better than the best tree.

    A single one may not pay where several do.
    """
    return any(
        (expected + more * probability) / cost[rows + more] > best for more in range(1, len(cost) - rows)
    )
