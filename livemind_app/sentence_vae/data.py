"""Sentences of a corpus as flat arrays on disk, made once, and batches of them by number."""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from livemind_app.errors import ConfigError
from livemind_app.sentence_vae import sentences
from livemind_app.training.texts import Corpus

DOCUMENT = 64  # sentences of a document at most
PIECE = 20_000  # characters that are cut at once
HELD_OUT = 50  # one document of so many, on average, is never trained on


@dataclass(frozen=True)
class Sentences:
    """Token ids of all sentences, one after the other.

    ids [tokens] uint32; ends [sentences]: where each ends in ids; documents [documents]: where each ends
    in ends; ended [documents]: whether its text ends there too.
    """

    ids: NDArray[np.uint32]
    ends: NDArray[np.int64]
    documents: NDArray[np.int64]
    ended: NDArray[np.bool_]

    def __getitem__(self, index: int) -> list[int]:
        start = self.ends[index - 1] if index else 0
        return [int(token) for token in self.ids[start : self.ends[index]]]

    def document(self, index: int) -> range:
        """The numbers of its sentences."""
        return range(int(self.documents[index - 1]) if index else 0, int(self.documents[index]))

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.ends, prepend=0)

    @cached_property
    def first(self) -> NDArray[np.bool_]:
        """Which sentences begin a document."""
        marks = np.zeros(len(self.ends), dtype=bool)
        marks[[self.document(index).start for index in range(len(self.documents))]] = True
        return marks

    def parted(self) -> tuple[list[int], list[int]]:
        """Numbers of the documents to train on, and of those held out; ConfigError where one is all.

        Those that begin alike, as a prompt with its answer and with another's, are on the same side.
        """
        numbers = range(len(self.documents))
        if len(numbers) < 2:
            raise ConfigError("--data: one document is not enough, as some are held out; add texts")
        held = [number for number in numbers if self._beginning(number) % HELD_OUT == 0]
        if not 0 < len(held) < len(numbers):
            held = [numbers[-1]]
        return sorted(set(numbers) - set(held)), held

    def _beginning(self, document: int) -> int:
        """A number that its first sentence decides."""
        first = json.dumps(self[self.document(document).start])
        return int.from_bytes(hashlib.sha256(first.encode()).digest()[:4], "big")

    def common(self, count: int) -> torch.Tensor:
        """The most frequent tokens, at most `count`, the most frequent first."""
        counts = np.bincount(self.ids.astype(np.int64))
        best = np.argsort(-counts, kind="stable")[:count]
        return torch.from_numpy(best[counts[best] > 0])

    def of(self, documents: Sequence[int]) -> NDArray[np.int64]:
        """Numbers of the sentences of some documents."""
        spans = [np.arange(span.start, span.stop) for span in map(self.document, documents)]
        return np.concatenate(spans) if spans else np.zeros(0, dtype=np.int64)


def prepare(
    corpora: Sequence[Corpus], tokenizer: Any, folder: Path, characters: int | None = None
) -> Sentences:
    """The sentences of all texts, or of the first `characters` of each corpus; kept in `folder`."""
    path = folder / f"sentences-{_key(corpora, tokenizer, characters)}.npz"
    if not path.is_file():
        made = _made(corpora, tokenizer, characters)
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, ids=made.ids, ends=made.ends, documents=made.documents, ended=made.ended)
        partial.replace(path)
    with np.load(path) as arrays:
        return Sentences(arrays["ids"], arrays["ends"], arrays["documents"], arrays["ended"])


def _made(corpora: Sequence[Corpus], tokenizer: Any, characters: int | None) -> Sentences:
    ids: list[NDArray[np.uint32]] = []
    lengths: list[int] = []
    documents: list[int] = []
    ended: list[bool] = []
    for corpus in corpora:
        bar = tqdm(_pieces(corpus, characters), desc=corpus.label, mininterval=_calm(), unit="piece")
        for text, last in bar:
            found = sentences.cut(text, tokenizer)
            ids.append(np.array([token for sentence in found for token in sentence], dtype=np.uint32))
            lengths += [len(sentence) for sentence in found]
            documents += [min(DOCUMENT, len(found) - at) for at in range(0, len(found), DOCUMENT)]
            ended += [last and at + DOCUMENT >= len(found) for at in range(0, len(found), DOCUMENT)]
    return Sentences(np.concatenate(ids), np.cumsum(lengths), np.cumsum(documents), np.array(ended))


def _pieces(corpus: Corpus, characters: int | None) -> Iterator[tuple[str, bool]]:
    """Texts in pieces that end with a line, and whether the text does too."""
    left = characters if characters is not None else sys.maxsize
    for text in corpus.texts:
        at = 0
        while at < len(text) and left > 0:
            end = text.find("\n", at + PIECE) + 1 or len(text)
            yield text[at:end], end == len(text)
            left -= end - at
            at = end


def _key(corpora: Sequence[Corpus], tokenizer: Any, characters: int | None) -> str:
    """Of all that decides on the arrays."""
    parts = [*(corpus.sha256 for corpus in corpora), tokenizer.backend_tokenizer.to_str(), characters]
    parts += ["ended", sentences.LEAST, sentences.MOST, DOCUMENT, PIECE]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _calm() -> float:
    return 0.5 if sys.stderr.isatty() else 30.0
