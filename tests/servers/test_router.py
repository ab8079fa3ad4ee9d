"""The same on a router before two workers: one of them may die."""

from collections.abc import Callable, Iterator

import pytest

from livemind_app.engine.split import OwnedEngine
from livemind_app.errors import EngineError
from livemind_app.protocol import Request
from livemind_app.session import Session, SessionManager
from livemind_app.session.events import Failure
from tests.engine.test_contract import ids_of, joined
from tests.servers.conftest import RealServer, connected, router, vllm
from tests.servers.contract import *  # noqa: F403 - run here on another engine
from tests.servers.test_vllm import TEXT, test_a_typing_session  # noqa: F401 - the same
from tests.session.conftest import turn_done, until

BLOCK = 32  # tokens that a worker's prefix cache keeps together


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RealServer]]:
    """One after the other: two that start at once take all of this machine's memory for a moment."""
    made: list[RealServer] = []
    try:
        for name in ("one", "other"):
            made += [vllm(tmp_path_factory.mktemp(name)).start().wait()]
        yield made
    finally:
        for worker in made:
            worker.kill()


@pytest.fixture(scope="module")
def engine(workers: list[RealServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnedEngine]:
    between = router(tmp_path_factory.mktemp("router"), workers).start().wait()
    with connected(between) as engine:
        yield engine
    between.kill()


@pytest.fixture
def running(workers: list[RealServer]) -> Callable[[], float]:
    return lambda: sum(worker.running() for worker in workers)


def test_a_prompt_beyond_the_context_is_refused_by_name(engine: OwnedEngine) -> None:
    """By the worker: a router does not tell how long its context is."""
    with pytest.raises(EngineError, match="maximum context length is 4096"):
        joined(engine.generate(Request((1,) * 9000, "llm", 4)))


def test_a_growing_prompt_stays_with_the_worker_that_has_read_it(engine: OwnedEngine) -> None:
    ids = ids_of(engine, TEXT * 6)
    lengths = range(len(ids) // 2, len(ids), 24)
    requests = [Request(ids[:length], "llm", 0, session="s", cache_key="grow") for length in lengths]
    cached = [joined(engine.generate(request))[2].cached_tokens for request in requests]
    assert all(now >= length - 24 - BLOCK for now, length in zip(cached[1:], lengths[1:], strict=True))


async def test_a_killed_worker_loses_no_text_and_the_other_answers(
    engine: OwnedEngine, workers: list[RealServer]
) -> None:
    """What the dead one was answering may fail; what is typed stays, and what is asked next is answered."""
    manager = SessionManager(engine)
    failures: list[str] = []
    manager.observers.append(
        lambda event: failures.append(event.message) if isinstance(event, Failure) else None
    )
    sessions = [manager.create({"lanes": ["conventional"], "max_tokens": 200}) for _ in range(4)]
    for number, session in enumerate(sessions):
        session.submit(1, f"Count from {number} to two hundred, in words.")
        await until(session, lambda s: bool(s.state.turn and s.state.turn.answer), timeout=60)
        session.draft(2, TEXT)
    workers[0].kill()
    for session in sessions:
        await until(session, turn_done, timeout=120)
        assert session.state.text == TEXT
        session.configure({"max_tokens": 8})
        assert await _answered(session), failures
    workers[0].start().wait()
    await manager.close()


async def _answered(session: Session) -> bool:
    session.submit(session.state.revision + 1, TEXT)
    await until(session, turn_done, timeout=60)
    return session.state.turns[-1].lanes["conventional"].status == "done"
