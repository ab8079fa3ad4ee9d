"""Token by token on a compressed context: old sentences as latents, the last ones and all marks as tokens."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from time import perf_counter

import torch
from torch import Tensor

from livemind_app.engine.cache import CachePool, KVCache
from livemind_app.engine.generation import Run
from livemind_app.engine.model import PREFILL_CHUNK, LoadedModel
from livemind_app.engine.scheduler import Generation
from livemind_app.protocol import Finished, Request
from livemind_app.sentence_vae.decoder import Ids
from livemind_app.sentence_vae.generation.prompt import BATCH, Piece, pieces
from livemind_app.sentence_vae.hybrid import HybridContext, Places


@dataclass
class MixedCache(KVCache):
    """Its `ids` are of rows: a token's own, or for a latent a negative number, whose row is in `latents`.

    A sentence keeps its numbers while it stands in the prompt, so that rows are compared as tokens are.
    """

    numbers: dict[Ids, tuple[int, ...]] = field(default_factory=dict)
    latents: dict[int, "Latent"] = field(default_factory=dict)
    used: int = 0  # numbers so far

    def add(self, sentence: Ids, rows: Tensor) -> None:
        """[slots, d]."""
        self.numbers[sentence] = tuple(-(self.used + at) for at in range(1, len(rows) + 1))
        self.used += len(rows)
        for at, (number, row) in enumerate(zip(self.numbers[sentence], rows, strict=True)):
            self.latents[number] = Latent(row, sentence, at)

    def keep_only(self, sentences: set[Ids]) -> None:
        for sentence in self.numbers.keys() - sentences:
            for number in self.numbers.pop(sentence):
                del self.latents[number]

    @property
    def bytes(self) -> int:
        return super().bytes + sum(latent.row.nbytes for latent in self.latents.values())


@dataclass(frozen=True)
class Latent:
    """row [d]: the one with number `at` of its sentence."""

    row: Tensor
    sentence: Ids
    at: int


@dataclass(frozen=True, kw_only=True)
class MixedModel(LoadedModel):
    """Reads rows of a MixedCache."""

    latents: Mapping[int, Latent]

    def prefill(self, ids: Sequence[int], cache: KVCache) -> None:
        """So many of them that no more tokens are read than of any prompt; the others are asked for again."""
        room = PREFILL_CHUNK
        for part in self._parts(ids):
            room -= len(part) + (len(self.latents[part[0]].sentence) if part[0] < 0 else 0)
            if room < 0 and part[0] != ids[0]:
                return
            self._forward(part, cache)

    def _forward(self, ids: Sequence[int], cache: KVCache, rows: int = 1) -> Tensor:
        if min(ids) >= 0:
            return super()._forward(ids, cache, rows)
        for part in self._parts(ids):
            logits = super()._forward(part, cache) if part[0] >= 0 else self._behind_tokens(part, cache)
        return logits

    def _parts(self, ids: Sequence[int]) -> list[list[int]]:
        """Runs of tokens, and latents of one sentence each; one that is said twice in a row is two."""
        parts: list[list[int]] = []
        for number in ids:
            begins = number < 0 and self.latents[number].at == 0
            if begins or not parts or (parts[-1][-1] < 0) != (number < 0):
                parts.append([])
            parts[-1].append(number)
        return parts

    @torch.inference_mode()
    def _behind_tokens(self, numbers: Sequence[int], cache: KVCache) -> Tensor:
        """Latents of one sentence, all or some: its tokens are read before them and are gone afterwards."""
        first, device = self.latents[numbers[0]], self.model.device
        tokens, before = len(first.sentence), len(cache.ids) - first.at  # rows of the text before it
        places = Places()
        places.add(0, before)
        places.add(tokens, first.at + len(numbers))
        staying = [row for row, stays in enumerate(places.staying) if stays]
        known, new = staying[: len(cache.ids)], staying[len(cache.ids) :]
        fresh = [*range(before, before + tokens), *new]
        output = self.model(
            inputs_embeds=torch.cat([self._embedded(first.sentence), self._rows(numbers)], dim=1),
            position_ids=torch.tensor([[places.positions[row] for row in fresh]], device=device),
            attention_mask=places.allowed[fresh][:, [*known, *fresh]][None, None].to(device),
            past_key_values=cache.kv,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[0]
        cache.accept(range(tokens, len(fresh)), numbers, logits[-1])
        return logits

    def _inputs(self, ids: Sequence[int], start: int) -> dict[str, Tensor]:
        return super()._inputs(ids, start) if min(ids) >= 0 else {"inputs_embeds": self._rows(ids)}

    def _rows(self, ids: Sequence[int]) -> Tensor:
        rows = self._embedded([max(number, 0) for number in ids])
        for at, number in enumerate(ids):
            if number < 0:
                rows[0, at] = self.latents[number].row.to(rows.dtype)
        return rows

    def _embedded(self, ids: Sequence[int]) -> Tensor:
        tokens = torch.tensor([list(ids)], device=self.model.device)
        embedded: Tensor = self.model.get_input_embeddings()(tokens)
        return embedded


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
        if prompt and not prompt[0].mark:  # what attention rests on stays a token
            first = prompt[0].ids
            prompt[:1] = [Piece(first[:1], mark=True), *([Piece(first[1:])] if first[1:] else [])]
        sentences = [at for at, piece in enumerate(prompt) if not piece.mark]
        count = self._context.config.old([len(prompt[at].ids) for at in sentences])
        old = set(sentences[:count])
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
