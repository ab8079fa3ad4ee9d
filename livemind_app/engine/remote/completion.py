"""One request as one completion of a server."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from livemind_app.decoding.stops import StopFilter
from livemind_app.engine.chat import ChatTokenizer
from livemind_app.engine.remote.client import Client, Piece
from livemind_app.errors import ContextTooLong, GenerationFailed
from livemind_app.protocol import Chunk, Finished, FinishReason, Output, Request
from livemind_app.text.detokenize import Detokenizer

SCORED = 20  # likeliest tokens asked for where scores are wanted; servers give no more
UNLIKELY = -20.0  # log-probability of a token that is not among them


@dataclass(frozen=True)
class Served:
    """A model, once its server has answered."""

    name: str
    tokenizer: ChatTokenizer
    ends: frozenset[int]
    extras: dict[str, Any] = field(default_factory=dict)  # parameters beyond OpenAI's that it takes
    spelt: bool = False  # it takes prompts as text only

    def prompt(self, ids: Sequence[int]) -> list[int] | str:
        return self.tokenizer.spell(ids) if self.spelt else list(ids)


class Completion:
    def __init__(self, client: Client, served: Served, request: Request, waited_s: float = 0.0) -> None:
        self._client = client
        self._served = served
        self._request = request
        self._detokenizer = Detokenizer(served.tokenizer.decode)
        self._stop = StopFilter(request.stops)
        self._stop.push(self._detokenizer.push(request.ids[len(request.ids) - request.said :]))
        self._waited_s = waited_s
        self._began = perf_counter()
        self._first: float | None = None
        self._tokens = 0
        self._cached = 0
        self._scores: tuple[float, ...] = ()
        self._reason: FinishReason = "length"

    async def outputs(self, headers: dict[str, str], salt: str) -> AsyncGenerator[Output, None]:
        """Raises ContextTooLong, Refused, ServerFailed or GenerationFailed. Closing it stops the server."""
        body = self._body(salt)
        async with aclosing(self._client.complete(body, headers)) as pieces:
            async for piece in pieces:
                for chunk in self._read(piece):
                    yield chunk
                if self._stop.stopped:
                    break  # closes the stream: nobody wants the rest
        rest = self._stop.push(self._detokenizer.flush()) + self._stop.flush()
        if self._stop.stopped:
            self._reason = "stop"
        elif rest:
            yield Chunk((), rest)
        yield self.finished(self._reason)

    def finished(self, reason: FinishReason) -> Finished:
        now = perf_counter()
        first = self._first if self._first is not None else now
        return Finished(
            reason=reason,
            prompt_tokens=len(self._request.ids),
            cached_tokens=min(self._cached, len(self._request.ids)),
            tokens=self._tokens,
            waited_s=self._waited_s,
            prefill_s=first - self._began,
            decode_s=now - first,
            scores=self._scores,
        )

    def _body(self, salt: str) -> dict[str, Any]:
        request, sampling = self._request, self._request.sampling
        optional: dict[str, Any] = {
            "top_k": sampling.top_k or None,
            "seed": sampling.seed,
            "repetition_penalty": sampling.repetition_penalty if sampling.repetition_penalty != 1 else None,
            "stop": list(request.stops) or None,
            "logprobs": SCORED if request.score else None,
        }
        return {
            "model": self._served.name,
            "prompt": self._served.prompt(request.ids),
            # Servers refuse 0, and one token is a cheap way to read a prompt.
            "max_tokens": max(self._room(), 1),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "stream": True,
            "stream_options": {"include_usage": True},
            **{name: value for name, value in optional.items() if value is not None},
            **self._extras(salt),
        }

    def _extras(self, salt: str) -> dict[str, Any]:
        own = {"cache_salt": salt, "priority": int(self._request.priority)}
        return {name: own.get(name, value) for name, value in self._served.extras.items()}

    def _room(self) -> int:
        context, used = self._served.tokenizer.context, len(self._request.ids)
        if context is None:
            return self._request.max_tokens
        if used >= context:
            raise ContextTooLong(
                f"the prompt has {used} tokens, {self._served.name} takes {context}; "
                "shorten it or begin a new chat"
            )
        return min(self._request.max_tokens, context - used)

    def _read(self, piece: Piece) -> Iterator[Chunk]:
        self._cached = max(self._cached, piece.cached)
        if self._first is None and (piece.text or piece.ids or piece.finish):
            self._first = perf_counter()
            self._scores = tuple(self._score(piece, token) for token in self._request.score)
        if self._request.max_tokens:
            yield from self._text(piece) if piece.ids is None else self._ids(piece.ids)
        if piece.finish:
            self._end(piece)

    def _ids(self, ids: tuple[int, ...]) -> Iterator[Chunk]:
        for token in ids:
            if token not in self._served.ends and not self._stop.stopped:
                self._tokens += 1
                yield Chunk((token,), self._stop.push(self._detokenizer.push([token])))

    def _text(self, piece: Piece) -> Iterator[Chunk]:
        """Of a server that keeps its ids to itself; encoding again may cut the same text elsewhere."""
        if piece.text:
            ids = self._served.tokenizer.encode(piece.text)
            self._tokens += len(ids)
            yield Chunk(ids, self._stop.push(piece.text))

    def _score(self, piece: Piece, token: int) -> float:
        names = (f"token_id:{token}", self._served.tokenizer.decode([token]))
        known = (piece.logprobs[name] for name in names if name in piece.logprobs)
        return next(known, UNLIKELY)

    def _end(self, piece: Piece) -> None:
        if piece.finish not in ("stop", "length"):
            raise GenerationFailed(f"the server gave up ({piece.finish}); send it again")
        ended: FinishReason = "stop" if isinstance(piece.stopped_by, str) else "eos"
        self._reason = "length" if piece.finish == "length" else ended
