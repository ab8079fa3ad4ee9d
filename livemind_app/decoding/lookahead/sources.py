"""What earlier text says of the next token: for each length of context the tokens that followed it."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from livemind_app.decoding.lookahead.automaton import Automaton
from livemind_app.decoding.lookahead.trie import Trie

LEVELS = 4  # contexts blended, the longest ones
MOST = 12  # followers of one context that are looked at

State = TypeVar("State", bound=Hashable)
Level = tuple[int, Mapping[int, int]]  # tokens of context, token → times it followed


class Source(Protocol[State]):
    """Earlier text, walked along a draft."""

    name: str

    def begin(self, recent: Sequence[int]) -> State:
        """Where the text stands after its last tokens."""
        ...

    def advance(self, state: State, token: int) -> State: ...

    def levels(self, state: State) -> Iterator[Level]:
        """Longest context first."""
        ...


class OwnText(Source[int]):
    """The text of this cache: prompt, notes, earlier turns, and the answer so far."""

    name = "own"

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton

    def begin(self, recent: Sequence[int]) -> int:
        return self._automaton.match

    def advance(self, state: int, token: int) -> int:
        return self._automaton.advance(state, token)

    def levels(self, state: int) -> Iterator[Level]:
        for count, suffix in enumerate(self._automaton.suffixes(state)):
            if count == LEVELS:
                return
            yield self._automaton.length(suffix), self._automaton.followers(suffix, MOST)


class SharedText(Source[tuple[int, ...]]):
    """Text of others: a public file, or earlier answers where the operator lets sessions share."""

    name = "shared"

    def __init__(self, trie: Trie) -> None:
        self._trie = trie

    def begin(self, recent: Sequence[int]) -> tuple[int, ...]:
        return tuple(recent[-self._trie.depth + 1 :])

    def advance(self, state: tuple[int, ...], token: int) -> tuple[int, ...]:
        return (*state, token)[-self._trie.depth + 1 :]

    def levels(self, state: tuple[int, ...]) -> Iterator[Level]:
        found = 0
        for start in range(len(state)):
            if found == LEVELS:
                return
            if followers := self._trie.followers(state[start:], MOST):
                found += 1
                yield len(state) - start, followers
