"""One request on one model: prefill in chunks, then a token at a time."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from livemind_app.decoding.lookahead.tree import Tree
from livemind_app.decoding.sampling import Sampler
from livemind_app.decoding.speech import Speech
from livemind_app.engine.cache import CachePool, KVCache
from livemind_app.engine.chat import ChatTokenizer
from livemind_app.engine.lookahead import Lookahead, Speculation
from livemind_app.engine.packed.phase import decoding
from livemind_app.engine.scheduler import Generation
from livemind_app.engine.tree_mask import tree_mask
from livemind_app.errors import ContextTooLong
from livemind_app.protocol import Chunk, Draft, Finished, FinishReason, Output, Request

REREAD_FIRST = 16  # tokens of a draft in its first forward, for the first words to be there sooner
PREFILL_CHUNK = 64  # tokens a forward; on two cores about 0.3 s for 1.5B parameters


@dataclass(frozen=True)
class LoadedModel:
    """A causal language model with its tokenizer; computed on by the worker's thread only."""

    name: str
    model: Any
    tokenizer: ChatTokenizer
    end_ids: frozenset[int]
    context: int
    lookahead: Lookahead | None = None

    def prefill(self, ids: Sequence[int], cache: KVCache) -> None:
        """Append part of a prompt to the cache and leave the logits after its last token in it."""
        self._forward(ids, cache)

    def decode(self, tokens: Sequence[int], cache: KVCache) -> None:
        """The same for tokens that were generated: it reads the packed weights, if there are any."""
        with decoding():
            self._forward(tokens, cache)

    def reread(self, tokens: Sequence[int], cache: KVCache) -> Tensor:
        """Like decode; the logits after each of the tokens, [tokens, vocab]."""
        with decoding():
            return self._forward(tokens, cache, rows=len(tokens))

    @torch.inference_mode()
    def verify(self, tree: Tree, cache: KVCache) -> Tensor:
        """Logits after every row of the tree, [rows, vocab].

        The rows are behind the text in the cache, not in its `ids`: `cache.accept` has to follow.
        """
        start, device = len(cache.ids), self.model.device
        with decoding():
            output = self.model(
                input_ids=torch.tensor([tree.tokens], device=device),
                position_ids=start + torch.tensor([tree.depths], device=device),
                attention_mask=tree_mask(tree, start, self.model.config, device),
                past_key_values=cache.kv,
                use_cache=True,
            )
        logits: Tensor = output.logits[0]
        return logits

    @torch.inference_mode()
    def _forward(self, ids: Sequence[int], cache: KVCache, rows: int = 1) -> Tensor:
        start = len(cache.ids)
        device = self.model.device
        output = self.model(
            **self._inputs(ids, start),
            position_ids=torch.arange(start, start + len(ids), device=device)[None],
            past_key_values=cache.kv,
            use_cache=True,
            logits_to_keep=rows,
        )
        logits: Tensor = output.logits[0]
        cache.ids.extend(ids)
        cache.logits = logits[-1]
        return logits

    def _inputs(self, ids: Sequence[int], start: int) -> dict[str, Tensor]:
        """What the network is fed for the tokens that follow the first `start`."""
        return {"input_ids": torch.tensor([ids], device=self.model.device)}


def generation(model: LoadedModel, pool: CachePool, request: Request) -> Generation:
    """A worker's generation: yields after every forward, Finished at the end.

    The cache goes back to the pool when the generation ends or is closed, and is discarded when it fails.
    """
    with pool.taken(request, KVCache) as cache:
        yield from Run(model, cache, request).steps()


def _marked(tokens: list[int]) -> Iterator[tuple[bool, int]]:
    """Of one forward's tokens all but the last were drafted."""
    for index, token in enumerate(tokens, start=1):
        yield index < len(tokens), token


class Run:
    """One request on a cache that it shares with nobody: `steps` is its generation.

    `text`: the tokens that the request's ids stand for, where these are not all tokens.
    """

    def __init__(
        self, model: LoadedModel, cache: KVCache, request: Request, text: Sequence[int] | None = None
    ) -> None:
        self._model = model
        self._cache = cache
        self._request = request
        self._text = request.ids if text is None else text
        self._sampler = Sampler(request.sampling, self._text)
        self._speculation: Speculation | None = None
        said = request.ids[len(request.ids) - request.said :]
        self._speech = Speech(model.tokenizer.decode, request.stops, said)
        self._cached = 0
        self._tokens = 0
        self._kept: list[int] = []  # of the request's draft
        self._forwards = 0
        self._prefill_s = 0.0
        self._decode_s = 0.0
        self._scores: tuple[float, ...] = ()

    def steps(self) -> Generation:
        if self._request.cancel.cancelled:
            yield self._finished("cancelled")
            return
        budget = self._budget()
        self._cached = self._cache.reuse(self._request.ids)
        while len(self._cache.ids) < len(self._request.ids):
            if self._request.cancel.cancelled:
                yield self._finished("cancelled")
                return
            began = perf_counter()
            self._read()
            self._prefill_s += perf_counter() - began
            yield None
        self._scores = self._score()
        yield from self._decode(budget)

    def _read(self) -> None:
        """The next piece of the prompt, or of what an earlier request said after it."""
        at, ids = len(self._cache.ids), self._request.ids
        said = len(ids) - self._request.said
        if at < said:
            self._model.prefill(ids[at : min(at + PREFILL_CHUNK, said)], self._cache)
        else:
            self._model.decode(ids[at : at + PREFILL_CHUNK], self._cache)

    def _decode(self, budget: int) -> Generation:
        """Draw, show, feed back. The forward that nobody needs any more is left out."""
        if not budget:
            yield self._finished("length")
            return
        if self._request.draft and (yield from self._keep(self._request.draft, budget)):
            return
        tokens = self._timed(self._first)
        while True:
            for drafted, token in _marked(tokens):
                if self._request.cancel.cancelled:
                    yield self._finished("cancelled")
                    return
                if token in self._model.end_ids:
                    yield from self._end("eos")
                    return
                yield self._show(token, drafted=drafted)
                if self._speech.stopped:
                    yield self._finished("stop")
                    return
                if self._tokens == budget:
                    yield from self._end("length")
                    return
            if not self._request.cancel.cancelled:
                tokens = self._timed(partial(self._step, tokens[-1], budget - self._tokens))

    def _keep(self, draft: Draft, budget: int) -> Generator[Output | None, None, bool]:
        """Show the draft as far as the model stands behind it. Returns whether the answer ends with it."""
        while (at := len(self._kept)) < len(draft.ids):
            if self._request.cancel.cancelled:
                yield self._finished("cancelled")
                return True
            piece = draft.ids[at : min(at + (PREFILL_CHUNK if at else REREAD_FIRST), budget)]
            kept = self._timed(partial(self._reread, piece, draft.keep))
            self._kept += kept
            self._tokens += len(kept)
            yield Chunk(tuple(kept), self._speech.push(kept), kept=True) if kept else None
            if self._speech.stopped:
                yield self._finished("stop")
                return True
            if self._tokens == budget:
                yield from self._end("length")
                return True
            if len(kept) < len(piece):
                return False
        assert self._cache.logits is not None
        if draft.complete and self._sampler.stands_behind(
            self._cache.logits, self._model.end_ids, draft.keep
        ):
            yield from self._end("eos")
            return True
        return False

    def _reread(self, piece: Sequence[int], share: float) -> list[int]:
        """One forward: the leading tokens of the piece that stay."""
        before, start = self._cache.logits, len(self._cache.ids)
        assert before is not None
        self._forwards += 1
        after = self._model.reread(piece, self._cache)
        kept: list[int] = []
        for token, logits in zip(piece, [before, *after], strict=False):
            if not self._sampler.stands_behind(logits, [token], share):
                break
            self._sampler.take(token)
            kept.append(token)
        self._cache.trim(start + len(kept))
        self._cache.logits = after[len(kept) - 1].clone() if kept else before
        return kept

    def _first(self) -> list[int]:
        """The prompt's own next token."""
        assert self._cache.logits is not None
        token = self._sampler(self._cache.logits)
        if self._request.lookahead and self._model.lookahead:
            self._speculation = Speculation(self._model.lookahead, self._model, self._cache, self._sampler)
            self._speculation.begin([*self._text, *self._kept], token)
        return [token]

    def _step(self, token: int, room: int) -> list[int]:
        """Tokens after this one, by one forward."""
        self._forwards += 1
        if self._speculation:
            return self._speculation.step(room)
        self._model.decode([token], self._cache)
        assert self._cache.logits is not None
        return [self._sampler(self._cache.logits)]

    def _timed(self, compute: Callable[[], list[int]]) -> list[int]:
        began = perf_counter()
        tokens = compute()
        self._decode_s += perf_counter() - began
        return tokens

    def _show(self, token: int, drafted: bool) -> Chunk:
        self._tokens += 1
        return Chunk((token,), self._speech.push([token]), drafted)

    def _end(self, reason: FinishReason) -> Generation:
        """Pass on what detokenizing and stop strings held back."""
        if rest := self._speech.rest():
            yield Chunk((), rest)
        yield self._finished(reason)

    def _budget(self) -> int:
        """Tokens to generate at most; a prompt beyond the context is refused."""
        room = self._model.context - len(self._request.ids)
        if room < min(self._request.max_tokens, 1):
            raise ContextTooLong(
                f"the prompt has {len(self._request.ids)} tokens, {self._model.name} takes "
                f"{self._model.context}; shorten it or begin a new chat"
            )
        return min(self._request.max_tokens, room)

    def _score(self) -> tuple[float, ...]:
        if not self._request.score or self._cache.logits is None:
            return ()
        logprobs: Tensor = self._cache.logits.float().log_softmax(dim=-1)
        return tuple(float(logprobs[token]) for token in self._request.score)

    def _finished(self, reason: FinishReason) -> Finished:
        if self._speculation:
            self._speculation.end()
        return Finished(
            reason=reason,
            prompt_tokens=len(self._request.ids),
            cached_tokens=self._cached,
            tokens=self._tokens,
            kept=len(self._kept),
            prefill_s=self._prefill_s,
            decode_s=self._decode_s,
            forwards=self._forwards,
            drafted=self._speculation.drafted if self._speculation else 0,
            draft_s=self._speculation.draft_s if self._speculation else 0.0,
            scores=self._scores,
            positions=len(self._cache.ids),
            kv_bytes=self._cache.kv.filled,
        )
