"""What is ready and what it cost is told truly whatever the user does; what fails to listen stops nothing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.protocol import Output, Priority, Request
from livemind_app.serving.metrics import ServerMetrics
from livemind_app.session import Options, SessionManager
from livemind_app.session.events import Event
from livemind_app.session.session import Session
from tests.session.conftest import ASK, ONE, TWO, Gate, Scripted, settled, turn_done, until
from tests.session.test_exact import LONG, answers, echo, submitted, typed

EXACT = {"lanes": ["exact", "conventional"]}
DRAFT = {"mode": "draft", "lanes": ["live", "conventional"]}


async def answered(session: Session, text: str) -> None:
    """Each lane of the next turn has its figures, none of them below zero."""
    figures = await submitted(session, text)
    assert set(figures) == set(session.options.lanes)
    assert all(each.wasted_tokens >= 0 for each in figures.values())


@pytest.mark.parametrize("options", [EXACT, DRAFT])
async def test_what_was_cut_and_pasted_back_is_begun_anew_with_its_cost(options: dict[str, object]) -> None:
    async with Scripted(script=echo) as made:
        made.manager.observers.append(ServerMetrics(made.manager).see)
        made.session.configure(options)
        await typed(made.session, ONE + ASK, "")
        assert made.session.state.prepared == {}
        await typed(made.session, ONE + ASK)
        (first, *_) = made.session.options.lanes
        assert made.session.state.prepared[first].ready == made.session.state.prepared[first].tokens > 0
        await answered(made.session, ONE + ASK)
        await answered(made.session, ONE + TWO)


class Reading(ScriptedEngine):
    """Once it is `held`, the small model's reading along takes until `go`."""

    def __init__(self) -> None:
        super().__init__(script=lambda role, prompt: LONG)
        self.held, self.reached, self.go = False, asyncio.Event(), asyncio.Event()

    async def stream(self, request: Request) -> AsyncGenerator[Output, None]:
        if self.held and request.role == "slm" and not request.max_tokens:
            self.reached.set()
            await self.go.wait()
        async with aclosing(super().stream(request)) as outputs:
            async for output in outputs:
                yield output


async def test_enter_before_a_step_has_an_answer_of_its_own_keeps_what_was_spent() -> None:
    engine = Reading()
    manager = SessionManager(engine)
    session = manager.create()
    session.configure({"mode": "draft", "lanes": ["live-slm"]})
    await typed(session, ONE)
    spent = session.state.prepared["live-slm"].tokens
    assert spent > 0
    engine.held = True
    session.draft(session.state.revision + 1, ONE + "How many are ")
    await engine.reached.wait()
    session.submit(session.state.revision + 1, ONE + ASK)
    engine.go.set()
    await until(session, turn_done)
    turn = session.state.turn
    assert turn is not None
    assert turn.prepared["live-slm"].tokens == spent
    metrics = turn.lanes["live-slm"].metrics
    assert metrics is not None
    assert metrics.wasted_tokens == 0
    await manager.close()
    engine.close()


async def test_a_lane_that_was_stopped_before_it_ran_is_answered_from_the_beginning() -> None:
    gate = Gate(Priority.ANSWER)
    async with Scripted(script=lambda role, prompt: LONG, step=gate) as made:
        made.session.configure({"lanes": ["live", "exact"], "speculate_tokens": 5})
        await typed(made.session, ONE + ASK)
        assert made.session.state.prepared["exact"].ready > 0
        made.session.submit(made.session.state.revision + 1, ONE + ASK)
        await gate.reached()
        made.session.stop("exact")
        gate.open()
        await until(made.session, turn_done)
        made.session.retry("exact")
        await until(made.session, turn_done)
        turn = made.session.state.turn
        assert turn is not None
        metrics = turn.lanes["exact"].metrics
        assert metrics is not None
        assert (metrics.ready_tokens, metrics.wasted_tokens, metrics.tokens) == (0, 0, len(LONG.split()))


async def test_other_options_leave_nothing_ready_but_its_cost() -> None:
    async with Scripted(script=echo) as made:
        made.session.configure(DRAFT)
        await typed(made.session, ONE + ASK)
        before = made.session.state.prepared["live"]
        assert before.done
        made.session.configure({"mode": "off"})
        after = made.session.state.prepared["live"]
        assert (after.ready, after.done, after.text, after.thoughts) == (0, False, "", ())
        assert after.tokens == before.tokens


async def test_an_answer_is_ready_again_once_its_text_is_back() -> None:
    async with Scripted(script=echo) as made:
        made.session.configure(EXACT)
        await typed(made.session, ONE + ASK)
        before = made.session.state.prepared["exact"]
        await typed(made.session, ONE + ASK + "x")
        assert not made.session.state.prepared["exact"].ready
        await typed(made.session, ONE + ASK)
        after = made.session.state.prepared["exact"]
        assert (after.ready, after.done, after.text) == (before.ready, True, before.text)


async def test_a_note_that_only_repeats_is_wasted_once() -> None:
    async with Scripted(script=lambda role, prompt: ONE.strip()) as made:
        made.session.configure({"lanes": ["live"], "speculate_tokens": 0})
        made.session.draft(1, ONE + ASK)
        await until(made.session, lambda s: settled(s) and s.state.spent.tokens > 0)
        spent = made.session.state.spent
        assert spent.wasted == spent.tokens
        made.session.draft(2, "Ann" + ONE[3:] + ASK)
        assert made.session.state.spent.wasted == spent.tokens


class Late(ScriptedEngine):
    """The first speculation is over before its reader, who cancels it, has seen a word of it."""

    raced = False

    async def stream(self, request: Request) -> AsyncGenerator[Output, None]:
        async with aclosing(super().stream(request)) as outputs:
            found = [output async for output in outputs]
        if request.max_tokens and request.priority is Priority.SPECULATION and not self.raced:
            self.raced = True
            request.cancel()
        for output in found:
            yield output


async def test_an_answer_whose_end_was_not_seen_is_not_complete() -> None:
    engine = Late(script=echo)
    manager = SessionManager(engine, None, Options(mode="infer"))
    session = manager.create()
    session.configure(EXACT)
    await typed(session, ONE + ASK)
    assert engine.raced
    await submitted(session, ONE + ASK)
    assert answers(session)["exact"] == answers(session)["conventional"] != ""
    await manager.close()
    engine.close()


async def test_an_observer_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def failing(event: Event) -> None:
        raise ValueError(ONE)

    async with Scripted(script=echo) as made:
        made.manager.observers.append(failing)
        made.manager.on_turn.append(lambda session: failing(session.state))  # type: ignore[arg-type]
        made.session.configure(EXACT)
        await typed(made.session, ONE)
        await answered(made.session, ONE + ASK)
        await answered(made.session, ONE + TWO)
    assert "An observer failed." in caplog.text
    assert ONE not in caplog.text


async def test_whatever_fails_in_a_lane_ends_it_with_a_word() -> None:
    def script(role: str, prompt: str) -> str:
        return "an answer"

    async with Scripted(script=script) as made:
        made.session.configure(EXACT)
        answerer = made.session._work.answerer
        answerer._measured = lambda *_: 1 / 0  # type: ignore[method-assign]
        made.session.submit(1, ONE)
        await until(made.session, turn_done)
        assert made.session.state.turn is not None
        assert {lane.status for lane in made.session.state.turn.lanes.values()} == {"failed"}
