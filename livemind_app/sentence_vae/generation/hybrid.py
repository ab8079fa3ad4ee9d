"""Token by token on a compressed context: old sentences as latents, the last ones and all marks as tokens."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from time import perf_counter

import torch
from torch import Tensor

from livemind_app.engine.cache import CachePool, KVCache
from livemind_app.engine.generation import Run
from livemind_app.engine.model import LoadedModel
from livemind_app.engine.scheduler import Generation
from livemind_app.protocol import Finished, Request
from livemind_app.sentence_vae.decoder import Ids
from livemind_app.sentence_vae.generation.prompt import BATCH, Piece, pieces
from livemind_app.sentence_vae.hybrid import HybridContext


@dataclass
class MixedCache(KVCache):
    """Its `ids` are of rows: a token's own, or for a latent a negative number, whose row is in `latents`.

    A sentence keeps its numbers while it stands in the prompt, so that rows are compared as tokens are.
    """

    numbers: dict[Ids, tuple[int, ...]] = field(default_factory=dict)
    latents: dict[int, Tensor] = field(default_factory=dict)
    used: int = 0  # numbers so far

    def add(self, sentence: Ids, rows: Tensor) -> None:
        """[slots, d]."""
        self.numbers[sentence] = tuple(-(self.used + at) for at in range(1, len(rows) + 1))
        self.used += len(rows)
        self.latents.update(zip(self.numbers[sentence], rows, strict=True))

    def keep_only(self, sentences: set[Ids]) -> None:
        for sentence in self.numbers.keys() - sentences:
            for number in self.numbers.pop(sentence):
                del self.latents[number]

    @property
    def bytes(self) -> int:
        return super().bytes + sum(row.nbytes for row in self.latents.values())


@dataclass(frozen=True, kw_only=True)
class MixedModel(LoadedModel):
    """Reads rows of a MixedCache."""

    latents: Mapping[int, Tensor]

    def _inputs(self, ids: Sequence[int], start: int) -> dict[str, Tensor]:
        if min(ids) >= 0:
            return super()._inputs(ids, start)
        tokens = torch.tensor([[max(number, 0) for number in ids]], device=self.model.device)
        rows = self.model.get_input_embeddings()(tokens)
        for at, number in enumerate(ids):
            if number < 0:
                rows[0, at] = self.latents[number].to(rows.dtype)
        return {"inputs_embeds": rows}


class HybridMethod:
    """Implements engine.local.Method. `model` computes on the context's own base."""

    def __init__(self, model: LoadedModel, context: HybridContext) -> None:
        self._model = model
        self._context = context

    def generation(self, pool: CachePool, request: Request) -> Generation:
        with pool.taken(request, MixedCache) as cache:
            yield from self._steps(cache, request)

    def _steps(self, cache: MixedCache, request: Request) -> Generation:
        parts = self._parts(request)
        seconds = 0.0
        for batch in _missing(parts, cache):
            if request.cancel.cancelled:
                break
            began = perf_counter()
            self._encode(cache, batch)
            seconds += perf_counter() - began
            yield None
        else:
            cache.keep_only({piece.ids for piece, old in parts if old})
            yield from self._run(cache, request, parts, seconds)
            return
        yield Finished("cancelled", prompt_tokens=len(request.ids), prefill_s=seconds)

    def _parts(self, request: Request) -> list[tuple[Piece, bool]]:
        """Pieces of the prompt, and whether they are old; what was said after it stays tokens."""
        prompt = pieces(request.ids[: len(request.ids) - request.said], self._model.tokenizer)
        sentences = [at for at, piece in enumerate(prompt) if not piece.mark]
        raw = self._context.config.raw
        old = set(sentences[: max(0, len(sentences) - raw)])
        return [(piece, at in old) for at, piece in enumerate(prompt)]

    @torch.inference_mode()
    def _encode(self, cache: MixedCache, sentences: Sequence[Ids]) -> None:
        for sentence, rows in zip(sentences, self._context.latents(sentences), strict=True):
            cache.add(sentence, rows)

    def _run(
        self, cache: MixedCache, request: Request, parts: Sequence[tuple[Piece, bool]], seconds: float
    ) -> Generation:
        rows = [cache.numbers[piece.ids] if old else piece.ids for piece, old in parts]
        ids = tuple(number for row in rows for number in row) + request.ids[len(request.ids) - request.said :]
        plain = {each.name: getattr(self._model, each.name) for each in fields(LoadedModel)}
        model = MixedModel(**plain, latents=cache.latents)
        for output in Run(model, cache, replace(request, ids=ids), request.ids).steps():
            if isinstance(output, Finished):
                known = _known([piece for piece, _ in parts], rows, output.cached_tokens)
                output = replace(
                    output,
                    prompt_tokens=len(request.ids),
                    cached_tokens=known,
                    prefill_s=output.prefill_s + seconds,
                )
            yield output


def _missing(parts: Sequence[tuple[Piece, bool]], cache: MixedCache) -> Iterator[list[Ids]]:
    """Old sentences without latents, each once, a batch at a time."""
    wanted = dict.fromkeys(piece.ids for piece, old in parts if old and piece.ids not in cache.numbers)
    missing: list[Ids] = list(wanted)
    return (missing[at : at + BATCH] for at in range(0, len(missing), BATCH))


def _known(parts: Sequence[Piece], rows: Sequence[Ids], cached: int) -> int:
    """Tokens of the prompt behind the cached rows; what was said after it counts as it is."""
    tokens = 0
    for piece, own in zip(parts, rows, strict=True):
        if cached < len(own):
            return tokens + (cached if own == piece.ids else 0)
        cached -= len(own)
        tokens += len(piece.ids)
    return tokens + cached
