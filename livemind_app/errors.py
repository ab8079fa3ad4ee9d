"""The errors that users meet, one small tree.

    LiveMindError
    ├── ConfigError            options that are out of range or do not go together
    ├── ModelError
    │   ├── UnknownModel       no catalogue entry, folder or hub id of that name
    │   ├── DownloadFailed     no source could give the bytes
    │   ├── ChecksumMismatch   the bytes are not the published file
    │   └── InsufficientSpace  the disk cannot hold the file and its conversion
    ├── EngineError
    │   ├── ContextTooLong     the prompt does not fit the model's context
    │   ├── GenerationFailed   a forward pass failed; its cache was discarded
    │   └── ServerFailed       a remote model server does not answer, or broke off
    │       └── ServerBusy     it is alive and has no room for a request
    └── SessionError           each subclass has the HTTP status that says the same
        ├── SessionNotFound    404
        ├── StaleRevision      409
        ├── TurnRunning        409
        ├── NothingToRetry     409
        ├── TooManyTurns       409
        ├── BenchmarkRunning   409
        ├── TextTooLong        413
        ├── InvalidText        422
        ├── TooManySessions    429
        ├── TooManyRequests    429
        ├── Overloaded         429
        └── ServerDraining     503

Messages name what was wrong and what to do. They never quote text that a user typed. Each class has a stable
name, `code`, by which the page says the same in other languages.
"""

import traceback
from typing import ClassVar


def where_raised(error: BaseException) -> str:
    """An exception's type and lines of code for a log. Its message may quote a draft, as pydantic's do."""
    return f"{''.join(traceback.format_tb(error.__traceback__))}{type(error).__name__}"


class Coded(str):
    """A text for people, with a stable name by which it can be said in another language.

    >>> Coded("still_loading", "the models are still loading").code
    'still_loading'
    """

    code: str

    def __new__(cls, code: str, text: str) -> "Coded":
        made = super().__new__(cls, text)
        made.code = code
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]  # of str: the text alone
        return self.code, str(self)


class LiveMindError(Exception):
    """Base of all errors raised on purpose by this package."""

    code: ClassVar[str] = "internal_error"

    @property
    def coded(self) -> Coded:
        """The message with its name."""
        return Coded(self.code, str(self))


class ConfigError(LiveMindError, ValueError):
    """An option is out of range or conflicts with another; the message names both."""

    code = "invalid_option"


class ModelError(LiveMindError):
    """A model cannot be found, fetched, converted or loaded."""

    code = "model_error"


class UnknownModel(ModelError):
    """The name is no catalogue entry, local folder or hub id."""

    code = "unknown_model"


class DownloadFailed(ModelError):
    """Every source of a model's bytes failed; the message lists each with its reason."""

    code = "download_failed"


class ChecksumMismatch(ModelError):
    """A file's SHA-256 differs from the published one; both are named."""

    code = "checksum_mismatch"


class InsufficientSpace(ModelError):
    """The disk has less free space than the download and its conversion need."""

    code = "insufficient_space"


class EngineError(LiveMindError):
    """The engine could not do what a request asked."""

    code = "engine_error"


class ContextTooLong(EngineError):
    """The prompt and the answer's budget exceed the model's context."""

    code = "context_too_long"


class GenerationFailed(EngineError):
    """A forward pass raised; the request's cache was discarded."""

    code = "generation_failed"


class ServerFailed(EngineError):
    """A remote model server does not answer, refuses, or broke off in the middle of an answer."""

    code = "server_failed"


class ServerBusy(ServerFailed):
    """A remote model server refuses more requests than it has; the message says when to come back."""

    code = "server_busy"


class SessionError(LiveMindError):
    """A request to a session was refused. `status` is the HTTP status.

    `retry_after_s`: when the same request may succeed, where waiting helps.
    """

    status: ClassVar[int] = 400
    code = "session_error"
    retry_after_s: int | None = None


class SessionNotFound(SessionError):
    status, code = 404, "unknown_session"


class StaleRevision(SessionError):
    """`revision` is the newest that was seen; a greater one is taken."""

    status, code = 409, "stale_revision"

    def __init__(self, message: str, revision: int) -> None:
        super().__init__(message)
        self.revision = revision


class TurnRunning(SessionError):
    status, code = 409, "turn_running"


class NothingToRetry(SessionError):
    status, code = 409, "nothing_to_retry"


class TooManyTurns(SessionError):
    status, code = 409, "too_many_turns"


class BenchmarkRunning(SessionError):
    status, code = 409, "benchmark_running"


class TextTooLong(SessionError):
    """`limit`: characters that a text may have."""

    status, code = 413, "text_too_long"

    def __init__(self, message: str, limit: int) -> None:
        super().__init__(message)
        self.limit = limit


class InvalidText(SessionError):
    status, code = 422, "invalid_text"


class TooManySessions(SessionError):
    status, code = 429, "too_many_sessions"
    retry_after_s = 30  # a guess: sessions come free when pages close or idle ones expire


class TooManyRequests(SessionError):
    """One client asked more often than the operator allows."""

    status, code = 429, "too_many_requests"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Overloaded(SessionError):
    """More answers are being written than the operator allows."""

    status, code = 429, "overloaded"
    retry_after_s = 3


class ServerDraining(SessionError):
    """The server finishes what it has begun, and then stops."""

    status, code = 503, "draining"
    retry_after_s = 5
