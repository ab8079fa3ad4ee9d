"""What goes wrong with a server: when to ask again, and what to tell."""

import httpx

from livemind_app.engine.remote.limits import RemoteLimits
from livemind_app.engine.remote.pulse import NoSignOfLife
from livemind_app.errors import EngineError, ServerBusy, ServerFailed

BACKOFF_S = 0.2
PATIENCE_S = 1.5  # for all pauses of a request: an error is to be seen within 2 s
LATE, BUSY, BROKEN = 408, 429, 500
DENIED = (401, 403)


class Refused(EngineError):
    """The server answered with an error status."""

    def __init__(self, status: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in (LATE, BUSY) or self.status >= BROKEN


Failed = Refused | httpx.TransportError | TimeoutError


def pause(error: Failed, attempt: int, paused: float) -> float | None:
    """Seconds until it is worth asking again, after so many of pauses; None: it is not.

    Who has waited in vain is told at once.
    """
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return None
    if isinstance(error, Refused) and not error.passing:
        return None
    known = error.retry_after if isinstance(error, Refused) else None
    seconds = BACKOFF_S * 2.0**attempt if known is None else known
    return seconds if paused + seconds <= PATIENCE_S else None


def told(error: Failed, base: str, limits: RemoteLimits, *, begun: bool) -> EngineError:
    """A 4xx as it is, for whoever knows the request; everything else in words that quote nothing."""
    if isinstance(error, Refused):
        return _refused(error, base)
    what = "broke off in the middle of an answer" if begun else "does not answer"
    return ServerFailed(f"{base} {what}: {_reason(error, limits, begun=begun)}")


def denied(base: str, status: int) -> str:
    return (
        f"{base} does not take our key, or wants one (status {status}); "
        "set LIVEMIND_API_KEY to one that it takes, and start again"
    )


def _refused(error: Refused, base: str) -> EngineError:
    if error.status in DENIED:
        return Refused(error.status, denied(base, error.status))
    if not error.passing:
        return error
    when = "in a moment" if error.retry_after is None else f"in {error.retry_after:g} s"
    if error.status == BUSY:
        return ServerBusy(f"{base} is busy (status {BUSY}); try again {when}")
    return ServerFailed(f"{base} refuses requests (status {error.status}); try again {when}")


def _reason(error: Failed, limits: RemoteLimits, *, begun: bool) -> str:
    match error:
        case NoSignOfLife():
            return "no sign of life. See whether that server runs and can be reached, then send it again"
        case TimeoutError() if begun:
            name, seconds = "LIVEMIND_REMOTE_BETWEEN_TOKENS_S", limits.between_tokens_s
            return f"it lives, but wrote no token for {seconds:g} s ({name}). Send it again"
        case TimeoutError():
            name, seconds = "LIVEMIND_REMOTE_FIRST_TOKEN_S", limits.first_token_s
            return f"it lives, but wrote no token within {seconds:g} s ({name}). Send it again later"
        case httpx.ConnectTimeout():
            return f"not reached within {limits.connect_s:g} s. See whether it runs, then send it again"
    return f"{type(error).__name__}. Send it again"
