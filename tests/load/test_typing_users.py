"""Gate 1: users who type, on a server with an engine that needs no model."""

import asyncio
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from livemind_app.cli import main
from livemind_app.session.limits import Limits
from livemind_app.session.manager import SessionManager
from tests.load.conftest import FULL, SECONDS, told
from tests.load.gates import TEXT, CountingEngine
from tests.serving.conftest import serving

NONE = (
    *("lost_drafts", "drafts_lost_at_renewal", "renewed_sessions", "failed_answers", "responses_5xx"),
    *("responses_refused", "retry_after_missing", "rejected_requests", "refused_connections"),
)


def expect_nothing_lost(summary: dict[str, Any]) -> None:
    assert {name: summary[name] for name in NONE} == dict.fromkeys(NONE, 0)


async def test_a_session_has_one_guess_at_a_time() -> None:
    engine = CountingEngine()
    manager = SessionManager(engine)
    random = Random(7)
    sessions = [manager.create({"mode": "exact", "lanes": ["exact"]}) for _ in range(8)]
    for revision in range(1, 200):
        session = sessions[revision % len(sessions)]
        session.draft(revision, TEXT[: random.randrange(len(TEXT))] + random.choice(["", "?", "."]))
        if random.random() < 0.3:
            await asyncio.sleep(0.005)
    for session in sessions:
        session.draft(1000, TEXT)
        await session.settled()
    assert engine.most
    assert set(engine.most.values()) == {1}
    await manager.close()
    engine.close()


def test_users_have_one_guess_at_a_time_each(tmp_path: Path) -> None:
    """The same users, whose engine is counted in: not for its times."""
    out, engine, users = tmp_path / "load.json", CountingEngine(), 100 if FULL else 8
    with serving(Limits(max_sessions=users), engine=engine) as service:
        command = ["bench", "load", "--url", str(service.http.base_url), "--sessions", str(users)]
        command += ["--keys-per-second", "6" if FULL else "60", "--seconds", "60" if FULL else "3"]
        assert main([*command, "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    expect_nothing_lost(summary)
    assert 0 < len(engine.most) <= users
    assert set(engine.most.values()) == {1}


@pytest.mark.skipif(not FULL, reason="make test-load; tests/benchmark/load has the short one")
@pytest.mark.timeout(600)
def test_a_hundred_users_type_for_five_minutes(tmp_path: Path) -> None:
    out = tmp_path / "load.json"
    command = ["bench", "load", "--sessions", "100", "--keys-per-second", "6", "--seconds", "300"]
    assert main([*command, "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    told(**summary)
    assert summary["ack_p99_ms"] < 100
    assert summary["rss_growth_mb"] < 30
    assert summary["answers"] > 0
    expect_nothing_lost(summary)


@pytest.mark.skipif(not FULL, reason="make test-load; LIVEMIND_LOAD_SECONDS says how long")
@pytest.mark.timeout(SECONDS + 300)
def test_a_soak(tmp_path: Path) -> None:
    """Fewer users for as long as one likes: nothing grows, nothing is lost."""
    out = tmp_path / "load.json"
    command = ["bench", "load", "--sessions", "30", "--keys-per-second", "4", "--seconds", str(SECONDS)]
    assert main([*command, "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    told(**summary)
    assert summary["rss_growth_mb"] < 30
    assert summary["answers"] > 0
    expect_nothing_lost(summary)
