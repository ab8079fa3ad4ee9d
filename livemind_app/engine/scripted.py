"""An engine without a model: it says what a script says, at the pace it is told.

For tests of everything above the engine, and for load tests, where a model would be the bottleneck.
It honours the protocol: one generation computes at a time, priorities take over between two tokens,
caches are counted by longest common prefix, cancelling works before the next token.
"""

import re
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from time import sleep

from livemind_app.engine.scheduler import Generation, Sink, Worker
from livemind_app.engine.streams import aiterate, iterate
from livemind_app.errors import EngineError
from livemind_app.protocol import (
    ROLES,
    Ability,
    Chunk,
    Finished,
    FinishReason,
    Message,
    ModelStatus,
    Output,
    Rendered,
    Request,
    Role,
    Usage,
    needed,
)
from livemind_app.text.align import places
from livemind_app.text.prefix import common_prefix

Script = Callable[[Role, str], str]  # role, rendered prompt → reply
END = "\x03"


def default_script(role: Role, prompt: str) -> str:
    """A reply that names its role and how long the prompt was."""
    return f"{role} answers after {len(prompt.split())} words."


class WordTokenizer:
    """Words with the spaces before them; ids are handed out as words appear."""

    context = None

    def __init__(self) -> None:
        self._words: list[str] = []
        self._ids: dict[str, int] = {}
        self._lock = threading.Lock()

    def render(self, messages: Sequence[Message], *, answer: bool = True) -> tuple[int, ...]:
        turns = [f"<{message['role']}> {message['content']}" for message in messages]
        is_open = answer and messages[-1]["role"] == "assistant"
        text = f"{END}\n".join(turns) + ("" if is_open else f"{END}\n")
        return self.encode(text + ("<assistant>" if answer and not is_open else ""))

    def locate(self, messages: Sequence[Message], *, answer: bool = True) -> Rendered:
        ids = self.render(messages, answer=answer)
        ends = accumulate(len(self._words[index]) for index in ids)
        return Rendered(ids, places(["", self.decode(ids)], [*ends]))

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._id(word) for word in re.findall(r"\x03\n?|\s*[^\s\x03]+|\s+", text))

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self._words[index] for index in ids)

    def _id(self, word: str) -> int:
        with self._lock:
            if word not in self._ids:
                self._ids[word] = len(self._words)
                self._words.append(word)
            return self._ids[word]


class ScriptedEngine:
    """Implements engine.split.OwnedEngine.

    `think` decides, from the rendered prompt, which of two scored tokens is the likely one, `ends` whether
    a single one is.
    `step` is called on the worker's thread before every token; a test may block there. `requests` are
    all that were made, where they are `recorded`.
    """

    def __init__(
        self,
        script: Script = default_script,
        *,
        token_s: float = 0.0,
        prefill_s: float = 0.0,
        think: Callable[[str], bool] = lambda prompt: True,
        ends: Callable[[str], bool] = lambda prompt: False,
        step: Callable[[Request], None] = lambda request: None,
        cannot: Mapping[Ability, str] | None = None,
        recorded: bool = True,
    ) -> None:
        self._script = script
        self._token_s = token_s
        self._prefill_s = prefill_s  # of a token that no cache covers
        self._think = think
        self._ends = ends
        self._step = step
        self._cannot = cannot or {}
        self._tokenizer = WordTokenizer()
        self._caches: dict[tuple[str, str, Role], tuple[int, ...]] = {}
        self._worker = Worker()
        self._recorded = recorded
        self.requests: list[Request] = []

    async def ready(self) -> None:
        return

    def wait(self) -> None:
        return

    def status(self) -> tuple[ModelStatus, ...]:
        return tuple(ModelStatus(role, "scripted", "ready") for role in ROLES)

    def usage(self) -> Usage:
        return Usage(self._worker.queued())

    def cannot(self, ability: Ability, role: Role) -> str | None:
        return self._cannot.get(ability)

    def tokenizer(self, role: Role) -> WordTokenizer:
        return self._tokenizer

    def stream(self, request: Request) -> AsyncGenerator[Output, None]:
        return aiterate(self._start, request)

    def generate(self, request: Request) -> Iterator[Output]:
        return iterate(self._start, request)

    def forget(self, session: str) -> None:
        for key in [key for key in self._caches if key[0] == session]:
            self._caches.pop(key, None)

    def close(self) -> None:
        self._worker.close()

    def _start(self, request: Request, sink: Sink) -> None:
        if self._recorded:
            self.requests.append(request)
        self._worker.submit(request, self._generation(request), sink)

    def _generation(self, request: Request) -> Generation:
        ability = needed(request)
        if ability and ability in self._cannot:
            raise EngineError(self._cannot[ability])
        prompt = self._tokenizer.decode(request.ids[: len(request.ids) - request.said])
        cached = self._cached(request)
        yield from self._prefill(request, len(request.ids) - cached)
        reply = self._tokenizer.encode(self._script(request.role, prompt)) if request.max_tokens else ()
        reply = reply[request.said :]
        said = drafted = 0
        kept = common_prefix(reply[: request.max_tokens], request.draft.ids) if request.draft else 0
        if kept:
            said = kept
            yield Chunk(reply[:kept], self._tokenizer.decode(reply[:kept]), kept=True)
        for token in reply[kept : _limit(request, kept)]:
            self._step(request)
            if request.cancel.cancelled:
                break
            sleep(self._token_s)
            copied = request.lookahead and said > kept and token in request.ids
            said, drafted = said + 1, drafted + copied
            yield Chunk((token,), self._tokenizer.decode([token]), copied)
        self._remember(request, reply[:said])
        yield Finished(
            reason=_reason(request, said, len(reply)),
            prompt_tokens=len(request.ids),
            cached_tokens=cached,
            tokens=said,
            kept=kept,
            decode_s=said * self._token_s,
            forwards=said - drafted - kept,
            drafted=drafted,
            scores=self._scores(request, prompt),
        )

    def _prefill(self, request: Request, tokens: int) -> Generation:
        for _ in range(tokens if self._prefill_s else 0):
            if request.cancel.cancelled:
                return
            sleep(self._prefill_s)
            yield None

    def _scores(self, request: Request, prompt: str) -> tuple[float, ...]:
        if len(request.score) == 1:
            return (0.0 if self._ends(prompt) else -9.0,)
        favoured = 0 if self._think(prompt) else 1
        return tuple(0.0 if index == favoured else -9.0 for index in range(len(request.score)))

    def _cached(self, request: Request) -> int:
        """Length of the prefix that the request's cache covers."""
        known = self._caches.get((request.session, request.cache_key or "", request.role), ())
        pairs = zip(known, request.ids, strict=False)
        return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(known), len(request.ids)))

    def _remember(self, request: Request, said: tuple[int, ...]) -> None:
        if request.cache_key is not None:
            self._caches[request.session, request.cache_key, request.role] = request.ids + said


def _limit(request: Request, kept: int) -> int:
    """Tokens in all."""
    further = request.draft.further if request.draft else None
    return request.max_tokens if further is None else min(request.max_tokens, kept + further)


def _reason(request: Request, said: int, planned: int) -> FinishReason:
    if request.cancel.cancelled:
        return "cancelled"
    return "eos" if said == planned else "length"
