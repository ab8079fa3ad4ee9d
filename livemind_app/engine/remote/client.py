"""Completions of an OpenAI-compatible server as they are generated."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx

from livemind_app.errors import EngineError, ServerFailed

CONNECT_S = 3.0
FIRST_S = 120.0  # a long prompt on a CPU
BETWEEN_S = 30.0
ATTEMPTS = 3  # before the first increment only: what was shown is not generated twice
BACKOFF_S = 0.2
PATIENCE_S = 2.0  # with a server that says when to come back
RETRIED = (408, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Piece:
    """What one event says."""

    text: str = ""
    ids: tuple[int, ...] | None = None  # None: the server does not tell
    finish: str | None = None
    stopped_by: str | int | None = None
    logprobs: Mapping[str, float] = field(default_factory=dict)  # of the likeliest next tokens
    cached: int = 0


class Refused(EngineError):
    """The server answered with an error status."""

    def __init__(self, status: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class Client:
    """One server; used on one event loop."""

    def __init__(self, base: str, key: str = "") -> None:
        self._base = base
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(BETWEEN_S, connect=CONNECT_S, read=FIRST_S)
        # No proxies and no redirects: half-typed text goes where the operator said, and nowhere else.
        self._http = httpx.AsyncClient(
            base_url=base, headers=headers, timeout=timeout, trust_env=False, follow_redirects=False
        )

    async def models(self) -> list[dict[str, Any]]:
        """What is served: at least `id` each. Raises ServerFailed."""
        try:
            response = await self._http.get("/models", timeout=CONNECT_S)
            response.raise_for_status()
            return list(response.json()["data"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise ServerFailed(f"{self._base} does not answer ({type(error).__name__})") from error

    async def complete(
        self, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AsyncGenerator[Piece, None]:
        """Pieces until the server finishes. Raises Refused or ServerFailed; closing it stops the server."""
        for attempt in range(1, ATTEMPTS + 1):
            begun = False
            try:
                async with aclosing(self._attempt(body, headers)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
                return
            except (Refused, httpx.TransportError, TimeoutError) as error:
                again = not isinstance(error, Refused) or error.status in RETRIED
                if begun or not again or attempt == ATTEMPTS:
                    raise _failed(self._base, error, begun=begun) from error
                await asyncio.sleep(_pause(error, attempt))

    async def _attempt(
        self, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AsyncGenerator[Piece, None]:
        request = self._http.stream("POST", "/completions", json=dict(body), headers=dict(headers))
        async with request as response:
            if response.status_code != httpx.codes.OK:
                raise await _refusal(response)
            finished = False
            async for event in _events(response):
                piece = _piece(event)
                finished = finished or piece.finish is not None
                yield piece
            if not finished:  # [DONE] alone means nothing: a killed worker sends it too
                raise httpx.RemoteProtocolError("the stream ended before the answer did")

    async def close(self) -> None:
        await self._http.aclose()


async def _events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    lines, patience = response.aiter_lines(), FIRST_S
    while True:
        try:
            async with asyncio.timeout(patience):  # wait_for can lose a cancellation (Python 3.11)
                line = await anext(lines)
        except StopAsyncIteration:
            return
        if not line.startswith("data:") or (data := line[5:].strip()) == "[DONE]":
            continue
        patience = BETWEEN_S
        yield _json(data)


def _json(data: str) -> dict[str, Any]:
    try:
        event: dict[str, Any] = json.loads(data)
    except ValueError as error:
        raise httpx.RemoteProtocolError("the stream was cut") from error
    if "error" in event:
        raise httpx.RemoteProtocolError("the server reported an error")  # its text may quote the prompt
    return event


def _piece(event: Mapping[str, Any]) -> Piece:
    usage = event.get("usage") or {}
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    if not event.get("choices"):
        return Piece(cached=cached)
    choice = event["choices"][0]
    ids, top = choice.get("token_ids"), ((choice.get("logprobs") or {}).get("top_logprobs") or [{}])[0]
    return Piece(
        text=choice.get("text") or "",
        ids=None if ids is None else tuple(ids),
        finish=choice.get("finish_reason"),
        stopped_by=choice.get("stop_reason"),
        logprobs=top or {},
        cached=cached,
    )


async def _refusal(response: httpx.Response) -> Refused:
    raw = response.headers.get("Retry-After", "")
    body = (await response.aread()).decode("utf-8", "replace")
    return Refused(response.status_code, body[:2000], float(raw) if raw.isdigit() else None)


def _pause(error: Exception, attempt: int) -> float:
    asked = error.retry_after if isinstance(error, Refused) else None
    return min(asked if asked is not None else BACKOFF_S * 2**attempt, PATIENCE_S)


def _failed(base: str, error: Exception, *, begun: bool) -> EngineError:
    """A 4xx as it is, for whoever knows the request; everything else in words that quote nothing."""
    if isinstance(error, Refused) and error.status not in RETRIED:
        return error
    if isinstance(error, Refused):
        return ServerFailed(f"{base} refuses requests (status {error.status}); try again in a moment")
    what = "broke off in the middle of an answer" if begun else "does not answer"
    return ServerFailed(f"{base} {what} ({type(error).__name__}); send it again")
