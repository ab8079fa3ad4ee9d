"""What each part of the draft gave to the answer that goes along with it."""

import asyncio
import threading
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from livemind_app.session.events import Thought
from tests.session.conftest import ASK, ONE, TWO, Scripted
from tests.session.test_draft import DRAFT
from tests.session.test_exact import PIECES, edited, typed

WORDS = [f"word{number}" for number in range(12)]
OTHER = [f"other{number}" for number in range(5)]


def changing(role: str, prompt: str) -> str:
    """With the second sentence the model takes back all but its first three words."""
    return " ".join([*WORDS[:3], *OTHER] if TWO.strip() in prompt else WORDS)


def thoughts(made: Scripted) -> tuple[Thought, ...]:
    return made.session.state.prepared["live"].thoughts


async def test_each_sentence_is_told_what_came_with_it_and_what_that_cost() -> None:
    async with Scripted(script=changing) as made:
        made.session.configure(DRAFT)
        await typed(made.session, ONE)
        (first,) = thoughts(made)
        assert (first.index, first.upto, first.begin, first.running) == (0, len(ONE), 0, False)
        assert first.tokens == len(WORDS)
        await typed(made.session, ONE + TWO)
        kept, second = thoughts(made)
        assert kept == first
        assert (second.index, second.upto) == (1, len(ONE + TWO))
        assert second.tokens == len(OTHER)
        assert made.session.state.prepared["live"].text[second.begin :].split() == OTHER


async def test_what_is_typed_within_a_sentence_counts_for_it() -> None:
    async with Scripted(script=changing) as made:
        made.session.configure(DRAFT)
        await typed(made.session, ONE, ONE + "Ann ", ONE + TWO)
        _, second = thoughts(made)
        assert second.upto == len(ONE + TWO)
        assert second.tokens == len(OTHER)
        assert made.session.state.prepared["live"].text[second.begin :].split() == OTHER


async def test_an_edit_takes_back_what_read_it_and_leaves_what_came_before() -> None:
    async with Scripted(script=changing) as made:
        made.session.configure(DRAFT)
        await typed(made.session, ONE, ONE + TWO)
        first, _ = thoughts(made)
        made.session.draft(made.session.state.revision + 1, ONE + TWO.replace("four", "nine") + ASK)
        (kept,) = thoughts(made)
        assert kept == replace(first, end=len(" ".join(WORDS[:3])))
        await made.session.settled()
        _, again = thoughts(made)
        assert again.begin == kept.end  # it confirms what the answer still says of the sentence
        made.session.draft(made.session.state.revision + 1, "")
        assert not made.session.state.prepared


async def test_what_follows_a_part_says_where_its_share_ends() -> None:
    """Not a later part that was taken back: the answer may be shorter by now."""
    async with Scripted(script=changing) as made:
        made.session.configure(DRAFT)
        await typed(made.session, ONE, ONE + "It rains. ")
        made.session.draft(made.session.state.revision + 1, ONE)
        (first,) = thoughts(made)
        assert first.end == len(" ".join(WORDS))
        await typed(made.session, ONE + TWO)
        first, second = thoughts(made)
        assert (first.end, second.begin) == (None, len(" ".join(WORDS[:3])))


async def test_a_turn_keeps_what_was_thought_and_the_next_begins_without() -> None:
    async with Scripted(script=changing) as made:
        made.session.configure(DRAFT)
        await typed(made.session, ONE, ONE + TWO)
        before = thoughts(made)
        made.session.submit(made.session.state.revision + 1, ONE + TWO)
        assert made.session.state.turns[0].prepared["live"].thoughts == before
        assert not made.session.state.prepared


async def test_a_submit_before_a_step_has_said_a_word_leaves_what_was_thought() -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(role: str, prompt: str) -> str:
        if ASK in prompt:
            began.set()
            go_on.wait(5)
        return changing(role, prompt)

    async with Scripted(script=slow) as made:
        made.session.configure(DRAFT)
        await typed(made.session, ONE, ONE + TWO)
        before = thoughts(made)
        made.session.draft(made.session.state.revision + 1, ONE + TWO + ASK)
        assert await asyncio.to_thread(began.wait, 5)
        made.session.submit(made.session.state.revision + 1, ONE + TWO + ASK)
        go_on.set()
        assert made.session.state.turns[0].prepared["live"].thoughts == before


@given(edits=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12), st.sampled_from(PIECES)), max_size=8))
@settings(max_examples=25, deadline=None)
async def test_thoughts_follow_the_text_through_any_edits(edits: list[Any]) -> None:
    async with Scripted(script=changing) as made:
        made.session.configure(DRAFT)
        text = await edited(made.session, edits)
        await made.session.settled()
        if prepared := made.session.state.prepared.get("live"):
            told = prepared.thoughts
            assert all(a.index < b.index and a.upto < b.upto for a, b in pairwise(told))
            assert all(thought.upto <= len(text) for thought in told)
            assert not any(thought.running for thought in told)
            assert all(thought.end is None or thought.end <= len(prepared.text) for thought in told)
            assert sum(thought.tokens for thought in told) <= prepared.tokens
