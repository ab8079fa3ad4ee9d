"""The contract of an engine, a typing session and faults, on vLLM with a real model."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from livemind_app.engine.split import OwnedEngine
from livemind_app.errors import ServerFailed
from livemind_app.protocol import Chunk, Request
from livemind_app.session import SessionManager
from livemind_app.session.events import Failure
from tests.engine.test_contract import ids_of, joined
from tests.servers.conftest import RealServer, connected, vllm
from tests.servers.contract import *  # noqa: F403 - run here on another engine
from tests.session.conftest import turn_done, until

TEXT = "Tom has three apples. Ann gives him four more. How many are there now?"
BLOCK = 32  # tokens that the server's prefix cache keeps together


@pytest.fixture
def running(server: RealServer) -> Callable[[], float]:
    return server.running


def test_prompts_that_grow_are_read_once(engine: OwnedEngine) -> None:
    ids = ids_of(engine, TEXT * 4)
    joined(engine.generate(Request(ids[:-20], "llm", 0, session="s", cache_key="grow")))
    finished = joined(engine.generate(Request(ids, "llm", 4, session="s", cache_key="grow")))[2]
    assert finished.cached_tokens >= len(ids) - 20 - BLOCK
    other = joined(engine.generate(Request(ids, "llm", 4, session="s", cache_key="other")))[2]
    assert other.cached_tokens == 0


async def test_a_typing_session(engine: OwnedEngine) -> None:
    manager = SessionManager(engine)
    session = manager.create({"lanes": ["live", "exact", "conventional"], "max_tokens": 24})
    for revision, end in enumerate((21, 30, 60, len(TEXT))):
        session.draft(revision, TEXT[:end])
        await session.settled()
    session.submit(9, TEXT)
    await until(session, turn_done, timeout=120)
    turn = session.state.turn
    assert turn is not None
    assert [lane.status for lane in turn.lanes.values()] == ["done"] * 3
    exact = turn.lanes["exact"]
    assert exact.metrics is not None
    assert exact.metrics.ready_tokens > 0
    assert exact.text == turn.lanes["conventional"].text
    await manager.close()


async def test_a_killed_server_costs_an_answer_and_no_text(server: RealServer) -> None:
    """The error is there at once, and when the server is back, the next question is answered."""
    with connected(server) as engine:
        manager = SessionManager(engine)
        session = manager.create({"lanes": ["conventional"], "max_tokens": 400})
        session.submit(1, "Count from one to two hundred, in words.")
        await until(session, lambda s: bool(s.state.turn and s.state.turn.answer), timeout=60)
        server.kill()
        killed = time.monotonic()
        await until(session, turn_done, timeout=20)
        assert time.monotonic() - killed < 2
        turn = session.state.turn
        assert turn is not None
        assert turn.lanes["conventional"].status == "failed"
        assert turn.prompt.startswith("Count")
        server.start().wait()
        time.sleep(2)  # the breaker's rest
        session.configure({"max_tokens": 8})
        session.submit(2, TEXT)
        await until(session, turn_done, timeout=60)
        assert session.state.turns[-1].lanes["conventional"].status == "done"
        await manager.close()


async def test_a_stopped_server_costs_an_answer_and_no_text(server: RealServer) -> None:
    """It is told long before its next token would be late; and when it goes on, so do we."""
    with connected(server) as engine:
        manager = SessionManager(engine)
        session = manager.create({"lanes": ["conventional"], "max_tokens": 400})
        failures: list[Failure] = []
        manager.observers.append(lambda event: failures.append(event) if isinstance(event, Failure) else None)
        session.submit(1, "Count from one to two hundred, in words.")
        await until(session, lambda s: bool(s.state.turn and s.state.turn.answer), timeout=60)
        server.send(signal.SIGSTOP)
        stopped = time.monotonic()
        session.draft(2, TEXT)
        await until(session, turn_done, timeout=20)
        seconds = time.monotonic() - stopped
        server.send(signal.SIGCONT)
        assert seconds < 2
        (failure,) = failures
        assert server.base in failure.message
        assert "no sign of life" in failure.message
        assert session.state.text == TEXT
        session.configure({"max_tokens": 8})
        session.submit(3, TEXT)
        await until(session, turn_done, timeout=60)
        assert session.state.turns[-1].lanes["conventional"].status == "done"
        await manager.close()


def test_a_server_that_is_drained_is_told_as_one(server: RealServer) -> None:
    with connected(server) as engine:
        outputs = engine.generate(Request(ids_of(engine, "Count to two hundred."), "llm", 400))
        assert isinstance(next(outputs), Chunk)
        server.kill(signal.SIGTERM)
        with pytest.raises(ServerFailed):
            list(outputs)
        server.start().wait()
        assert len(joined(engine.generate(Request(ids_of(engine), "llm", 4)))[0]) == 4


def test_a_server_that_drafts_by_itself_is_reported(server: RealServer, tmp_path: Path) -> None:
    """It takes the other one's place: two take all of a small machine's memory."""
    server.kill()
    drafting = json.dumps({"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 3})
    other = vllm(tmp_path, "--speculative-config", drafting).start()
    try:
        other.wait()
        with connected(other) as engine:
            assert "decodes speculatively by itself" in engine.status()[0].detail
            assert joined(engine.generate(Request(ids_of(engine), "llm", 4)))[0]
    finally:
        other.kill()
