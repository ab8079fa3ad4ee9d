"""A typing session end to end, on a scripted engine."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemind_app.protocol import Priority
from livemind_app.session import Session
from tests.session.conftest import (
    ASK,
    ONE,
    THREE,
    TWO,
    Gate,
    Scripted,
    note_script,
    settled,
    turn_done,
    until,
)

PIECES = [ONE, TWO, "x", ". ", "\n"]


def inferences(session: Session) -> list[str]:
    return [note.text.strip() for note in session.state.notes if note.kind == "inference"]


async def test_notes_are_made_while_typing() -> None:
    async with Scripted(script=note_script) as made:
        typed = ONE + TWO + "He e"
        for end in range(1, len(typed) + 1):
            made.session.draft(end, typed[:end])
        await until(made.session, settled)
        state = made.session.state
        assert state.text == typed
        assert state.read == state.finished == 2
        assert set(inferences(made.session)) == {"therefore seven"}


async def test_append_keeps_notes_and_edit_rolls_back() -> None:
    async with Scripted(script=note_script) as made:
        session: Session = made.session
        revision = 0
        for text in (ONE + "Ann", ONE + TWO + "He", ONE + TWO + THREE + "How"):
            revision += 1
            session.draft(revision, text)
            await until(session, settled)
        before = session.state.notes
        assert len(before) == 3
        session.draft(revision + 1, ONE + TWO.replace("four", "five") + THREE + "How")
        assert session.state.notes == before[:1]
        assert session.state.spent.wasted == sum(note.tokens for note in before[1:])
        await until(session, settled)
        assert session.state.notes[0] == before[0]
        assert session.state.read == 3


async def test_an_edit_stops_a_note_on_changed_text_within_one_token() -> None:
    gate = Gate(Priority.NOTE)
    async with Scripted(script=lambda role, prompt: "a b c d e f", step=gate) as made:
        session: Session = made.session
        session.draft(1, ONE + "Ann")
        await gate.reached()
        session.draft(2, "Something else entirely. And")
        assert session.state.running_note is None or session.state.running_note.text == ""
        gate.open()
        await until(session, settled)
        cancelled = [r for r in made.engine.requests if r.cancel.cancelled and r.max_tokens]
        assert cancelled
        assert all(note.index == 0 for note in session.state.notes)


async def test_submit_cuts_the_running_note_and_keeps_what_it_said() -> None:
    gate = Gate(Priority.NOTE, at=3)
    async with Scripted(script=lambda role, prompt: "one two three four five", step=gate) as made:
        session: Session = made.session
        session.draft(1, ONE + "Ann")
        await until(session, lambda s: any("two" in n.text for n in s.state.notes))
        session.submit(2, ONE + ASK, ["live"])
        gate.open()
        await until(session, turn_done)
        (note,) = session.state.turn.notes  # type: ignore[union-attr]
        assert (note.status, note.text.split()) == ("cut", ["one", "two"])
        prompt = made.engine.tokenizer("llm").decode(made.engine.requests[-1].ids)
        assert "Notes:\n- one two\n" in prompt


async def test_three_lanes_with_figures() -> None:
    async with Scripted(script=note_script) as made:
        session: Session = made.session
        session.draft(1, ONE + TWO + "How")
        await until(session, settled)
        turn = session.submit(2, ONE + TWO + ASK, ["slm", "conventional", "live"])
        assert turn.lanes == ("live", "conventional", "slm")
        await until(session, turn_done)
        lanes = session.state.turn.lanes  # type: ignore[union-attr]
        assert [lane.status for lane in lanes.values()] == ["done"] * 3
        assert lanes["live"].text == lanes["conventional"].text == "llm says five"
        assert lanes["slm"].text == "slm says five"
        live, conventional = lanes["live"].metrics, lanes["conventional"].metrics
        assert live is not None
        assert conventional is not None
        assert live.thinking_tokens > 0
        assert live.prefilled_after_submit < live.prompt_tokens
        assert live.reduction == pytest.approx(1 - live.latency / conventional.latency)
        assert conventional.reduction is None


async def test_baselines_hold_earlier_turns_and_nothing_of_this_prompt() -> None:
    async with Scripted(script=note_script) as made:
        session: Session = made.session
        for number, question in enumerate((ASK, "And what is twice that number?"), start=1):
            session.submit(number, question, ["live", "conventional"])
            await until(session, turn_done)
        first, second = session.state.turns
        engine = made.engine
        whole = [r for r in engine.requests if r.cache_key == "conventional" and r.max_tokens][-1]
        warm = [r for r in engine.requests if r.cache_key == "conventional" and not r.max_tokens][-1]
        assert first.answer in engine.tokenizer("llm").decode(whole.ids)
        figures = second.lanes["conventional"].metrics
        assert figures is not None
        assert figures.prefilled_after_submit == len(whole.ids) - len(warm.ids)


async def test_waiting_leaves_no_note_and_joins_segments() -> None:
    async with Scripted(script=note_script, think=lambda prompt: "four" in prompt) as made:
        session: Session = made.session
        session.draft(1, ONE + "Ann")
        await until(session, settled)
        assert [note.kind for note in session.state.notes] == ["wait"]
        session.draft(2, ONE + TWO + "He")
        await until(session, settled)
        assert [note.kind for note in session.state.notes] == ["wait", "inference"]
        note = [r for r in made.engine.requests if r.max_tokens][-1]
        assert (ONE + TWO).strip() in made.engine.tokenizer("llm").decode(note.ids)


async def test_an_echo_counts_as_waiting() -> None:
    async with Scripted(script=lambda role, prompt: "Tom has apples") as made:
        made.session.draft(1, ONE + "Ann")
        await until(made.session, settled)
        assert [note.kind for note in made.session.state.notes] == ["wait"]
        assert made.session.state.spent.wasted == 3


@pytest.mark.parametrize("layout", ["u-pi", "u-pli", "u-spi", "ua-pil", "ua-spi"])
async def test_the_papers_formats_name_their_action(layout: str) -> None:
    def script(role: str, prompt: str) -> str:
        return "action inference. seven so far" if "currently providing input" in prompt else "five"

    async with Scripted(script=script) as made:
        session: Session = made.session
        session.configure({"format": layout})
        session.draft(1, ONE + TWO + "How")
        await until(session, settled)
        assert inferences(session)[0] == "seven so far"
        session.submit(2, ONE + TWO + ASK, ["live"])
        await until(session, turn_done)
        prompt = made.engine.tokenizer("llm").decode(made.engine.requests[-1].ids)
        assert "make the best use your previous inferences" in prompt
        assert "seven so far" in prompt
        assert "action" not in prompt


async def test_live_slm_answers_from_the_llms_notes() -> None:
    async with Scripted(script=note_script) as made:
        session: Session = made.session
        session.configure({"lanes": ["live-slm"]})
        session.draft(1, ONE + TWO + "How")
        await until(session, settled)
        session.submit(2, ONE + TWO + ASK)
        await until(session, turn_done)
        request = made.engine.requests[-1]
        assert request.role == "slm"
        assert "therefore seven" in made.engine.tokenizer("slm").decode(request.ids)
        metrics = session.state.turn.lanes["live-slm"].metrics  # type: ignore[union-attr]
        assert metrics is not None
        assert metrics.prefilled_after_submit < metrics.prompt_tokens


@pytest.mark.parametrize("lane", ["live", "live-slm"])
async def test_the_answer_continues_a_cache_that_was_filled_while_typing(lane: str) -> None:
    async with Scripted() as made:
        session: Session = made.session
        session.configure({"lanes": [lane]})
        session.draft(1, ONE + "Ann")
        await session.settled()
        (read,) = [request for request in made.engine.requests if request.cache_key == lane]
        assert read.max_tokens == 0
        assert made.engine.tokenizer("llm").decode(read.ids).endswith(ONE.rsplit(" ", 2)[0])
        session.draft(2, "An" + ONE)  # an edit of the first sentence: read anew
        await session.settled()
        session.draft(3, ONE + "How")
        await session.settled()
        session.submit(4, ONE + ASK)
        await until(session, turn_done)
        (answered,) = session.state.turn.lanes.values()  # type: ignore[union-attr]
        assert answered.metrics
        assert (
            0 < answered.metrics.prefilled_after_submit <= answered.metrics.prompt_tokens - len(ONE.split())
        )


async def test_mode_off_does_not_think() -> None:
    async with Scripted(script=note_script) as made:
        made.session.configure({"mode": "off"})
        made.session.draft(1, ONE + TWO)
        made.session.submit(2, ONE + TWO + ASK, ["live"])
        await until(made.session, turn_done)
        assert all(r.priority is Priority.ANSWER for r in made.engine.requests)


async def test_changed_granularity_thinks_anew() -> None:
    async with Scripted(script=note_script) as made:
        session: Session = made.session
        session.draft(1, ONE + TWO + "How")
        await until(session, settled)
        notes = session.state.notes
        session.configure({"max_tokens": 7})
        assert session.state.notes == notes
        session.configure({"granularity": "word"})
        assert session.state.notes == ()
        await until(session, settled)
        assert session.state.finished > 2


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20), st.sampled_from(PIECES))))
async def test_any_edits_leave_notes_on_an_unchanged_prefix_only(edits: list[Any]) -> None:
    async with Scripted(script=note_script) as made:
        session: Session = made.session
        text = ONE
        for revision, (at, deleted, inserted) in enumerate(edits):
            text = text[:at] + inserted + text[at + deleted :]
            session.draft(revision, text)
            if revision % 3 == 2:
                await until(session, settled)
            state = session.state
            assert state.text == text
            assert state.read <= state.finished <= len(state.segments)
            bounds = [(note.first, note.index) for note in state.notes]
            assert all(a[1] + 1 == b[0] for a, b in pairwise(bounds))
        session.submit(len(edits), text + ASK, ["live"])
        await until(session, turn_done)
        assert session.state.turn.prompt == text + ASK  # type: ignore[union-attr]
