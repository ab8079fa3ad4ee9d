"""The engine protocol: token ids in, chunks out.

An engine knows token ids, roles and priorities; it knows nothing of sessions, segments or notes.
Sessions, benchmarks and library users see only what this module names, so a local engine, a remote
one and the scripted one of the tests are interchangeable.
"""

import threading
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, Protocol, TypedDict

Role = Literal["llm", "slm"]
ROLES: tuple[Role, ...] = ("llm", "slm")
FinishReason = Literal["eos", "stop", "length", "cancelled"]


class Message(TypedDict):
    """One chat message; `role` is system, user or assistant."""

    role: str
    content: str


class Priority(IntEnum):
    """Who computes first; a smaller number takes over between two tokens."""

    ANSWER = 0
    NOTE = 1
    SPECULATION = 2
    BASELINE = 3


class Cancel:
    """A flag that its owner raises once and the engine looks at before every forward."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> None:
        """Raise the flag; safe from any thread, any number of times."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn; temperature 0 is greedy and ignores top-p, top-k and the seed."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0  # 0: no limit
    seed: int | None = None
    repetition_penalty: float = 1.0  # 1: none; greedy decoding is penalized too


@dataclass(frozen=True)
class Request:
    """One generation.

    `max_tokens=0` only prefills. `score` asks for the log-probabilities of these token ids as the
    first token after the prompt. `cache_key` names the KV cache to reuse and to leave behind;
    None computes on a cache of its own, dropped at the end. `lookahead` drafts several tokens a forward,
    where the engine can; it changes nothing that is said.
    """

    ids: tuple[int, ...]
    role: Role
    max_tokens: int
    session: str = ""
    cache_key: str | None = None
    priority: Priority = Priority.ANSWER
    sampling: Sampling = Sampling()
    stops: tuple[str, ...] = ()
    score: tuple[int, ...] = ()
    lookahead: bool = False
    cancel: Cancel = field(default_factory=Cancel)


@dataclass(frozen=True)
class Chunk:
    """New tokens and the text they complete; the text may be empty inside a character."""

    ids: tuple[int, ...]
    text: str
    drafted: bool = False  # by lookahead, and the model agreed


@dataclass(frozen=True)
class Finished:
    """The last output of every generation that did not fail. Times are seconds."""

    reason: FinishReason
    prompt_tokens: int = 0
    cached_tokens: int = 0  # of the prompt, found in the cache
    tokens: int = 0  # generated, end-of-sequence not counted
    waited_s: float = 0.0  # queued or preempted
    prefill_s: float = 0.0
    decode_s: float = 0.0
    forwards: int = 0  # that decoded
    drafted: int = 0  # tokens that lookahead had verified
    draft_s: float = 0.0  # of decode_s, spent on drafting
    interrupted: bool = False  # another session computed meanwhile
    scores: tuple[float, ...] = ()  # log-probabilities, in the order of Request.score

    @property
    def prefilled_tokens(self) -> int:
        return self.prompt_tokens - self.cached_tokens


Output = Chunk | Finished


@dataclass(frozen=True)
class ModelStatus:
    """What one role's model is doing; `progress` is 0 to 1 while fetching."""

    role: Role
    name: str
    state: Literal["missing", "fetching", "loading", "ready", "failed"]
    progress: float | None = None
    detail: str = ""


class Tokenizer(Protocol):
    """Text to ids and back for one model."""

    def render(self, messages: Sequence[Message], *, answer: bool = True) -> tuple[int, ...]:
        """Ids of a chat by the model's own template.

        answer=True opens an assistant turn for the model to fill; if the last message is an
        assistant's, that turn is left open after its content instead.
        """
        ...

    def encode(self, text: str) -> tuple[int, ...]:
        """Ids of bare text, no special tokens added."""
        ...

    def decode(self, ids: Sequence[int]) -> str: ...


class Engine(Protocol):
    """What a session needs of an engine."""

    async def ready(self) -> None:
        """Return when models are loaded; raise ModelError or EngineError if they never will be."""
        ...

    def status(self) -> tuple[ModelStatus, ...]: ...

    def tokenizer(self, role: Role) -> Tokenizer:
        """Valid once ready() returned."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[Output, None]:
        """Chunks, then one Finished. Closing the iterator cancels the request."""
        ...

    def generate(self, request: Request) -> Iterator[Output]:
        """The same for callers without an event loop."""
        ...

    def forget(self, session: str) -> None:
        """Drop every cache of a session."""
        ...
