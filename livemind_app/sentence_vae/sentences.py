"""A text's token ids, parted into sentences.

The text is tokenized as a whole and its ids are shared out, so that sentences joined are exactly the ids
that the base model reads: what is measured on sentences can be compared with it token by token.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

from livemind_app.text.segment import segment

LEAST, MOST = 4, 64  # tokens of a sentence


def cut(text: str, tokenizer: Any, least: int = LEAST, most: int = MOST) -> list[tuple[int, ...]]:
    """Ids of each sentence, by the product's own segmenter; short ones join the next, long ones are parted.

    `tokenizer` is a fast one of transformers. Joined, the sentences are its ids of the text.
    """
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return shared(text, encoded["input_ids"], [end for _, end in encoded["offset_mapping"]], least, most)


def shared(
    text: str, ids: Sequence[int], ends: Sequence[int], least: int = LEAST, most: int = MOST
) -> list[tuple[int, ...]]:
    """The ids of a text, shared out among its sentences; `ends`: where each id ends in it."""
    bounds = list(accumulate(len(piece) for piece in segment(text)))
    joined = _joined(_by_end(ids, ends, bounds), least)
    return [part for sentence in joined for part in parts(sentence, most)]


def parts(ids: Sequence[int], most: int = MOST) -> Iterator[tuple[int, ...]]:
    """Pieces of about equal length and of `most` ids at most: 5 ids, 2 → 2, 2, 1."""
    count = -(-len(ids) // most)
    bounds = [len(ids) * index // count for index in range(count + 1)]
    return (tuple(ids[a:b]) for a, b in pairwise(bounds))


def _by_end(ids: Sequence[int], ends: Sequence[int], bounds: Sequence[int]) -> Iterator[list[int]]:
    """A token belongs to the sentence in which its last character lies."""
    sentences: list[list[int]] = [[] for _ in bounds]
    for token, end in zip(ids, ends, strict=True):
        sentences[min(bisect_left(bounds, end), len(bounds) - 1)].append(token)
    return (sentence for sentence in sentences if sentence)


def _joined(sentences: Iterable[list[int]], least: int) -> Iterator[list[int]]:
    """Short ones with what follows them; a short last one stays by itself."""
    waiting: list[int] = []
    for sentence in sentences:
        waiting = waiting + sentence
        if len(waiting) >= least:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
