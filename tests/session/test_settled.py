"""What a caller with a clock of its own needs of a session: to be told when nothing is being thought."""

import asyncio

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.protocol import Priority
from livemind_app.session import SessionManager
from tests.session.conftest import Gate, Scripted, turn_done, until

ONE = "Tom has three apples. "
TWO = "Ann gives him four more. "


async def test_settled_waits_for_the_note_and_for_what_an_edit_brings() -> None:
    gate = Gate(Priority.NOTE)
    async with Scripted(script=lambda role, prompt: "therefore seven", step=gate) as made:
        await made.session.settled()
        made.session.draft(1, ONE + "A")
        waiting = asyncio.create_task(made.session.settled())
        await gate.reached()
        assert not waiting.done()
        gate.open()
        await waiting
        assert [note.status for note in made.session.state.notes] == ["done"]
        made.session.draft(2, ONE + TWO + "H")
        await made.session.settled()
        assert len(made.session.state.notes) == 2


async def test_without_thinking_a_draft_is_settled_at_once() -> None:
    async with Scripted() as made:
        made.session.configure({"mode": "off"})
        made.session.draft(1, ONE + TWO)
        await made.session.settled()
        assert made.engine.requests == []


async def test_times_come_from_the_clock_that_is_given() -> None:
    now = 100.0
    engine = ScriptedEngine()
    manager = SessionManager(engine, clock=lambda: now)
    session = manager.create({"lanes": ["live"]})
    now = 107.0
    turn = session.submit(1, ONE)
    await until(session, turn_done)
    assert turn.at == 7.0
    answered = session.state.turn
    assert answered is not None
    assert answered.lanes["live"].metrics is not None
    assert answered.lanes["live"].metrics.latency == 0.0
    await manager.close()
    engine.close()
