"""Load on a real server process, short; and what is counted when a server misbehaves."""

import asyncio
import json
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import pytest

from livemind_app.benchmark.load.tally import Tally
from livemind_app.benchmark.load.user import User
from livemind_app.cli import main


def bench(out: Path, *more: str) -> dict[str, Any]:
    command = ["bench", "load", "--sessions", "4", "--keys-per-second", "100", "--seconds", "4"]
    assert main([*command, "--json", str(out), *more]) == 0
    result: dict[str, Any] = json.loads(out.read_text())
    return result["summary"]  # type: ignore[no-any-return]


def test_a_server_bears_typing_users(tmp_path: Path) -> None:
    summary = bench(tmp_path / "load.json")
    assert summary["answers"] >= 2
    assert summary["drafts"] > 50
    assert summary["disconnects"] > 0
    bad = ("failed_answers", "lost_drafts", "responses_5xx", "responses_refused", "retry_after_missing")
    assert {name: summary[name] for name in bad} == dict.fromkeys(bad, 0)
    assert 0 < summary["ack_p50_ms"] <= summary["ack_p99_ms"]
    assert isinstance(summary["rss_growth_mb"], float)


def test_users_beyond_the_limit_are_told_when_to_come_back(tmp_path: Path) -> None:
    summary = bench(tmp_path / "load.json", "--max-sessions", "2")
    assert summary["responses_refused"] >= 2
    assert summary["retry_after_missing"] == summary["responses_5xx"] == summary["lost_drafts"] == 0


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (500, {"responses_5xx": 1}),
        (503, {"responses_refused": 1, "retry_after_missing": 1}),
        (404, {"renewed_sessions": 1}),
    ],
)
async def test_what_a_server_does_wrong_is_counted(status: int, expected: dict[str, int]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={})

    tally = Tally()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://x") as http:
        user = User(http, tally, ["Hello there."], 100.0, seed=0)
        task = asyncio.create_task(user.run(perf_counter() + 0.2))
        await asyncio.wait([task])
    counted = {name: tally.counts[name] for name in expected}
    assert all(counted[name] >= least for name, least in expected.items())


def test_nonsense_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "load", "--sessions", "0", "--json", str(tmp_path / "x")]) == 2
    assert "--sessions" in capsys.readouterr().err
