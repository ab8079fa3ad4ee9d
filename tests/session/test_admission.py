"""Under load the work that nobody waits for rests first; then questions are refused; nothing is lost."""

import asyncio
import threading

import pytest

from livemind_app.errors import Overloaded, ServerDraining
from livemind_app.protocol import Priority, Request
from livemind_app.session import Limits
from tests.session.conftest import Gate, Scripted, settled, turn_done, until

STATEMENT = "Tom has three apples. "
QUESTION = "How many apples has he?"


class Held:
    """Answers wait until they are let go; everything else passes."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, request: Request) -> None:
        if request.priority is Priority.ANSWER:
            while not self.go.is_set() and not request.cancel.cancelled:
                self.go.wait(0.01)


async def test_notes_rest_before_a_question_is_refused_and_go_on_afterwards() -> None:
    held = Held()
    async with Scripted(Limits(max_answers=2), step=held) as made:
        manager, other = made.manager, made.manager.create()
        manager.create({"lanes": ["live"]}).submit(1, QUESTION)
        assert manager.admission.shedding
        other.draft(1, STATEMENT + "A")
        manager.create({"lanes": ["live"]}).submit(1, QUESTION)
        with pytest.raises(Overloaded) as refused:
            other.submit(2, STATEMENT + "A?")
        assert refused.value.retry_after_s
        assert not other.state.notes
        assert other.state.text == STATEMENT + "A"  # nothing typed is lost
        held.go.set()
        await until(other, lambda session: bool(session.state.notes) and settled(session))
        assert not manager.admission.shedding
        other.submit(2, STATEMENT + "A?")
        await until(other, turn_done)


async def test_a_running_note_is_cut_when_room_runs_out() -> None:
    reached = threading.Event()

    def step(request: Request) -> None:
        if request.priority is Priority.NOTE:
            reached.set()
            while not request.cancel.cancelled:
                threading.Event().wait(0.01)

    async with Scripted(Limits(max_answers=1), step=step) as made:
        made.session.draft(1, STATEMENT + "A")
        assert await asyncio.to_thread(reached.wait, 10)
        other = made.manager.create({"lanes": ["live"]})
        other.submit(1, QUESTION)
        await until(other, turn_done)
        notes = [r for r in made.engine.requests if r.priority is Priority.NOTE and r.max_tokens]
        assert notes[0].cancel.cancelled


async def test_a_comparison_holds_no_place() -> None:
    """Only answers that users wait for are counted: lanes that follow for comparison are nobody's."""
    baseline = threading.Event()

    def step(request: Request) -> None:
        if request.priority is Priority.BASELINE:
            while not baseline.is_set() and not request.cancel.cancelled:
                baseline.wait(0.01)

    async with Scripted(Limits(max_answers=1), step=step) as made:
        made.session.submit(1, QUESTION, ["live", "conventional"])
        await until(made.session, lambda s: s.state.turn is not None and not s.state.turn.live_running)
        assert made.manager.admission.answers == 0
        made.manager.create({"lanes": ["live"]}).submit(1, QUESTION)
        baseline.set()


@pytest.mark.parametrize("end", ["stop", "clear", "delete"])
async def test_a_place_comes_free_however_an_answer_ends(end: str) -> None:
    async with Scripted(Limits(max_answers=1), step=Held()) as made:
        first = made.manager.create({"lanes": ["live"]})
        first.submit(1, QUESTION)
        assert made.manager.admission.answers == 1
        if end == "delete":
            await made.manager.delete(first.token)
        else:
            getattr(first, end)()
        assert made.manager.admission.answers == 0
        assert not made.manager.admission.shedding


async def test_draining_finishes_what_runs_and_takes_nothing_new() -> None:
    held = Held()
    async with Scripted(step=held) as made:
        other = made.manager.create()
        made.session.submit(1, QUESTION, ["live"])
        draining = asyncio.create_task(made.manager.drain(60))
        await asyncio.sleep(0)
        assert not draining.done()
        with pytest.raises(ServerDraining):
            made.manager.create()
        with pytest.raises(ServerDraining):
            other.submit(1, QUESTION)
        other.draft(2, STATEMENT + "A")  # drafts are kept until the end
        held.go.set()
        await draining
        assert made.session.state.turn is not None
        assert made.session.state.turn.lanes["live"].status == "done"
        assert not other.state.notes


async def test_draining_stops_answers_at_its_limit_and_keeps_what_was_said() -> None:
    said = threading.Event()

    def step(request: Request) -> None:
        if said.is_set():
            while not request.cancel.cancelled:
                threading.Event().wait(0.01)
        said.set()

    async with Scripted(step=step) as made:
        made.session.submit(1, QUESTION, ["live"])
        await until(made.session, lambda s: s.state.turn is not None and bool(s.state.turn.answer))
        await made.manager.drain(0.05)
        assert made.session.state.turn is not None
        assert made.session.state.turn.lanes["live"].status == "stopped"
        assert made.session.state.turn.answer


@pytest.mark.parametrize("soon", [True, False])
async def test_an_answer_that_a_new_chat_cut_off_does_not_touch_the_next(soon: bool) -> None:
    """The engine tells of its end when the new chat has begun, and may have a turn of the same number."""
    gate = Gate(Priority.ANSWER)
    async with Scripted(step=gate) as made:
        made.session.submit(1, QUESTION, ["live"])
        await gate.reached()
        made.session.clear()
        if soon:
            made.session.submit(2, QUESTION, ["live"])
        gate.open()
        while any(made.engine.usage().queued.values()):
            await asyncio.sleep(0.01)
        if not soon:
            made.session.submit(2, QUESTION, ["live"])
        await until(made.session, turn_done)
        assert made.session.state.turn is not None
        assert made.session.state.turn.lanes["live"].status == "done"
        assert made.session.state.turn.answer
