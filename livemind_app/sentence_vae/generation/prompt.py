"""A prompt's token ids as sentences and marks.

An engine is given ids, of a chat mostly: the tokens of its template and the names of its roles are marks;
what is between them is cut into sentences.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from livemind_app.engine.chat import ChatTokenizer
from livemind_app.sentence_vae.sentences import shared
from livemind_app.text.detokenize import Detokenizer

NAMES = ("system", "user", "assistant", "model", "tool")  # of roles, as templates write them

BATCH = 8  # sentences encoded at once, before others may compute

Decode = Callable[[Sequence[int]], str]


@dataclass(frozen=True)
class Piece:
    """A sentence, or something of the template."""

    ids: tuple[int, ...]
    mark: bool = False


def pieces(ids: Sequence[int], tokenizer: ChatTokenizer) -> list[Piece]:
    """All of `ids`, in their order."""
    found: list[Piece] = []
    for mark, run in _runs(ids, tokenizer.marks):
        name = _name(run, tokenizer.decode) if found and not mark else 0
        if mark or name:
            found.append(Piece(run if mark else run[:name], mark=True))
        if not mark:
            found += map(Piece, cut(run[name:], tokenizer.decode))
    return found


def cut(ids: Sequence[int], decode: Decode) -> list[tuple[int, ...]]:
    """Sentences of some ids without marks."""
    detokenizer = Detokenizer(decode)
    text, ends = "", []
    for token in ids:
        text += detokenizer.push([token])
        ends.append(len(text) + detokenizer.holds)  # half a character ends with the whole of it
    text += detokenizer.flush()
    return shared(text, ids, ends) if text else [tuple(ids)] if ids else []


def _runs(ids: Sequence[int], marks: frozenset[int]) -> Iterator[tuple[bool, tuple[int, ...]]]:
    """Single marks, and what is between them."""
    run: list[int] = []
    for token in ids:
        if token in marks:
            if run:
                yield False, tuple(run)
            yield True, (token,)
            run = []
        else:
            run.append(token)
    if run:
        yield False, tuple(run)


def _name(run: Sequence[int], decode: Decode) -> int:
    """Tokens of the line behind a mark that is empty or names a role; 0 where there is none."""
    text = ""
    for count in range(1, len(run) + 1):
        text = decode(run[:count])
        if text.endswith("\n"):
            return count if text.strip() in ("", *NAMES) else 0
        if not any(name.startswith(text) for name in NAMES):
            return 0
    return 0
