"""The contract of an engine, a typing session and faults, on vLLM with a real model."""

import signal
import time

import pytest

from livemind_app.engine.split import OwnedEngine
from livemind_app.errors import ServerFailed
from livemind_app.protocol import Chunk, Request
from livemind_app.session import SessionManager
from tests.engine.test_contract import (  # noqa: F401 - run here on another engine
    ids_of,
    joined,
    test_a_long_prompt_in_chunks_equals_its_continuation,
    test_says_something_sensible,
    test_scores_are_log_probabilities_of_the_first_token,
)
from tests.servers.conftest import RealServer, connected
from tests.session.conftest import turn_done, until

TEXT = "Tom has three apples. Ann gives him four more. How many are there now?"
BLOCK = 32  # tokens that the server's prefix cache keeps together


def test_prompts_that_grow_are_read_once(engine: OwnedEngine) -> None:
    ids = ids_of(engine, TEXT * 4)
    joined(engine.generate(Request(ids[:-20], "llm", 0, session="s", cache_key="grow")))
    finished = joined(engine.generate(Request(ids, "llm", 4, session="s", cache_key="grow")))[2]
    assert finished.cached_tokens >= len(ids) - 20 - BLOCK
    other = joined(engine.generate(Request(ids, "llm", 4, session="s", cache_key="other")))[2]
    assert other.cached_tokens == 0


def test_a_generation_is_taken_up_where_another_left_it(engine: OwnedEngine) -> None:
    request = Request(ids_of(engine), "llm", 20, session="s", cache_key="up")
    whole, text, _ = joined(engine.generate(request))
    said, begun, _ = joined(engine.generate(Request(request.ids, "llm", 7, session="s", cache_key="up")))
    rest = Request(request.ids + said, "llm", 13, said=7, session="s", cache_key="up")
    more, ending, _ = joined(engine.generate(rest))
    assert (said + more, begun + ending) == (whole, text)


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


def test_a_server_that_is_drained_is_told_as_one(server: RealServer) -> None:
    with connected(server) as engine:
        outputs = engine.generate(Request(ids_of(engine, "Count to two hundred."), "llm", 400))
        assert isinstance(next(outputs), Chunk)
        server.kill(signal.SIGTERM)
        with pytest.raises(ServerFailed):
            list(outputs)
        server.start().wait()
        assert len(joined(engine.generate(Request(ids_of(engine), "llm", 4)))[0]) == 4
