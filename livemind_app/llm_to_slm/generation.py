"""Answers from the large model's states: it reads the prompt, then the small one reads and writes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from time import perf_counter

import torch
from torch import Tensor

from livemind_app.engine.cache import CachePool, KVCache
from livemind_app.engine.generation import Run
from livemind_app.engine.model import PREFILL_CHUNK, LoadedModel
from livemind_app.engine.scheduler import Generation
from livemind_app.errors import ContextTooLong
from livemind_app.llm_to_slm.conditioner import Conditioner
from livemind_app.llm_to_slm.reader import read
from livemind_app.protocol import Finished, Guide, Request
from livemind_app.text.prefix import common_prefix


@dataclass(frozen=True, kw_only=True)
class Writer(LoadedModel):
    """The small model for one prompt: `added` [prompt, width] goes to its embeddings."""

    added: Tensor

    def _inputs(self, ids: Sequence[int], start: int) -> dict[str, Tensor]:
        inputs = super()._inputs(ids, start)
        if start >= len(self.added):
            return inputs
        embedded = self.model.get_input_embeddings()(inputs["input_ids"])
        return {"inputs_embeds": embedded + self.added[start : start + len(ids)].to(embedded.dtype)}


class Pair:
    """Both models and what was trained between them. Implements engine.local.Method."""

    def __init__(self, reader: LoadedModel, writer: LoadedModel, conditioner: Conditioner) -> None:
        """`writer` has its updates in its weights (`Adapter.merged`)."""
        self._reader = reader
        self._writer = writer
        self._conditioner = conditioner

    def generation(self, pool: CachePool, request: Request) -> Generation:
        """The small model's answer; both caches go back to the pool, unless a forward failed."""
        assert request.guide is not None
        reading = replace(request, ids=request.guide.ids, role="llm", guide=None)
        with pool.taken(reading, KVCache) as read_cache, pool.taken(request, KVCache) as cache:
            yield from self._steps(request, request.guide, read_cache, cache)

    def _steps(self, request: Request, guide: Guide, read_cache: KVCache, cache: KVCache) -> Generation:
        known = common_prefix(read_cache.ids, guide.ids)
        began, paused = perf_counter(), 0.0
        for _ in self._read(request, guide, read_cache):
            before = perf_counter()
            yield None
            paused += perf_counter() - before
        added = self.added(read_cache, guide) if len(read_cache.ids) == len(guide.ids) else torch.empty(0, 0)
        reading_s = perf_counter() - began - paused
        cache.trim(self._kept(cache, guide))
        cache.guide = guide
        for output in Run(self._conditioned(added), cache, request).steps():
            yield _with_reading(output, guide, known, reading_s) if isinstance(output, Finished) else output

    def _read(self, request: Request, guide: Guide, cache: KVCache) -> Iterator[None]:
        """The large model, a piece at a time; a cancelled request leaves what it has."""
        if len(guide.ids) > self._reader.context:
            raise ContextTooLong(
                f"the prompt has {len(guide.ids)} tokens, {self._reader.name} takes {self._reader.context}; "
                "shorten it or begin a new chat"
            )
        cache.trim(common_prefix(cache.ids, guide.ids))
        while len(cache.ids) < len(guide.ids) and not request.cancel.cancelled:
            at = len(cache.ids)
            read(self._reader, self._conditioner, guide.ids[at : at + PREFILL_CHUNK], cache)
            yield

    @torch.inference_mode()
    def added(self, read_cache: KVCache, guide: Guide) -> Tensor:
        """To each token of the prompt, [prompt, width]."""
        assert read_cache.states is not None
        mixed = read_cache.states
        added = self._conditioner.project(mixed)[list(guide.places)]
        if guide.complete:
            summary = self._conditioner.summarize(mixed[None])[0]
            count = min(len(summary), len(added))
            added[len(added) - count :] += summary[len(summary) - count :]
        return added

    def _kept(self, cache: KVCache, guide: Guide) -> int:
        """Leading tokens of the cache that would be computed the same again."""
        before = cache.guide
        if before is None or before == guide:
            return len(cache.ids) if before else 0
        shared = common_prefix(before.ids, guide.ids)
        places = common_prefix(before.places, guide.places)
        steady = sum(place < shared for place in guide.places[:places])
        summary = self._conditioner.shape.summary
        closed = [len(each.places) - summary for each in (before, guide) if each.complete]
        return max(0, min(steady, *closed)) if closed else steady

    def _conditioned(self, added: Tensor) -> Writer:
        plain = {field.name: getattr(self._writer, field.name) for field in fields(LoadedModel)}
        return Writer(**plain, added=added)


def _with_reading(finished: Finished, guide: Guide, known: int, seconds: float) -> Finished:
    """What both models read counts."""
    return replace(
        finished,
        prompt_tokens=finished.prompt_tokens + len(guide.ids),
        cached_tokens=finished.cached_tokens + known,
        prefill_s=finished.prefill_s + seconds,
    )
