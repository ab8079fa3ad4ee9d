"""The published policy (arXiv 2312.12728, github alipay/PainlessInferenceAcceleration), to compare with.

A trie for each first token; a node counts how often outputs went through it, and the current prompt. The
last two tokens are looked up, or the last one, and up to 64 nodes below are verified, whatever that costs.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from livemind_app.decoding.lookahead.recycled import Likely
from livemind_app.decoding.lookahead.tree import Tree

Strategy = Literal["one", "par", "hier"]
OUTPUT_WEIGHT = 1e-4  # of a count of outputs beside one of the prompt
QUERY = 2  # tokens


class Branches:
    """A node: what follows, and counts."""

    __slots__ = ("children", "outputs", "prompts")

    def __init__(self) -> None:
        self.children: dict[int, Branches] = {}
        self.outputs = self.prompts = 0.0

    @property
    def score(self) -> float:
        return self.prompts + OUTPUT_WEIGHT * self.outputs


class OriginalDrafts:
    """Implements Drafts. One object serves generations in turn and keeps what they said."""

    def __init__(
        self,
        strategy: Strategy = "hier",
        decoding_length: int = 64,
        branch_length: int = 12,
        ends: frozenset[int] = frozenset(),
    ) -> None:
        self._strategy = strategy
        self._rows = decoding_length
        self._depth = branch_length
        self._ends = ends
        self._root = Branches()
        self._text: list[int] = []
        self._prompt: list[int] = []
        self._output: list[int] = []

    @property
    def bytes(self) -> int:
        """Not counted: it is not kept with a session."""
        return 0

    def read(self, ids: Sequence[int]) -> None:
        """Counts of the prompt before are taken back; sequences are cut at their first end token."""
        self._put(self._prompt, prompts=-1)
        cut = next((index for index, token in enumerate(ids) if token in self._ends), len(ids))
        self._prompt = list(ids[:cut])
        self._put(self._prompt, prompts=1)
        self._text, self._output = list(ids), []

    def said(self, tokens: Sequence[int]) -> None:
        """Outputs are inserted once a whole branch follows."""
        self._text.extend(tokens)
        self._output.extend(tokens)
        while len(self._output) > self._depth + 1:
            self._put_one(self._output[: self._depth + 1], outputs=1)
            del self._output[0]

    def ended(self) -> None:
        self._put([token for token in self._output if token not in self._ends], outputs=1)
        self._output = []

    def learn(self, tree: Tree, path: Sequence[int], tokens: Sequence[int], likely: Sequence[Likely]) -> None:
        """It learns nothing of acceptance."""

    def draft(self, cost: Sequence[float], depth: int) -> Tree:
        """The cost is not asked."""
        tree, depth = Tree([self._text[-1]]), min(depth, self._depth)
        for length in (QUERY, 1):
            node = self._find(self._text[-length:])
            if node and node.children:
                self._grow(tree, node, depth)
                break
        return tree

    def _find(self, query: Sequence[int]) -> Branches | None:
        node: Branches | None = self._root
        for token in query:
            node = node.children.get(token) if node else None
        return node

    def _grow(self, tree: Tree, node: Branches, depth: int) -> None:
        if self._strategy == "hier":
            self._descend(tree, 0, node, depth, self._least(node, depth))
            return
        for branch in _paths(node, depth):
            if len(tree) + len(branch) > self._rows:
                return
            row = 0
            for token in branch:
                row = tree.add(row, token)
            if self._strategy == "one":
                return

    def _descend(self, tree: Tree, row: int, node: Branches, depth: int, least: float) -> None:
        """Depth first, the most frequent child first, over nodes frequent enough."""
        if not depth:
            return
        for token, child in _sorted(node):
            if len(tree) >= self._rows:
                return
            if child.score >= least:
                self._descend(tree, tree.add(row, token), child, depth - 1, least)

    def _least(self, node: Branches, depth: int) -> float:
        """The score that as many nodes reach as there are rows."""
        scores = sorted(_scores(node, depth), reverse=True)
        return scores[self._rows - 2] if len(scores) >= self._rows else 0.0

    def _put(self, tokens: Sequence[int], prompts: float = 0, outputs: float = 0) -> None:
        for start in range(len(tokens) - 1):
            self._put_one(tokens[start : start + self._depth + 1], prompts, outputs)

    def _put_one(self, branch: Sequence[int], prompts: float = 0, outputs: float = 0) -> None:
        node = self._root
        for token in branch:
            node = node.children.setdefault(token, Branches())
            node.prompts += prompts
            node.outputs += outputs


def _sorted(node: Branches) -> list[tuple[int, Branches]]:
    """Children that count for anything, the most frequent first."""
    counted = [(token, child) for token, child in node.children.items() if child.score > 0]
    return sorted(counted, key=lambda item: item[1].score, reverse=True)


def _scores(node: Branches, depth: int) -> Iterator[float]:
    if depth:
        for _, child in _sorted(node):
            yield child.score
            yield from _scores(child, depth - 1)


def _paths(node: Branches, depth: int) -> Iterator[list[int]]:
    """From below the node to its leaves, the most frequent first."""
    children = _sorted(node) if depth else []
    if not children:
        yield []
    for token, child in children:
        for path in _paths(child, depth - 1):
            yield [token, *path]
