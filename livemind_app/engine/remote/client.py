"""Completions of an OpenAI-compatible server as they are generated."""

import asyncio
import json
from asyncio import sleep
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx

from livemind_app.engine.remote.failures import DENIED, Refused, denied, pause, told
from livemind_app.engine.remote.limits import USUAL, RemoteLimits
from livemind_app.engine.remote.pulse import Pulse
from livemind_app.errors import ModelError, ServerFailed

ATTEMPTS = 3  # before the first increment only: what was shown is not generated twice


@dataclass(frozen=True)
class Piece:
    """What one event says."""

    text: str = ""
    ids: tuple[int, ...] | None = None  # None: the server does not tell
    finish: str | None = None
    stopped_by: str | int | None = None
    logprobs: Mapping[str, float] = field(default_factory=dict)  # of the likeliest next tokens
    cached: int = 0


class Client:
    """One server; used on one event loop."""

    def __init__(self, base: str, key: str = "", limits: RemoteLimits = USUAL) -> None:
        self._base = base
        self._limits = limits
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # No proxies and no redirects: half-typed text goes where the operator said, and nowhere else.
        self._http = httpx.AsyncClient(
            base_url=base,
            headers=headers,
            timeout=httpx.Timeout(None, connect=limits.connect_s),  # the rest is the pulse's to say
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            trust_env=False,
            follow_redirects=False,
        )
        self._pulse = Pulse(lambda: self._http.get("/models"), limits.alive_s)

    async def models(self) -> list[dict[str, Any]]:
        """What is served: at least `id` each. Raises ServerFailed; ModelError where the key is refused."""
        try:
            response = await self._http.get("/models", timeout=self._limits.connect_s)
            if response.status_code in DENIED:
                raise ModelError(denied(self._base, response.status_code))
            response.raise_for_status()
            return list(response.json()["data"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise ServerFailed(f"{self._base} does not answer ({type(error).__name__})") from error

    async def metrics(self) -> str:
        """The server's figures for Prometheus, as text; empty where it has none."""
        try:
            url = f"{self._base.removesuffix('/v1')}/metrics"
            response = await self._http.get(url, timeout=self._limits.connect_s)
        except httpx.HTTPError:
            return ""
        return response.text if response.status_code == httpx.codes.OK else ""

    async def complete(
        self, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AsyncGenerator[Piece, None]:
        """Pieces until the server finishes. Raises Refused or ServerFailed; closing it stops the server."""
        paused = 0.0
        for attempt in range(1, ATTEMPTS + 1):
            begun = False
            try:
                async with aclosing(self._attempt(body, headers)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
                return
            except (Refused, httpx.TransportError, TimeoutError) as error:
                seconds = None if begun or attempt == ATTEMPTS else pause(error, attempt, paused)
                if seconds is None:
                    raise told(error, self._base, self._limits, begun=begun) from error
                await sleep(seconds)
                paused += seconds

    async def _attempt(
        self, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AsyncGenerator[Piece, None]:
        until = _now() + self._limits.first_token_s
        request = self._http.stream("POST", "/completions", json=dict(body), headers=dict(headers))
        async with AsyncExitStack() as opened:
            response = await self._pulse.wait(opened.enter_async_context(request), until)
            if response.status_code != httpx.codes.OK:
                raise await self._pulse.wait(_refusal(response), until)
            finished = False
            async for event in self._events(response, until):
                piece = _piece(event)
                finished = finished or piece.finish is not None
                yield piece
            if not finished:  # [DONE] alone means nothing: a killed worker sends it too
                raise httpx.RemoteProtocolError("the stream ended before the answer did")

    async def _events(self, response: httpx.Response, until: float) -> AsyncIterator[dict[str, Any]]:
        lines = _lines(response)
        while True:
            try:
                line = await self._pulse.wait(anext(lines), until)
            except StopAsyncIteration:
                return
            if not line.startswith("data:") or (data := line[5:].strip()) == "[DONE]":
                continue
            yield _json(data)
            until = _now() + self._limits.between_tokens_s

    async def close(self) -> None:
        await self._http.aclose()


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Only a line feed ends one: httpx's own end at U+2028 too, which JSON may hold as it is."""
    rest = b""
    async for data in response.aiter_bytes():
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")


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


def _now() -> float:
    return asyncio.get_running_loop().time()
