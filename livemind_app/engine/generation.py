"""One request on one model: prefill in chunks, then a token at a time."""

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from time import perf_counter

from torch import Tensor

from livemind_app.decoding.sampling import Sampler
from livemind_app.decoding.speech import Speech
from livemind_app.engine.cache import CachePool, KVCache
from livemind_app.engine.lookahead import Speculation
from livemind_app.engine.model import PREFILL_CHUNK, LoadedModel
from livemind_app.engine.rereading import Rereading
from livemind_app.engine.scheduler import Generation
from livemind_app.errors import ContextTooLong
from livemind_app.protocol import Chunk, Draft, Finished, FinishReason, Output, Request

Ending = Generator[Output | None, None, bool]  # outputs; returns whether they end the generation


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
        self._most = 0  # tokens to generate
        self._limit = 0  # less than that where a draft is not to be gone on from much further
        self._tokens = 0
        self._rereading: Rereading | None = None  # of the request's draft
        self._forwards = 0
        self._prefill_s = 0.0
        self._decode_s = 0.0
        self._scores: tuple[float, ...] = ()

    def steps(self) -> Generation:
        if (yield from self._cancelled()):
            return
        self._most = self._limit = self._budget()
        self._cached = self._cache.reuse(self._request.ids)
        while len(self._cache.ids) < len(self._request.ids):
            if (yield from self._cancelled()):
                return
            began = perf_counter()
            self._read()
            self._prefill_s += perf_counter() - began
            yield None
        self._scores = self._score()
        yield from self._decode()

    def _read(self) -> None:
        """The next piece of the prompt, or of what an earlier request said after it."""
        at, ids = len(self._cache.ids), self._request.ids
        said = len(ids) - self._request.said
        if at < said:
            self._model.prefill(ids[at : min(at + PREFILL_CHUNK, said)], self._cache)
        else:
            self._model.decode(ids[at : at + PREFILL_CHUNK], self._cache)

    def _decode(self) -> Generation:
        """Draw, show, feed back. The forward that nobody needs any more is left out."""
        if not self._limit:
            yield from self._end("length")
            return
        if self._request.draft and (yield from self._keep(self._request.draft)):
            return
        tokens = self._timed(self._first)
        while not (yield from self._say(tokens)):
            tokens = self._timed(partial(self._step, tokens[-1], self._limit - self._tokens))

    def _say(self, tokens: list[int]) -> Ending:
        """Show them as far as the answer goes. Returns whether it ended, as all of these do."""
        for drafted, token in _marked(tokens):
            if (yield from self._cancelled()):
                return True
            if token in self._model.end_ids:
                yield from self._end("eos")
                return True
            yield self._show(token, drafted=drafted)
            if (yield from self._full()):
                return True
        return (yield from self._cancelled())

    def _keep(self, draft: Draft) -> Ending:
        """Show what stays of the draft."""
        rereading = self._rereading = Rereading(self._model, self._cache, self._sampler, draft)
        while not rereading.over:
            if (yield from self._cancelled()):
                return True
            began = perf_counter()
            kept = rereading.step(self._limit - self._tokens)
            self._prefill_s += perf_counter() - began
            self._tokens += len(kept)
            yield Chunk(tuple(kept), self._speech.push(kept), kept=True) if kept else None
            if (yield from self._full()):
                return True
        if rereading.ends:
            yield from self._end("eos")
            return True
        if draft.further is not None:
            self._limit = min(self._limit, self._tokens + draft.further)
        return (yield from self._full())

    def _cancelled(self) -> Ending:
        if not self._request.cancel.cancelled:
            return False
        yield self._finished("cancelled")
        return True

    def _full(self) -> Ending:
        if self._speech.stopped:
            yield self._finished("stop")
        elif self._tokens < self._limit:
            return False
        elif self._limit < self._most:  # somebody goes on: half a character is theirs
            yield self._finished("length")
        else:
            yield from self._end("length")
        return True

    @property
    def _kept(self) -> Sequence[int]:
        """Of the request's draft."""
        return self._rereading.kept if self._rereading else ()

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
        """Tokens to generate at most; a prompt beyond the context is refused.

        An answer that is gone on with may have filled the context: it ends there as it would have at once.
        """
        room = self._model.context - len(self._request.ids)
        if room + self._request.said < min(self._request.max_tokens, 1):
            raise ContextTooLong(
                f"the prompt has {len(self._request.ids)} tokens, {self._model.name} takes "
                f"{self._model.context}; shorten it or begin a new chat"
            )
        return min(self._request.max_tokens, max(room, 0))

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
