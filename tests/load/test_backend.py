"""Gate 6: the server that computes fails in every way. The user is told, and what is typed is kept."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any

import pytest

from livemind_app.engine.loading import load_engine
from livemind_app.engine.remote import breaker
from livemind_app.engine.remote.limits import USUAL, RemoteLimits
from livemind_app.session import Session, SessionManager
from livemind_app.session.events import Event, Failure
from tests.engine.remote.echo import ROOT, Echo
from tests.engine.remote.fake_openai import FakeServer, Faults, serving
from tests.load.conftest import FULL, told
from tests.session.conftest import turn_done, until

QUESTION = "How many apples has Tom?"
OPTIONS = {"mode": "off", "lanes": ["live"], "max_tokens": 8}


def killed(faults: Faults) -> None:
    faults.error_after = 2


def truncated(faults: Faults) -> None:
    faults.cut_after = 2


def broken(faults: Faults) -> None:
    faults.status, faults.retry_after = [500] * 30, "0"


def draining(faults: Faults) -> None:
    faults.status, faults.retry_after = [503] * 30, "0"


def draining_slowly(faults: Faults) -> None:
    faults.status, faults.retry_after = [503] * 30, "1"


def stopped(faults: Faults) -> None:
    faults.stopped = True


def well(faults: Faults) -> None:
    faults.error_after = faults.cut_after = faults.stall_after = None
    faults.stopped = False
    faults.status = []


@dataclass
class Chat:
    session: Session
    faults: Faults
    failures: list[Failure]

    async def ask(self, text: str) -> tuple[str, float]:
        """How the lane ended, and after how many seconds."""
        began = time.monotonic()
        self.session.submit(self.session.state.revision + 1, text)
        await until(self.session, turn_done, timeout=30)
        assert self.session.state.turn is not None
        return self.session.state.turn.lanes["live"].status, time.monotonic() - began


@asynccontextmanager
async def chatting(options: dict[str, Any] = OPTIONS, limits: RemoteLimits = USUAL) -> AsyncIterator[Chat]:
    """Each model on a server of its own; the large one's fails."""
    failures: list[Failure] = []

    def note(event: Event) -> None:
        if isinstance(event, Failure):
            failures.append(event)

    with closing(Echo()) as large, closing(Echo()) as small:
        server = FakeServer(large, ROOT)
        with (
            serving(server.app) as url,
            serving(FakeServer(small, ROOT).app) as other,
            closing(load_engine(llm=f"{url}/v1", slm=f"{other}/v1", remote_limits=limits)) as engine,
        ):
            await engine.ready()
            manager = SessionManager(engine)
            manager.observers.append(note)
            yield Chat(manager.create(options), server.faults, failures)
            await manager.close()


@pytest.mark.parametrize("fail", [killed, truncated, broken, draining, draining_slowly, stopped])
async def test_a_failing_server_is_told_and_left_and_found_again(
    fail: Callable[[Faults], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not FULL:
        monkeypatch.setattr(breaker, "REST_S", 0.2)
    async with chatting() as chat:
        assert (await chat.ask(QUESTION))[0] == "done"
        fail(chat.faults)
        status, seconds = await chat.ask(QUESTION)
        assert status == "failed"
        assert [failure.code for failure in chat.failures] == ["server_failed"]
        assert QUESTION not in chat.failures[0].message
        assert seconds < 2 or not FULL
        chat.session.draft(chat.session.state.revision + 1, "And what I type meanwhile")
        assert chat.session.state.text == "And what I type meanwhile"
        well(chat.faults)
        began = time.monotonic()
        while (await chat.ask(QUESTION))[0] != "done":
            assert time.monotonic() - began < 30
        recovered = time.monotonic() - began
        told(fault=fail.__name__, told_after_s=round(seconds, 2), recovered_after_s=round(recovered, 2))
        assert recovered < 5 or not FULL


@pytest.mark.parametrize(("tokens", "variable"), [(0, "FIRST_TOKEN_S"), (2, "BETWEEN_TOKENS_S")])
async def test_a_lane_whose_server_hangs_fails_and_the_others_go_on(tokens: int, variable: str) -> None:
    limits = RemoteLimits(first_token_s=0.3, between_tokens_s=0.3)
    async with chatting(OPTIONS | {"lanes": ["live", "slm"]}, limits) as chat:
        chat.faults.stall_after = tokens
        chat.session.submit(1, QUESTION)
        chat.session.draft(2, "And what I type meanwhile")
        await until(chat.session, turn_done, timeout=30)
        state = chat.session.state
        assert state.turn is not None
        assert {name: lane.status for name, lane in state.turn.lanes.items()} == {
            "live": "failed",
            "slm": "done",
        }
        assert (state.turn.prompt, state.text) == (QUESTION, "And what I type meanwhile")
        (failure,) = chat.failures
        assert failure.lane == "live"
        assert f"LIVEMIND_REMOTE_{variable}" in failure.message
        assert failure.message.startswith("http://")


async def test_an_answer_that_stalls_can_be_stopped_and_asked_again() -> None:
    async with chatting() as chat:
        chat.faults.stall_after = 2
        chat.session.submit(1, QUESTION)
        await until(chat.session, lambda s: s.state.turn is not None and bool(s.state.turn.answer))
        chat.session.stop()
        assert chat.session.state.turn is not None
        assert chat.session.state.turn.lanes["live"].status == "stopped"
        well(chat.faults)
        assert (await chat.ask(QUESTION))[0] == "done"
