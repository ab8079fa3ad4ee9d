"""One lane of a turn by itself: stopped while the others go on, answered anew when all have ended."""

import asyncio

import pytest

from livemind_app.errors import ConfigError, NothingToRetry, TurnRunning
from livemind_app.protocol import Priority, Request
from livemind_app.session import Session
from tests.session.conftest import ASK, ONE, TWO, Scripted, note_script, settled, turn_done, until

LANES = ["live", "conventional", "slm"]


class Gate:
    """Holds the engine before every token of a priority, until opened."""

    def __init__(self, priority: Priority) -> None:
        self.priority = priority
        self.held = False
        self.closed = True

    def step(self, request: Request) -> None:
        while self.closed and request.priority is self.priority and not request.cancel.cancelled:
            self.held = True


async def held(gate: Gate) -> None:
    while not gate.held:
        await asyncio.sleep(0)


def statuses(session: Session) -> list[str]:
    assert session.state.turn
    return [lane.status for lane in session.state.turn.lanes.values()]


async def test_a_running_lane_is_stopped_and_the_next_one_runs() -> None:
    gate = Gate(Priority.BASELINE)
    async with Scripted(script=note_script, step=gate.step) as made:
        session: Session = made.session
        session.submit(1, ASK, LANES)
        await asyncio.wait_for(held(gate), 10)
        session.stop("conventional")
        assert statuses(session)[1] == "stopped"
        assert not turn_done(session)
        gate.closed = False
        await until(session, turn_done)
        assert statuses(session) == ["done", "stopped", "done"]


async def test_a_lane_that_waits_is_left_out() -> None:
    gate = Gate(Priority.ANSWER)
    async with Scripted(script=note_script, step=gate.step) as made:
        session: Session = made.session
        session.submit(1, ASK, LANES)
        session.stop("conventional")
        gate.closed = False
        await until(session, turn_done)
        assert statuses(session) == ["done", "stopped", "done"]
        assert session.state.turn is not None
        assert session.state.turn.lanes["conventional"].text == ""


@pytest.mark.parametrize("lane", LANES)
async def test_a_lane_is_answered_anew_and_the_others_stay(lane: str) -> None:
    said = iter(range(100))
    async with Scripted(script=lambda role, prompt: f"answer {next(said)}") as made:
        session: Session = made.session
        session.configure({"lanes": LANES})
        session.draft(1, ONE + TWO)
        await until(session, settled)
        session.submit(2, ONE + TWO + ASK)
        await until(session, turn_done)
        before = session.state.turn
        session.retry(lane)
        assert session.state.turn is not None
        assert session.state.turn.lanes[lane].text == ""
        with pytest.raises(TurnRunning):
            session.retry(lane)
        await until(session, turn_done)
        after = session.state.turn
        assert before is not None
        assert after is not None
        changed = [name for name in LANES if after.lanes[name].text != before.lanes[name].text]
        assert changed == [lane]
        assert statuses(session) == ["done"] * 3
        metrics = after.lanes[lane].metrics
        assert metrics is not None
        assert (metrics.ready_tokens, metrics.wasted_tokens >= 0) == (0, True)
        assert metrics.latency >= 0
        baseline = after.lanes["conventional"].metrics
        live = after.lanes["live"].metrics
        assert baseline is not None
        assert live is not None
        assert live.reduction == 1 - live.latency / baseline.latency


async def test_a_lane_is_answered_anew_from_what_was_read_before_the_last_segment() -> None:
    async with Scripted(script=note_script) as made:
        session: Session = made.session
        session.configure({"lanes": ["exact", "conventional"], "mode": "exact"})
        session.submit(1, ONE + TWO + ASK)
        await until(session, turn_done)
        read = {}
        for lane in ("exact", "conventional"):
            session.retry(lane)
            await until(session, turn_done)
            assert session.state.turn is not None
            metrics = session.state.turn.lanes[lane].metrics  # type: ignore[index]
            assert metrics is not None
            read[lane] = metrics.prefilled_after_submit
        # The baseline reads all of this prompt; the other lane only its last sentence, but that it does read.
        assert 0 < read["exact"] < read["conventional"]


async def test_a_stopped_lane_that_is_answered_anew_is_not_ended_by_its_past() -> None:
    gate = Gate(Priority.ANSWER)
    async with Scripted(script=note_script, step=gate.step) as made:
        session: Session = made.session
        session.submit(1, ASK, ["live"])
        await asyncio.wait_for(held(gate), 10)
        session.stop()
        gate.closed = False
        session.retry("live")
        await until(session, turn_done)
        assert statuses(session) == ["done"]


async def test_what_cannot_be_answered_anew_is_refused() -> None:
    async with Scripted(script=note_script) as made:
        session: Session = made.session
        with pytest.raises(NothingToRetry):
            session.retry("live")
        session.clear([("How many?", "Five.")])
        with pytest.raises(NothingToRetry):
            session.retry("live")
        session.submit(1, ASK, ["live"])
        await until(session, turn_done)
        for call in (session.retry, session.stop):
            with pytest.raises(ConfigError, match="has live only"):
                call("slm")
