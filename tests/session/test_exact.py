"""Answers that are there before Enter: the exact lanes, and every lane's speculation."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemind_app.benchmark.typing.clock import VirtualClock
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.protocol import Priority, Request
from livemind_app.session import Session, SessionManager
from livemind_app.session.events import Metrics
from tests.session.conftest import Gate, Scripted, turn_done, until

ONE = "Tom has three apples. "
TWO = "Ann gives him four more. "
ASK = "How many are left?"
EXACT = {"lanes": ["exact", "conventional"]}
LONG = " ".join(f"word{number}" for number in range(40))
PIECES = [ONE, TWO, ASK, "x", ". ", "\n", " "]


def echo(role: str, prompt: str) -> str:
    """An answer that gives away which prompt it answers."""
    return f"{role} read {len(prompt)} characters, {sum(map(ord, prompt))} in all"


async def typed(session: Session, *drafts: str) -> int:
    """Type these, each after the last was dealt with; returns the newest revision."""
    for text in drafts:
        session.draft(session.state.revision + 1, text)
        await session.settled()
    return session.state.revision


async def edited(session: Session, edits: list[Any]) -> str:
    """Make these edits of a sentence, dealt with now and then; returns the text."""
    text = ONE
    for number, (at, deleted, inserted) in enumerate(edits):
        text = text[:at] + inserted + text[at + deleted :]
        session.draft(number, text)
        if number % 3 == 2:
            await session.settled()
    return text


async def submitted(session: Session, text: str, lanes: list[str] | None = None) -> dict[str, Metrics]:
    session.submit(session.state.revision + 1, text, lanes)
    await until(session, turn_done)
    turn = session.state.turn
    assert turn is not None
    return {name: lane.metrics for name, lane in turn.lanes.items() if lane.metrics}


def answers(session: Session) -> dict[str, str]:
    assert session.state.turn is not None
    return {name: lane.text for name, lane in session.state.turn.lanes.items()}


def generating(engine: ScriptedEngine, priority: Priority) -> list[Request]:
    return [r for r in engine.requests if r.max_tokens and r.priority is priority]


async def test_a_complete_question_is_answered_before_it_is_asked() -> None:
    async with Scripted(script=echo) as made:
        made.session.configure(EXACT)
        await typed(made.session, ONE, ONE + ASK)
        prepared = made.session.state.prepared["exact"]
        assert prepared.done
        figures = await submitted(made.session, ONE + ASK)
        assert generating(made.engine, Priority.ANSWER) == []
        assert answers(made.session)["exact"] == answers(made.session)["conventional"] != ""
        exact, conventional = figures["exact"], figures["conventional"]
        assert exact.tokens == exact.ready_tokens == prepared.ready == conventional.tokens
        assert exact.prefilled_after_submit == 0 < conventional.prefilled_after_submit
        assert exact.thinking_tokens == prepared.tokens
        assert exact.wasted_tokens == prepared.tokens - prepared.ready
        assert exact.prompt_tokens == conventional.prompt_tokens


async def test_what_is_ready_is_shown_at_once_and_the_rest_follows() -> None:
    """First words within one forward; the request repeats nothing."""
    gate = Gate(Priority.SPECULATION, at=10)
    async with Scripted(script=lambda role, prompt: LONG, step=gate) as made:
        made.session.configure({"lanes": ["exact"]})
        made.session.draft(1, ASK)
        await gate.reached()
        await until(made.session, lambda s: s.state.prepared["exact"].ready >= 9)
        made.session.submit(2, ASK)
        await until(made.session, lambda s: s.state.turn is not None and s.state.turn.answer != "")
        assert answers(made.session)["exact"] == " ".join(LONG.split()[:9])
        gate.open()
        await until(made.session, turn_done)
        assert answers(made.session)["exact"] == LONG
        (rest,) = generating(made.engine, Priority.ANSWER)
        assert rest.said == 9
        assert rest.max_tokens == made.session.options.max_tokens - 9


async def test_an_edit_stops_the_answer_and_its_tokens_are_counted_as_wasted() -> None:
    gate = Gate(Priority.SPECULATION)
    async with Scripted(script=echo, step=gate) as made:
        made.session.configure(EXACT)
        made.session.draft(1, ONE + ASK)
        await gate.reached()
        made.session.draft(2, ONE + TWO + ASK)
        gate.open()
        await made.session.settled()
        first, second = generating(made.engine, Priority.SPECULATION)
        assert first.cancel.cancelled
        assert not second.cancel.cancelled
        await typed(made.session, ONE + ASK)
        figures = await submitted(made.session, ONE + ASK)
        assert answers(made.session)["exact"] == answers(made.session)["conventional"]
        assert figures["exact"].wasted_tokens >= figures["conventional"].tokens


async def test_an_answer_begun_twice_goes_on_where_it_was() -> None:
    """A word is typed and deleted again."""
    async with Scripted(script=lambda role, prompt: LONG) as made:
        made.session.configure({"lanes": ["exact"], "speculate_tokens": 30})
        await typed(made.session, ASK, ASK + " x", ASK)
        assert {r.said for r in generating(made.engine, Priority.SPECULATION)} == {0}
        assert made.session.state.prepared["exact"].tokens == 30
        figures = await submitted(made.session, ASK)
        assert figures["exact"].ready_tokens == 30
        assert answers(made.session)["exact"] == LONG


@pytest.mark.parametrize("limit", ["speculate_tokens", "speculate_per_minute"])
async def test_budgets_bound_what_is_spent_on_guesses(limit: str) -> None:
    async with Scripted(script=lambda role, prompt: LONG) as made:
        made.session.configure({"lanes": ["exact"], limit: 50})
        await typed(made.session, "One?", "One? Two?", "One? Two? Three?", "Four?")
        said = made.session.state.prepared["exact"].tokens
        assert 40 <= said <= 50
        await submitted(made.session, "Four?")
        assert answers(made.session)["exact"] == LONG


async def test_without_a_budget_the_prompt_is_read_and_nothing_is_said() -> None:
    async with Scripted(script=echo) as made:
        made.session.configure({**EXACT, "speculate_tokens": 0})
        await typed(made.session, ONE + TWO + "H")
        assert {request.max_tokens for request in made.engine.requests} == {0}
        figures = await submitted(made.session, ONE + TWO + ASK)
        assert answers(made.session)["exact"] == answers(made.session)["conventional"]
        assert figures["exact"].prefilled_after_submit < figures["conventional"].prefilled_after_submit
        assert figures["exact"].thinking_tokens == 0


async def test_what_was_read_while_typing_is_a_beginning_of_what_is_submitted() -> None:
    async with Scripted(script=echo) as made:
        made.session.configure({"lanes": ["exact"], "speculate_tokens": 0})
        text = ONE + TWO + ASK
        await typed(made.session, *(text[:end] for end in range(1, len(text) + 1)))
        await submitted(made.session, text)
        *reads, asked = [r for r in made.engine.requests if r.cache_key == "exact"]
        assert len(reads) == 2
        assert all(asked.ids[: len(read.ids)] == read.ids for read in reads)


def silent(clock: VirtualClock, session: Session, seconds: float) -> Any:
    return clock.until(clock() + seconds, session.settled)


@pytest.mark.parametrize(("likely", "not_after", "after"), [(True, 0.4, 0.7), (False, 0.9, 1.3)])
async def test_a_pause_is_answered_sooner_where_the_model_expects_the_end(
    likely: bool, not_after: float, after: float
) -> None:
    clock, engine = VirtualClock(), ScriptedEngine(echo, ends=lambda prompt: likely)
    manager = SessionManager(engine, clock=clock)
    session = manager.create({"lanes": ["exact"]})
    session.draft(1, ONE + "How many are left")
    await silent(clock, session, not_after)
    assert "exact" not in session.state.prepared
    await silent(clock, session, after - not_after)
    await session.settled()
    assert session.state.prepared["exact"].done
    await manager.close()
    engine.close()


async def test_notes_come_first_and_then_the_answer_made_of_them() -> None:
    def script(role: str, prompt: str) -> str:
        return "therefore seven" if prompt.endswith("Note:") else echo(role, prompt)

    async with Scripted(script=script) as made:
        made.session.configure({"lanes": ["live", "live-slm"]})
        await typed(made.session, ONE + ASK)
        await until(made.session, lambda s: {p.done for p in s.state.prepared.values()} == {True})
        figures = await submitted(made.session, ONE + ASK)
        assert len(made.session.state.turn.notes) == 1  # type: ignore[union-attr]
        assert generating(made.engine, Priority.ANSWER) == []
        assert {lane: m.ready_tokens == m.tokens for lane, m in figures.items()} == {
            "live": True,
            "live-slm": True,
        }
        prompt = made.engine.tokenizer("llm").decode(made.engine.requests[-1].ids)
        assert "therefore seven" in prompt


async def test_the_mode_makes_the_live_lane_exact() -> None:
    async with Scripted(script=echo) as made:
        made.session.configure({"mode": "exact", "lanes": ["live", "conventional"]})
        await typed(made.session, ONE + ASK)
        assert made.session.state.notes == ()
        figures = await submitted(made.session, ONE + ASK)
        assert answers(made.session)["live"] == answers(made.session)["conventional"]
        assert figures["live"].ready_tokens == figures["live"].tokens


async def test_mode_off_prepares_nothing() -> None:
    async with Scripted(script=echo) as made:
        made.session.configure({**EXACT, "mode": "off"})
        await typed(made.session, ONE + ASK)
        assert made.engine.requests == []
        await submitted(made.session, ONE + ASK)
        assert answers(made.session)["exact"] == answers(made.session)["conventional"]


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.configure({"temperature": 0.7}),
        lambda session: session.clear(),
        lambda session: session.configure({"max_tokens": 3}),
    ],
)
async def test_an_answer_to_other_options_is_not_shown(change: Callable[[Session], object]) -> None:
    async with Scripted(script=lambda role, prompt: LONG) as made:
        made.session.configure(EXACT)
        await typed(made.session, ASK)
        change(made.session)
        made.session.configure({"speculate_tokens": 0})
        figures = await submitted(made.session, ASK)
        assert figures["exact"].ready_tokens == 0
        assert answers(made.session)["exact"] == answers(made.session)["conventional"]
        assert figures["exact"].tokens == figures["conventional"].tokens


async def test_the_second_turn_is_exact_too() -> None:
    async with Scripted(script=echo) as made:
        made.session.configure(EXACT)
        for text in (ONE + ASK, TWO + ASK):
            await typed(made.session, text)
            await submitted(made.session, text)
            assert answers(made.session)["exact"] == answers(made.session)["conventional"]
        assert len(made.session.state.turns) == 2


async def test_a_failing_guess_is_told_only_when_it_is_asked_for() -> None:
    def step(request: Request) -> None:
        raise ValueError("broken")

    async with Scripted(script=echo, step=step) as made:
        made.session.configure({"lanes": ["exact"]})
        await typed(made.session, ASK)
        assert len(generating(made.engine, Priority.SPECULATION)) == 1
        made.session.submit(5, ASK)
        await until(made.session, turn_done)
        assert made.session.state.turn.lanes["exact"].status == "failed"  # type: ignore[union-attr]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20), st.sampled_from(PIECES)), max_size=12))
async def test_whatever_is_typed_the_exact_answer_is_the_conventional_one(edits: list[Any]) -> None:
    async with Scripted(script=echo) as made:
        made.session.configure({"lanes": ["exact", "exact-slm", "conventional", "slm"]})
        text = await edited(made.session, edits)
        await submitted(made.session, text + ASK)
        said = answers(made.session)
        assert said["exact"] == said["conventional"]
        assert said["exact-slm"] == said["slm"]
