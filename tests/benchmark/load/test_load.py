"""Load on a real server process, short; and what is counted when a server misbehaves."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import pytest

from livemind_app.benchmark.load import user
from livemind_app.benchmark.load.server import environment
from livemind_app.benchmark.load.tally import Tally
from livemind_app.benchmark.load.user import User
from livemind_app.cli import main
from livemind_app.serving.history import History
from livemind_app.session.limits import Limits
from tests.serving.conftest import serving


def bench(out: Path, *more: str) -> dict[str, Any]:
    command = ["bench", "load", "--sessions", "2", "--keys-per-second", "1000", "--seconds", "10"]
    assert main([*command, "--json", str(out), *more]) == 0
    result: dict[str, Any] = json.loads(out.read_text())
    return result["summary"]  # type: ignore[no-any-return]


def test_a_server_bears_typing_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server that users have: also its history is written."""
    monkeypatch.setenv("LIVEMIND_HISTORY", str(tmp_path / "history.sqlite"))
    summary = bench(tmp_path / "load.json")
    assert len(History(str(tmp_path / "history.sqlite")).read(1000, None)) >= summary["answers"]
    assert summary["answers"] >= 1
    assert summary["drafts"] > 50
    assert summary["disconnects"] > 0
    bad = ("failed_answers", "lost_drafts", "responses_5xx", "responses_refused", "retry_after_missing")
    bad += ("rejected_requests", "refused_connections", "renewed_sessions", "drafts_lost_at_renewal")
    assert {name: summary[name] for name in bad} == dict.fromkeys(bad, 0)
    assert 0 < summary["ack_p50_ms"] <= summary["ack_p99_ms"]
    assert isinstance(summary["rss_growth_mb"], float)


def test_users_beyond_the_limit_are_told_when_to_come_back(tmp_path: Path) -> None:
    with serving(Limits(max_sessions=1)) as service:
        summary = bench(tmp_path / "load.json", "--url", str(service.http.base_url), "--seconds", "3")
    assert summary["responses_refused"] >= 1
    bad = ("retry_after_missing", "responses_5xx", "rejected_requests", "lost_drafts")
    assert {name: summary[name] for name in bad} == dict.fromkeys(bad, 0)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (500, {"responses_5xx": 1}),
        (503, {"responses_refused": 1, "retry_after_missing": 1}),
        (404, {"renewed_sessions": 1}),
        *((status, {"rejected_requests": 1}) for status in (401, 409, 413, 422)),
    ],
)
async def test_what_a_server_does_wrong_is_counted(status: int, expected: dict[str, int]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={})

    tally = Tally()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://x") as http:
        await User(http, tally, ["Hello there."], 100.0, seed=0).run(perf_counter() + 0.2)
    counted = {name: tally.counts[name] for name in expected}
    assert all(counted[name] >= least for name, least in expected.items())


@pytest.mark.parametrize("status", [409, 422])
async def test_a_rejected_stream_is_counted(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user, "SEEN_S", 0.2)

    def answer(request: httpx.Request) -> httpx.Response:
        reading = request.url.path.endswith("/events")
        return httpx.Response(status if reading else 202, json={"session": "one"})

    tally = Tally()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://x") as http:
        await User(http, tally, ["Hello there."], 100.0, seed=0).run(perf_counter() + 0.2)
    assert tally.counts["rejected_requests"] >= 1


class Echo:
    """Acknowledges every draft; `told` makes of it what the stream tells, None: nothing.

    It forgets the session after so many drafts.
    """

    def __init__(self, told: Callable[[str], str | None], forgets_after: int | None = None) -> None:
        self._told = told
        self._left = forgets_after
        self._drafts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events"):
            return httpx.Response(200, content=self._stream())
        if request.method == "PUT":
            if self._left == 0:
                self._left = None
                return httpx.Response(404)
            self._left = self._left and self._left - 1
            self._drafts.put_nowait(json.loads(request.content))
        return httpx.Response(202, json={"session": "one"})

    async def _stream(self) -> AsyncIterator[bytes]:
        while True:
            draft = await self._drafts.get()
            text = self._told(draft["text"])
            if text is not None:
                event = {"type": "segments", "revision": draft["revision"], "segments": [{"text": text}]}
                yield f"id: 1\ndata: {json.dumps(event)}\n\n".encode()


@pytest.mark.parametrize(
    ("told", "lost"),
    [(str, False), (str.upper, True), (lambda text: None, True), (lambda text: text[5:] and None, True)],
    ids=["all", "another text", "none", "the last not"],
)
async def test_drafts_that_do_not_come_back_are_counted(
    told: Callable[[str], str | None], lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user, "SEEN_S", 0.2)
    monkeypatch.setattr(user, "ANSWER_S", 0.1)
    monkeypatch.setattr(user, "DISCONNECTS", 0.0)
    tally, transport = Tally(), httpx.MockTransport(Echo(told))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        await User(http, tally, ["Hello there."], 200.0, seed=0).run(perf_counter() + 0.5)
    assert tally.counts["drafts"] > 0
    assert bool(tally.counts["lost_drafts"]) == lost
    assert tally.counts["lost_drafts"] <= tally.counts["drafts"]


@pytest.mark.parametrize(("told", "lost"), [(str, 1), (lambda text: None, 5)], ids=["told", "not told"])
async def test_a_server_that_forgets_a_session_loses_its_drafts(
    told: Callable[[str], str | None], lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user, "DISCONNECTS", 0.0)
    tally, transport = Tally(), httpx.MockTransport(Echo(told, forgets_after=5))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        typing = User(http, tally, ["Hello there, what is the time?"], 200.0, seed=0)
        running = asyncio.create_task(typing.run(perf_counter() + 60))
        while not tally.counts["renewed_sessions"]:
            assert not running.done()
            await asyncio.sleep(0.001)
        running.cancel()
    assert (tally.counts["renewed_sessions"], tally.counts["drafts_lost_at_renewal"]) == (1, lost)


def test_our_own_server_serves_as_it_does_for_users(tmp_path: Path) -> None:
    given = {"LIVEMIND_PASSWORD": "x", "SPACE_ID": "y", "GRADIO_SERVER_NAME": "z", "PATH": "/bin"}
    limits = {"LIVEMIND_MAX_SESSIONS": "7", "LIVEMIND_DRAIN_S": "1"}
    kept = {"LIVEMIND_HISTORY": str(tmp_path / "history.sqlite")}
    assert environment(given, 7, tmp_path) == {"PATH": "/bin"} | limits | kept
    assert environment({"LIVEMIND_HISTORY": "off"}, 7, tmp_path) == {"LIVEMIND_HISTORY": "off"} | limits


def test_nonsense_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "load", "--sessions", "0", "--json", str(tmp_path / "x")]) == 2
    assert "--sessions" in capsys.readouterr().err
