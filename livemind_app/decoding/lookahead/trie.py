"""Short pieces of many texts, counted, under a cap."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from heapq import nlargest
from itertools import islice

DEPTH = 6  # tokens of a piece: up to five of context and the one that follows
ENTRIES = 1_000_000
BYTES = 256 * 2**20
ENTRY_BYTES = 150  # about; tested against what Python says
KEPT = 0.6  # of the cap, after the least recently used were dropped
KINDS = 64  # followers of one context that are looked at, the newest kinds
SHIFT = 32  # bits of a token in a key

ROOT, NONE = 0, -1


class Trie:
    """Every piece of up to `depth` tokens of the texts inserted; the least recently used go first.

    Nodes are numbers, parents before their children, and columns hold what is known of them: a million
    objects would keep Python's garbage collector busier than the trie.
    """

    def __init__(self, depth: int = DEPTH, most_entries: int = ENTRIES, most_bytes: int = BYTES) -> None:
        self.depth = depth
        self._most = max(1, min(most_entries, most_bytes // ENTRY_BYTES))
        self._tick = 0
        self._clear()

    def _clear(self) -> None:
        self._child: dict[int, int] = {}  # node and token → child
        self._parents, self._tokens = array("i", [NONE]), array("i", [NONE])
        self._counts, self._used = array("I", [0]), array("Q", [0])  # ticks of the last use
        self._newest, self._older = array("i", [NONE]), array("i", [NONE])  # child, and sibling before it

    @property
    def entries(self) -> int:
        return len(self._child)

    @property
    def bytes(self) -> int:
        """About what it holds."""
        return self.entries * ENTRY_BYTES

    def insert(self, tokens: Sequence[int]) -> None:
        for start in range(len(tokens)):
            self._tick += 1
            self._insert(tokens[start : start + self.depth])
            if self.entries > self._most:
                self._drop_oldest()

    def _insert(self, piece: Sequence[int]) -> None:
        children, counts, used, tick = self._child, self._counts, self._used, self._tick
        node = ROOT
        for token in piece:
            child = children.get(node << SHIFT | token)
            if child is None:
                child = self._add(node, token)
            counts[child] += 1
            used[child] = tick
            node = child

    def _add(self, parent: int, token: int) -> int:
        node = len(self._parents)
        self._child[parent << SHIFT | token] = node
        self._parents.append(parent)
        self._tokens.append(token)
        self._counts.append(0)
        self._used.append(self._tick)
        self._newest.append(NONE)
        self._older.append(self._newest[parent])
        self._newest[parent] = node
        return node

    def followers(self, context: Sequence[int], most: int) -> Mapping[int, int]:
        """Tokens after at most `depth - 1` tokens of context, and how often they were; both count as used."""
        node = ROOT
        self._tick += 1
        for token in context:
            child = self._child.get(node << SHIFT | token)
            if child is None:
                return {}
            self._used[child] = self._tick
            node = child
        children = list(islice(self._children(node), KINDS))
        if len(children) > most:
            children = nlargest(most, children, key=self._counts.__getitem__)
        for child in children:
            self._used[child] = self._tick
        return {self._tokens[child]: self._counts[child] for child in children}

    def _children(self, node: int) -> Iterator[int]:
        child = self._newest[node]
        while child != NONE:
            yield child
            child = self._older[child]

    def _drop_oldest(self) -> None:
        """A node is never used later than its parent, so what hangs below an old one is old too."""
        oldest = sorted(self._used)[-max(1, int(self._most * KEPT))]
        parents, tokens, counts, used = self._parents, self._tokens, self._counts, self._used
        self._clear()
        moved = {ROOT: ROOT}
        for node in range(1, len(parents)):
            if used[node] >= oldest:
                new = moved[node] = self._add(moved[parents[node]], tokens[node])
                self._counts[new], self._used[new] = counts[node], used[node]
