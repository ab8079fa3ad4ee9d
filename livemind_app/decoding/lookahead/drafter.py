"""Drafts for one cache: what may come next, learned from everything that was computed on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from livemind_app.decoding.lookahead.automaton import Automaton
from livemind_app.decoding.lookahead.calibration import Calibration, Kind, kind
from livemind_app.decoding.lookahead.predict import Guess, blend
from livemind_app.decoding.lookahead.recycled import Likely, Recycled
from livemind_app.decoding.lookahead.sources import OwnText, SharedText, Source
from livemind_app.decoding.lookahead.tree import Candidate, Tree, grow
from livemind_app.decoding.lookahead.trie import Trie
from livemind_app.text.prefix import common_prefix

RECENT = 8  # tokens before a draft that sources look at
OVERLAP = 16  # tokens of a prompt's unchanged beginning that lead over to its changed part
SHARED_CONTEXTS = 200_000  # whose likely next tokens are remembered for all
LEAST = 0.02  # probability below which a token is not drafted


class Drafts(Protocol):
    """What lookahead asks: ours, or another policy to compare with."""

    @property
    def bytes(self) -> int:
        """About what it holds of its own."""
        ...

    def read(self, ids: Sequence[int]) -> None:
        """The whole prompt of the generation that begins."""
        ...

    def said(self, tokens: Sequence[int]) -> None:
        """The text goes on with these tokens."""
        ...

    def draft(self, cost: Sequence[float], depth: int) -> Tree:
        """Tokens to verify after the text, whose last token is the tree's root; paths up to `depth`."""
        ...

    def learn(self, tree: Tree, path: Sequence[int], tokens: Sequence[int], likely: Sequence[Likely]) -> None:
        """After verifying: at each row of `path` the model said the token, others were likely too."""
        ...

    def ended(self) -> None:
        """The generation is over."""
        ...


class Estimated(NamedTuple):
    """A token that may come next, by the source that thinks it likeliest."""

    token: int
    probability: float
    estimate: float  # before it was corrected
    kind: Kind


@dataclass(frozen=True)
class Shared:
    """What generations of one model know besides their own text: others' answers, or a public file."""

    trie: Trie = field(default_factory=Trie)
    recycled: Recycled = field(default_factory=lambda: Recycled(SHARED_CONTEXTS))
    open: bool = False  # whether answers are added; only where the operator lets sessions share


class Drafter:
    """Own text, shared text and recycled logits in one tree."""

    def __init__(
        self,
        general: Calibration,
        shared: Shared | None = None,
        *,
        ends: frozenset[int] = frozenset(),
        width: int | None = None,
    ) -> None:
        """Nothing is drafted past a token of `ends`. `width` bounds the children of a row; 1 makes chains."""
        self._calibration = Calibration(general)
        self._ends = ends
        self._width = width
        self._text: list[int] = []
        self._automaton = Automaton()
        self._shared = shared
        self._recycled = Recycled()
        self._sources: list[Source[Any]] = [OwnText(self._automaton)]
        if shared:
            self._sources.append(SharedText(shared.trie))
        self._told = 0  # tokens of the text that others know, or that were there before this generation

    @property
    def bytes(self) -> int:
        return self._automaton.bytes + self._recycled.bytes

    def read(self, ids: Sequence[int]) -> None:
        """What a prompt shares with the text so far is not read again."""
        kept = common_prefix(self._text, ids)
        if kept < len(self._text):
            self._automaton.separate()
            kept = max(0, kept - OVERLAP)
            del self._text[kept:]
        self.said(ids[kept:])
        self._told = len(ids)

    def said(self, tokens: Sequence[int]) -> None:
        self._text.extend(tokens)
        self._automaton.extend(tokens)

    def ended(self) -> None:
        """What was said is passed on, with a little of what it answered to; prompts are not."""
        if self._shared and self._shared.open:
            self._shared.trie.insert(self._text[max(0, self._told - 2) :])
            self._told = len(self._text)

    def draft(self, cost: Sequence[float], depth: int) -> Tree:
        recent = self._text[-RECENT:]
        states: dict[tuple[int, ...], list[Any]] = {(): [source.begin(recent) for source in self._sources]}

        def expand(path: Sequence[int]) -> list[Candidate]:
            path = tuple(path)
            if path not in states:
                before = states[path[:-1]]
                states[path] = [s.advance(at, path[-1]) for s, at in zip(self._sources, before, strict=True)]
            return self._candidates(states[path], (*recent[-2:], *path))

        return grow(self._text[-1], expand, cost, depth)

    def _candidates(self, states: Sequence[Any], context: Sequence[int]) -> list[Candidate]:
        """The best guess of any source for each token, the likeliest first.

        The others count where those before them are wrong: a second guess takes nothing from the first.
        """
        best: dict[int, Estimated] = {}
        for source, state in zip(self._sources, states, strict=True):
            self._collect(source.name, blend(source.levels(state)), best)
        for name, recycled in self._memories():
            order, likely = recycled.read(context)
            self._collect(name, [Guess(token, p, order) for token, p in likely], best)
        chosen = sorted(best.values(), key=lambda guess: guess.probability, reverse=True)[: self._width]
        candidates: list[Candidate] = []
        left = 1.0  # probability that all so far are wrong
        for guess in chosen:
            tag = guess.kind._replace(second=bool(candidates))
            p = self._calibration(tag, guess.estimate) if candidates else guess.probability
            candidates.append(Candidate(guess.token, left * p, tag))
            left *= 1 - p
        return candidates

    def _memories(self) -> Iterator[tuple[str, Recycled]]:
        yield "recycled", self._recycled
        if self._shared:
            yield "shared recycled", self._shared.recycled

    def _collect(self, source: str, guesses: Sequence[Guess], best: dict[int, Estimated]) -> None:
        for token, estimate, order in guesses:
            if estimate < LEAST or token in self._ends:
                continue
            tag = kind(source, order, estimate)
            p = self._calibration(tag, estimate)
            if token not in best or p > best[token].probability:
                best[token] = Estimated(token, p, estimate, tag)

    def learn(self, tree: Tree, path: Sequence[int], tokens: Sequence[int], likely: Sequence[Likely]) -> None:
        for row, token in zip(path, tokens, strict=True):
            self._calibrate(tree, row, token)
        text = self._text[-RECENT:]
        for row, next_ in zip(path, likely, strict=True):
            if row:
                text.append(tree.tokens[row])
            self._recycled.write(text, next_)
            if self._shared and self._shared.open:
                self._shared.recycled.write(text, next_)

    def _calibrate(self, tree: Tree, row: int, token: int) -> None:
        """Its children were looked at, a second one only where the first was wrong."""
        for child in sorted(tree.children(row), key=lambda child: tree.tags[child].second):
            hit = tree.tokens[child] == token
            self._calibration.learn(tree.tags[child], hit)
            if hit:
                break
