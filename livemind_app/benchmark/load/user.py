"""One user at a keyboard, and the page that acts for them: whole texts, one stream that comes back."""

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from time import perf_counter
from typing import Any

import httpx

from livemind_app.benchmark.load.tally import Tally

EDITS = 0.05  # of drafts that change something in the middle
DISCONNECTS = 0.02  # of drafts after which the stream is lost
SPREAD = 0.4  # of log(gap between keys)
SEEN_S = 5.0  # until an acknowledged draft must have come back in the stream
ANSWER_S = 60.0
FAILED_S = 0.5  # between a failure and the next attempt
TOO_MANY = (429, 503)


class Refused(Exception):
    """Too many: come back after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Gone(Exception):
    """The session is not known any more."""


class User:
    def __init__(
        self, http: httpx.AsyncClient, tally: Tally, texts: Sequence[str], keys_per_second: float, seed: int
    ) -> None:
        self._http = http
        self._tally = tally
        self._texts = texts
        self._rate = keys_per_second
        self._random = Random(seed)  # noqa: S311 - a simulation
        self._token = ""
        self._revision = 0
        self._last = 0  # event that was read
        self._news = asyncio.Condition()
        self._seen = -1  # the newest revision that the stream told
        self._sent: dict[int, str] = {}  # drafts that it did not tell yet, by revision
        self._acknowledged: deque[tuple[int, float]] = deque()  # of these, and when
        self._held = False  # the session has a draft that was not submitted
        self._turn: dict[str, Any] | None = None  # prompt, and how its lane ended

    async def run(self, until: float) -> None:
        """Type and ask until that moment, whatever the server does."""
        await asyncio.sleep(self._random.uniform(0, 1 / self._rate))
        while perf_counter() < until:
            try:
                await self._converse(until)
            except Refused as refused:
                await asyncio.sleep(max(min(refused.seconds, until - perf_counter()), 0))
            except Gone:
                self._count_forgotten()
                self._token = ""
            except httpx.TransportError:
                self._tally.add("refused_connections")
                await asyncio.sleep(FAILED_S)
            except httpx.HTTPStatusError:
                await asyncio.sleep(FAILED_S)
        if self._token:
            with suppress(httpx.TransportError):
                self._count(await self._http.delete(f"/api/sessions/{self._token}"))

    async def _converse(self, until: float) -> None:
        if not self._token:
            created = await self._send("POST", "", {"options": {"lanes": ["live"]}})
            self._token, self._last, self._seen = created["session"], 0, -1
        self._reading = asyncio.create_task(self._read())
        try:
            while perf_counter() < until:
                await self._ask(self._random.choice(self._texts), until)
            await self._all_seen()
        finally:
            self._reading.cancel()

    async def _ask(self, text: str, until: float) -> None:
        for end in range(1, len(text) + 1):
            await asyncio.sleep(self._random.lognormvariate(0, SPREAD) / self._rate)
            if perf_counter() > until:
                return
            await self._draft(self._mistyped(text[:end]))
        await self._draft(text)
        await self._all_seen()
        await self._submit(text)

    def _mistyped(self, text: str) -> str:
        if self._random.random() >= EDITS:
            return text
        at = self._random.randrange(len(text))
        return text[:at] + self._random.choice("abc ") + text[at + 1 :]

    async def _draft(self, text: str) -> None:
        self._revision += 1
        began = perf_counter()
        body = {"revision": self._revision, "text": text}
        self._sent[self._revision] = text
        await self._send("PUT", f"/{self._token}/draft", body)
        now = perf_counter()
        self._tally.acks.append(now - began)
        self._tally.add("drafts")
        self._acknowledged.append((self._revision, now))
        self._held = True
        self._count_lost(now - SEEN_S)
        if self._random.random() < DISCONNECTS:
            self._tally.add("disconnects")
            self._reading.cancel()
            self._reading = asyncio.create_task(self._read())

    async def _all_seen(self) -> None:
        newest = self._acknowledged[-1][0] if self._acknowledged else self._seen
        await self._comes(lambda: self._seen >= newest, SEEN_S)
        self._count_lost(perf_counter())

    def _count_lost(self, before: float) -> None:
        """Drafts that were acknowledged before, and neither they nor newer ones came back."""
        while self._acknowledged and (
            self._acknowledged[0][0] <= self._seen or self._acknowledged[0][1] < before
        ):
            revision, _ = self._acknowledged.popleft()
            self._tally.add("lost_drafts", revision > self._seen)

    def _count_forgotten(self) -> None:
        """Of the session that is gone: drafts that never came back, at least the one that it held."""
        unseen = sum(revision > self._seen for revision, _ in self._acknowledged)
        self._tally.add("renewed_sessions")
        self._tally.add("drafts_lost_at_renewal", max(unseen, self._held))
        self._held = False
        self._sent.clear()
        self._acknowledged.clear()

    async def _submit(self, text: str) -> None:
        self._revision += 1
        self._turn = None
        await self._send("POST", f"/{self._token}/submit", {"revision": self._revision, "text": text})
        self._held = False
        ended = await self._comes(lambda: bool(self._turn and "status" in self._turn), ANSWER_S)
        turn: dict[str, Any] = self._turn or {}
        answered = ended and turn["status"] in ("done", "interrupted")
        self._tally.add("answers" if answered else "failed_answers")
        self._tally.add("lost_drafts", ended and turn.get("prompt") != text)
        await self._send("POST", f"/{self._token}/clear", {})

    async def _comes(self, condition: Any, seconds: float) -> bool:
        """Whether the stream tells this within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(condition)
        return bool(condition())

    async def _send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await self._http.request(method, f"/api/sessions{path}", json=body)
        self._count(response)
        if response.status_code in TOO_MANY:
            raise Refused(float(response.headers.get("Retry-After", 1)))
        if response.status_code == httpx.codes.NOT_FOUND:
            raise Gone
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    def _count(self, response: httpx.Response) -> None:
        """What is no success, but for a session that is not known: that is counted when it is made anew."""
        if response.status_code in TOO_MANY:
            self._tally.add("responses_refused")
            self._tally.add("retry_after_missing", "Retry-After" not in response.headers)
        elif response.is_server_error:
            self._tally.add("responses_5xx")
        elif response.is_client_error and response.status_code != httpx.codes.NOT_FOUND:
            self._tally.add("rejected_requests")

    async def _read(self) -> None:
        """The stream, from the last event on; it is opened again when it ends."""
        while True:
            headers = {"Last-Event-ID": str(self._last)}
            url = f"/api/sessions/{self._token}/events"
            with suppress(httpx.TransportError):
                async with self._http.stream("GET", url, headers=headers, timeout=None) as response:
                    self._count(response)
                    if response.status_code == httpx.codes.NOT_FOUND:
                        return
                    await self._frames(response)
            await asyncio.sleep(0.2)

    async def _frames(self, response: httpx.Response) -> None:
        async for line in response.aiter_lines():
            if line.startswith("id:"):
                self._last = int(line[3:])
            elif line.startswith("data:"):
                async with self._news:
                    self._see(json.loads(line[5:]))
                    self._news.notify_all()

    def _compare(self, revision: int, text: str) -> None:
        """A draft that comes back as another text is lost as well; a prompt is compared by itself."""
        self._tally.add("lost_drafts", self._sent.get(revision, text) != text)
        self._seen = max(self._seen, revision)
        self._sent = {sent: draft for sent, draft in self._sent.items() if sent > revision}

    def _see(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "segments" | "state":
                self._compare(event["revision"], "".join(segment["text"] for segment in event["segments"]))
                if event.get("turns"):  # events were lost: the picture says how it ended
                    turn = event["turns"][-1]
                    ended = {"status": turn["lanes"]["live"]["status"]} if turn["done"] else {}
                    self._turn = {"prompt": turn["prompt"], **ended}
            case "turn" if not event["done"]:
                self._turn = {"prompt": event["prompt"]}
            case "lane" if event["metrics"] and self._turn is not None:
                self._turn["status"] = event["status"]
            case "error" if self._turn is not None:
                self._turn["status"] = "failed"
