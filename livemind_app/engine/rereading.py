"""A draft of an answer, read again below its prompt: it stays as far as the model stands behind it."""

from collections.abc import Sequence

from torch import Tensor

from livemind_app.decoding.sampling import Sampler
from livemind_app.engine.cache import KVCache
from livemind_app.engine.model import PREFILL_CHUNK, LoadedModel
from livemind_app.protocol import Draft

FIRST_PIECE = 16  # tokens of the first forward: the first words are there sooner


class Rereading:
    """One draft behind the text in `cache`, whose logits are known. `protocol.Draft` has the rule."""

    def __init__(self, model: LoadedModel, cache: KVCache, sampler: Sampler, draft: Draft) -> None:
        self._model = model
        self._cache = cache
        self._sampler = sampler
        self._draft = draft
        self.kept: list[int] = []
        self.over = not draft.ids

    def step(self, room: int) -> list[int]:
        """One forward: the tokens that stay, `room` at most."""
        at = len(self.kept)
        piece = self._draft.ids[at : at + min(PREFILL_CHUNK if at else FIRST_PIECE, room)]
        start, before = len(self._cache.ids), self._cache.logits
        assert before is not None
        after = self._model.reread(piece, self._cache)
        kept = self._standing(piece, [before, *after])
        self._cache.trim(start + len(kept))
        self._cache.logits = after[len(kept) - 1].clone() if kept else before
        self.kept += kept
        self.over = len(kept) < len(piece) or len(self.kept) == len(self._draft.ids)
        return kept

    @property
    def ends(self) -> bool:
        """Whether all of it stays, and its end as well; known when it is over."""
        if not self._draft.complete or len(self.kept) < len(self._draft.ids):
            return False
        assert self._cache.logits is not None
        return self._sampler.stands_behind(self._cache.logits, self._model.end_ids, self._draft.keep)

    def _standing(self, piece: Sequence[int], logits: Sequence[Tensor]) -> list[int]:
        """`logits`: [vocab] before each of the tokens."""
        kept: list[int] = []
        for token, each in zip(piece, logits, strict=False):
            if not self._sampler.stands_behind(each, [token], self._draft.keep):
                break
            self._sampler.take(token)
            kept.append(token)
        return kept
