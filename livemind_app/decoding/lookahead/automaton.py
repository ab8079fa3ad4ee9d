"""All substrings of a growing text, and what followed them."""

from collections.abc import Iterable, Iterator, Mapping

ROOT = 0
TOKEN_BYTES = 420  # about, of a token pushed
CHAIN = 48  # suffixes of a text whose counts a new token updates; only very repetitive texts have more


class Automaton:
    """A suffix automaton: the smallest graph with a path for every substring, grown a token at a time.

    A state stands for substrings that end at the same places: `lengths` of its longest, `counts` of the
    places. Its `links` lead to shorter suffixes, ever more frequent ones (Blumer et al. 1985).
    """

    def __init__(self) -> None:
        self._next: list[dict[int, int]] = [{}]
        self._links = [-1]
        self._lengths = [0]
        self._counts = [0]
        self._last = ROOT
        self._separators = 0

    def __len__(self) -> int:
        """Tokens pushed, separators included."""
        return self._lengths[self._last]

    @property
    def bytes(self) -> int:
        """About what it holds."""
        return len(self) * TOKEN_BYTES

    def extend(self, tokens: Iterable[int]) -> None:
        for token in tokens:
            self.push(token)

    def separate(self) -> None:
        """What comes next does not continue what came before."""
        self._separators += 1
        self.push(-self._separators)

    def push(self, token: int) -> None:
        follow, links, lengths = self._next, self._links, self._lengths
        new = self._state({}, lengths[self._last] + 1, 1)
        state = self._last
        while state >= 0 and token not in follow[state]:
            follow[state][token] = new
            state = links[state]
        if state >= 0:
            links[new] = self._suffix(state, token)
        else:
            links[new] = ROOT
        self._last = new
        self._count(links[new])

    def _suffix(self, state: int, token: int) -> int:
        """The state of exactly `state`'s longest substring and the token; split off where it has company."""
        follow, links, lengths = self._next, self._links, self._lengths
        target = follow[state][token]
        if lengths[target] == lengths[state] + 1:
            return target
        clone = self._state(follow[target].copy(), lengths[state] + 1, self._counts[target])
        links[clone] = links[target]
        links[target] = clone
        while state >= 0 and follow[state].get(token) == target:
            follow[state][token] = clone
            state = links[state]
        return clone

    def _state(self, follow: dict[int, int], length: int, count: int) -> int:
        self._next.append(follow)
        self._links.append(ROOT)
        self._lengths.append(length)
        self._counts.append(count)
        return len(self._lengths) - 1

    def _count(self, state: int) -> None:
        counts, links = self._counts, self._links
        for _ in range(CHAIN):
            if state <= ROOT:
                return
            counts[state] += 1
            state = links[state]

    @property
    def match(self) -> int:
        """State of the longest end of the text that occurred before; ROOT if there is none."""
        return max(self._links[self._last], ROOT)

    def length(self, state: int) -> int:
        """Of its longest substring."""
        return self._lengths[state]

    def advance(self, state: int, token: int) -> int:
        """State of the longest end of the state's substring and the token that occurs in the text."""
        while state >= 0:
            if (target := self._next[state].get(token)) is not None:
                return target
            state = self._links[state]
        return ROOT

    def suffixes(self, state: int) -> Iterator[int]:
        """The state and its ever shorter suffixes, without the empty one."""
        while state > ROOT:
            yield state
            state = self._links[state]

    def followers(self, state: int, most: int) -> Mapping[int, int]:
        """Tokens after this state and how often they were, the latest kinds first, no separators."""
        follow, counts = self._next[state], self._counts
        tokens = [token for token in reversed(follow) if token >= 0][:most]
        return {token: counts[follow[token]] for token in tokens}
