"""Turns of a session: stopping, several of them, beginning anew, refusals, expiry; on a scripted engine."""

import time
from contextvars import ContextVar

import pytest

from livemind_app.errors import (
    ConfigError,
    InvalidText,
    SessionNotFound,
    StaleRevision,
    TextTooLong,
    TooManySessions,
    TooManyTurns,
    TurnRunning,
)
from livemind_app.protocol import Priority, Role
from livemind_app.session import Limits, Session
from livemind_app.session.events import Event, Failure
from tests.session.conftest import ASK, ONE, TWO, Gate, Scripted, note_script, settled, turn_done, until


async def test_stop_keeps_what_was_said_and_leaves_out_the_rest() -> None:
    gate = Gate(at=3)
    async with Scripted(script=lambda role, prompt: "one two three four", step=gate) as made:
        session: Session = made.session
        session.submit(1, ASK, ["live", "slm"])
        await until(session, lambda s: s.state.turn is not None and "two" in s.state.turn.answer)
        with pytest.raises(TurnRunning):
            session.submit(2, ASK)
        session.stop()
        gate.open()
        assert turn_done(session)
        lanes = session.state.turn.lanes  # type: ignore[union-attr]
        assert {lane.status for lane in lanes.values()} == {"stopped"}
        session.submit(3, ASK, ["slm"])
        await until(session, turn_done)
        assert lanes["live"].text == "one two"


async def test_a_submit_during_baselines_stops_them() -> None:
    gate = Gate(Priority.BASELINE)
    async with Scripted(script=note_script, step=gate) as made:
        session: Session = made.session
        session.submit(1, ASK, ["live", "conventional"])
        await gate.reached()
        session.submit(2, "What about the pears?", ["live"])
        gate.open()
        await until(session, lambda s: len(s.state.turns) == 2 and turn_done(s))
        first, second = session.state.turns
        assert first.done
        assert first.lanes["conventional"].status == "stopped"
        assert second.lanes["live"].status == "done"


async def test_clear_begins_anew_and_drops_caches() -> None:
    async with Scripted(script=note_script) as made:
        session: Session = made.session
        session.submit(1, ONE + ASK, ["live"])
        await until(session, turn_done)
        session.draft(2, TWO + "How")
        await until(session, settled)
        session.clear()
        assert (session.state.turns, session.state.notes, session.state.text) == ((), (), "")
        with pytest.raises(StaleRevision):
            session.draft(2, "x")
        session.submit(3, ASK, ["live"])
        await until(session, turn_done)
        assert session.state.turn.lanes["live"].metrics.prompt_tokens == (  # type: ignore[union-attr]
            session.state.turn.lanes["live"].metrics.prefilled_after_submit  # type: ignore[union-attr]
        )


async def test_two_turns_keep_the_first_as_history() -> None:
    async with Scripted(script=note_script) as made:
        session: Session = made.session
        session.submit(1, ONE + ASK, ["live", "slm"])
        await until(session, turn_done)
        session.draft(2, "Now double the number. And")
        await until(session, settled)
        note = [r for r in made.engine.requests if r.priority is Priority.NOTE][-1]
        prompt = made.engine.tokenizer("llm").decode(note.ids)
        assert "llm says five" in prompt
        assert ONE.strip() in prompt


async def test_refusals() -> None:
    limits = Limits(max_sessions=2, max_text=40, max_turns=1)
    async with Scripted(limits) as made:
        session: Session = made.session
        session.draft(5, "hello")
        for revision in (5, 4):
            with pytest.raises(StaleRevision):
                session.draft(revision, "other")
        with pytest.raises(StaleRevision):
            session.submit(4, "other")
        for bad in ("a\x00b", "half \ud83d"):
            with pytest.raises(InvalidText):
                session.draft(6, bad)
        with pytest.raises(InvalidText):
            session.submit(6, " \n")
        with pytest.raises(TextTooLong, match="41"):
            session.draft(6, "x" * 41)
        for bad_options in ({"mode": "x"}, {"lanes": []}, {"max_tokens": 0}, {"seed": 1.5}, {"colour": 1}):
            with pytest.raises(ConfigError):
                session.configure(bad_options)
        assert session.state.text == "hello"
        session.submit(5, "hello", ["live"])
        await until(session, turn_done)
        with pytest.raises(TooManyTurns):
            session.submit(6, "again")
        made.manager.create()
        with pytest.raises(TooManySessions):
            made.manager.create()
        await made.manager.delete(session.token)
        with pytest.raises(SessionNotFound):
            made.manager.get(session.token)


async def test_idle_sessions_expire_but_not_while_somebody_reads() -> None:
    async with Scripted(Limits(max_sessions=1, idle_s=0.0)) as made:
        token = made.session.token
        reader = made.session.events()
        made.session.draft(1, "x")
        await anext(reader)
        with pytest.raises(TooManySessions):
            made.manager.create()
        await reader.aclose()
        other = made.manager.create()
        assert len(made.manager) == 1
        with pytest.raises(SessionNotFound):
            made.manager.get(token)
        assert len(other.token) >= 22


async def test_a_chat_goes_on_after_what_was_said_elsewhere() -> None:
    async with Scripted(script=note_script, limits=Limits(max_turns=3)) as made:
        session: Session = made.session
        session.submit(1, ASK, ["live"])
        await until(session, turn_done)
        session.clear([(ONE, "Three apples."), (TWO, "Seven.")])
        assert [(turn.prompt, turn.answer, turn.done) for turn in session.state.turns] == [
            (ONE, "Three apples.", True),
            (TWO, "Seven.", True),
        ]
        session.submit(2, ASK, ["conventional"])
        await until(session, turn_done)
        prompt = made.engine.tokenizer("llm").decode(made.engine.requests[-1].ids)
        assert prompt.index(ONE.strip()) < prompt.index("Three apples.") < prompt.index("Seven.")
        with pytest.raises(TooManyTurns):
            session.clear([(ONE, "x")] * 3)
        with pytest.raises(InvalidText):
            session.clear([(ONE, "half a pair: \ud800")])
        assert len(session.state.turns) == 3  # a refusal changes nothing


async def test_an_answer_that_is_stopped_when_all_of_it_is_computed_is_not_done() -> None:
    """What was not shown by then is not shown, so the answer is no whole one."""
    gate = Gate(at=3)
    async with Scripted(script=lambda role, prompt: "one two three four", step=gate) as made:
        session: Session = made.session
        session.submit(1, ASK, ["conventional"])
        await until(session, lambda s: s.state.turn is not None and "two" in s.state.turn.answer)
        gate.open()
        while sum(made.engine.usage().queued.values()):  # and this event loop reads nothing meanwhile
            time.sleep(0.001)
        session.stop()
        turn = session.state.turn
        assert turn is not None
        shown = turn.answer
        await until(session, lambda s: s.state.turns[0].lanes["conventional"].metrics is not None)
        lane = session.state.turns[0].lanes["conventional"]
        assert (lane.status, lane.text) == ("stopped", shown)
        assert "four" not in shown


async def test_an_answer_that_fails_is_told_in_the_context_of_whoever_asked_for_it() -> None:
    """So that a log names the request: the session was made by an earlier one."""
    asking: ContextVar[str] = ContextVar("asking", default="nobody")
    told: list[str] = []

    def script(role: Role, prompt: str) -> str:
        raise RuntimeError

    def note(event: Event) -> None:
        if isinstance(event, Failure):
            told.append(asking.get())

    async with Scripted(script=script) as made:
        made.manager.observers.append(note)
        session: Session = made.session
        asking.set("who submits")
        session.submit(1, ASK, ["conventional"])
        asking.set("who types on")
        session.draft(2, ONE)
        await until(session, turn_done)
        asking.set("who asks again")
        session.retry("conventional")
        asking.set("nobody")
        await until(session, turn_done)
    assert told == ["who submits", "who asks again"]
