"""The mode `draft`: an answer goes along with the text, and Enter keeps what still holds."""

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.errors import ConfigError
from livemind_app.protocol import Priority, Request
from livemind_app.session import Session, SessionManager
from livemind_app.session.plan import SLICE
from livemind_app.session.requests import defaults_for, unable_choices
from tests.session.conftest import ASK, ONE, TWO, Scripted, turn_done, until
from tests.session.test_exact import PIECES, answers, echo, edited, generating, submitted, typed

DRAFT = {"mode": "draft", "lanes": ["live"]}
LONG = " ".join(f"word{number}" for number in range(60))


async def test_what_was_drafted_is_shown_at_enter_and_not_written_again() -> None:
    async with Scripted(script=lambda role, prompt: LONG) as made:
        made.session.configure(DRAFT)
        await typed(made.session, ONE, ONE + "How ", ONE + "How many are ")
        figures = (await submitted(made.session, ONE + ASK))["live"]
        assert answers(made.session)["live"] == LONG
        assert figures.ready_tokens == figures.tokens == len(LONG.split())
        assert figures.thinking_tokens == figures.tokens  # later drafts kept all of the first
        assert figures.wasted_tokens == 0
        (request,) = generating(made.engine, Priority.ANSWER)
        assert request.draft is not None
        assert request.draft.complete
        assert request.draft.keep == made.session.options.draft_threshold


SMALL = DRAFT | {"lanes": ["live-slm"]}


def changing(role: str, prompt: str) -> str:
    """The large model takes the words behind the tenth back once it has seen the question."""
    words = LONG.split()
    if role == "slm":
        words[11:] = [f"small{number}" for number in range(11, 20)]
    elif ASK in prompt:
        words[10:] = ["instead", "and", "more"]
    return " ".join(words)


async def test_the_small_model_goes_on_where_the_large_one_takes_its_draft_back() -> None:
    async with Scripted(script=changing) as made:
        made.session.configure(SMALL)
        await typed(made.session, ONE, ONE + "How many are ")
        figures = (await submitted(made.session, ONE + ASK))["live-slm"]
        assert answers(made.session)["live-slm"].split() == [
            *(f"word{number}" for number in range(10)),
            "instead",
            *(f"small{number}" for number in range(11, 20)),
        ]
        large, small = generating(made.engine, Priority.ANSWER)
        assert (large.role, small.role, small.said) == ("llm", "slm", 11)
        assert (figures.ready_tokens, figures.tokens) == (10, 20)
        assert figures.wasted_tokens == figures.thinking_tokens - 10
        assert figures.prompt_tokens == len(large.ids)


async def test_a_draft_that_holds_to_its_end_needs_no_small_model() -> None:
    async with Scripted(script=lambda role, prompt: f"{role} {LONG}") as made:
        made.session.configure(DRAFT | {"lanes": ["live", "live-slm"]})
        await typed(made.session, ONE, ONE + "How many are ")
        figures = await submitted(made.session, ONE + ASK)
        assert answers(made.session) == dict.fromkeys(["live", "live-slm"], f"llm {LONG}")
        assert {f.ready_tokens for f in figures.values()} == {len(LONG.split()) + 1}
        assert {request.role for request in generating(made.engine, Priority.ANSWER)} == {"llm"}


async def test_without_a_draft_the_small_model_answers_alone() -> None:
    async with Scripted(script=lambda role, prompt: f"{role} {LONG}") as made:
        made.session.configure(SMALL | {"speculate_tokens": 0})
        await typed(made.session, ONE)
        await submitted(made.session, ONE + ASK)
        assert answers(made.session)["live-slm"] == f"slm {LONG}"
        assert {request.role for request in generating(made.engine, Priority.ANSWER)} == {"slm"}


async def test_the_small_model_reads_along_with_the_draft() -> None:
    async with Scripted(script=changing) as made:
        made.session.configure(SMALL)
        await typed(made.session, ONE, ONE + "How many are ")
        figures = (await submitted(made.session, ONE + ASK))["live-slm"]
        read = [r for r in made.engine.requests if r.role == "slm" and not r.max_tokens]
        assert len(read) == 2
        assert all(request.priority is Priority.SPECULATION for request in read)
        large, small = generating(made.engine, Priority.ANSWER)
        assert figures.prefilled_after_submit < len(large.ids) + len(small.ids) - 2 * len(read[-1].ids) + 10


async def test_a_draft_of_the_very_prompt_is_handed_over_where_enter_finds_it() -> None:
    gate = Gate(11)
    async with Scripted(script=changing, step=gate) as made:
        made.session.configure(SMALL)
        made.session.draft(1, ONE + "How many are")
        assert await asyncio.to_thread(gate.reached.wait, 10)
        await until(made.session, lambda s: s.state.prepared["live-slm"].tokens >= 9)
        made.session.submit(2, ONE + "How many are")
        gate.go.set()
        await until(made.session, turn_done)
        words = answers(made.session)["live-slm"].split()
        assert words[:9] == [f"word{number}" for number in range(9)]
        assert words[11:] == [f"small{number}" for number in range(11, 20)]


async def test_the_whole_answer_keeps_to_the_limit_of_tokens() -> None:
    for limit in (5, 10, 11, 12):
        async with Scripted(script=changing) as made:
            made.session.configure(SMALL | {"max_tokens": limit})
            await typed(made.session, ONE, ONE + "How many are ")
            figures = (await submitted(made.session, ONE + ASK))["live-slm"]
            assert figures.tokens == len(answers(made.session)["live-slm"].split()) == limit


async def test_an_engine_that_cannot_read_drafts_again_refuses_the_mode() -> None:
    async with Scripted(cannot={"draft": "load the model here"}) as made:
        with pytest.raises(ConfigError, match="mode cannot be draft: load the model here"):
            made.session.configure(DRAFT)
        assert made.session.options.mode == "infer"
        assert unable_choices(made.engine)["mode"] == {"draft": "load the model here"}


def test_sessions_draft_unless_the_models_cannot() -> None:
    for reason, mode in ((None, "draft"), ("load the model here", "infer")):
        engine = ScriptedEngine(cannot={"draft": reason} if reason else {})
        assert SessionManager(engine).defaults.mode == mode
        assert defaults_for(engine, "exact").mode == "exact"
        engine.close()
    with pytest.raises(ConfigError, match="mode cannot be draft: load the model here"):
        defaults_for(engine, "draft")


async def test_nothing_is_drafted_before_a_sentence_is_there() -> None:
    async with Scripted(script=echo) as made:
        made.session.configure(DRAFT)
        await typed(made.session, "Tom has", "Tom has three app")
        assert generating(made.engine, Priority.SPECULATION) == []


async def test_a_word_that_may_still_grow_is_not_answered() -> None:
    prompts: list[str] = []
    async with Scripted(script=lambda role, prompt: prompts.append(prompt) or LONG) as made:  # type: ignore[func-returns-value]
        made.session.configure(DRAFT)
        await typed(made.session, ONE + "How ma", ONE + "How many a")
    assert ["How many" in prompt for prompt in prompts] == [False, True]
    assert not any("How ma\n" in prompt or "many a" in prompt for prompt in prompts)


@dataclass
class Gate:
    """Holds a draft when it is about to say its token number `at`."""

    at: int
    reached: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    seen: int = 0

    def __call__(self, request: Request) -> None:
        self.seen += request.priority is Priority.SPECULATION
        if self.seen == self.at and not self.go.is_set():
            self.reached.set()
            assert self.go.wait(10)


@pytest.mark.parametrize(
    ("said", "text", "goes_on"),
    [
        (5, ONE + "How ma", True),
        (5, ONE + "How many are ", True),
        (SLICE + 2, ONE + "How ma", True),
        (SLICE + 2, ONE + "How many are ", False),
        (5, ONE + TWO, False),
        (5, "Ann" + ONE, False),
    ],
)
async def test_a_draft_goes_on_until_it_is_worth_another_look(said: int, text: str, goes_on: bool) -> None:
    gate = Gate(said + 1)
    async with Scripted(script=lambda role, prompt: LONG, step=gate) as made:
        made.session.configure(DRAFT)
        made.session.draft(1, ONE + "How ")
        assert await asyncio.to_thread(gate.reached.wait, 10)
        await until(made.session, lambda s: s.state.prepared["live"].tokens >= min(said, 1))
        await asyncio.sleep(0)
        made.session.draft(2, text)
        (first,) = generating(made.engine, Priority.SPECULATION)
        assert first.cancel.cancelled != goes_on
        gate.go.set()
        await made.session.settled()


async def test_a_draft_cut_by_enter_is_kept_as_far_as_it_went() -> None:
    gate = Gate(11)
    async with Scripted(script=lambda role, prompt: LONG, step=gate) as made:
        made.session.configure(DRAFT)
        made.session.draft(1, ONE + "How ")
        assert await asyncio.to_thread(gate.reached.wait, 10)
        await until(made.session, lambda s: s.state.prepared["live"].tokens >= 9)
        made.session.submit(2, ONE + ASK)
        gate.go.set()
        await until(made.session, turn_done)
        assert answers(made.session)["live"] == LONG
        (request,) = generating(made.engine, Priority.ANSWER)
        assert request.draft is not None
        assert 9 <= len(request.draft.ids) <= 10
        assert not request.draft.complete


async def test_the_budget_bounds_what_is_drafted() -> None:
    texts = [ONE + "and then " * count for count in range(12)]
    async with Scripted(script=lambda role, prompt: f"{len(prompt)} " + LONG) as made:
        made.session.configure(DRAFT | {"speculate_tokens": 100})
        await typed(made.session, *texts)
        spent = made.session.state.prepared["live"].tokens
        assert 50 <= spent <= 100
        made.session.configure({"speculate_tokens": 0})
        before = len(generating(made.engine, Priority.SPECULATION))
        await typed(made.session, *texts)
        assert len(generating(made.engine, Priority.SPECULATION)) == before


async def test_a_draft_is_not_taken_over_into_another_chat_or_other_options() -> None:
    changes: list[Any] = [lambda s: s.clear(), lambda s: s.configure({"temperature": 0.7})]
    for change in changes:
        async with Scripted(script=lambda role, prompt: LONG) as made:
            made.session.configure(DRAFT)
            await typed(made.session, ONE)
            change(made.session)
            made.session.configure({"speculate_tokens": 0})
            await submitted(made.session, ONE + ASK)
            (request,) = generating(made.engine, Priority.ANSWER)
            assert request.draft is None


def of_one_mind(role: str, prompt: str) -> str:
    return echo("either", prompt)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20), st.sampled_from(PIECES)), max_size=12))
async def test_an_engine_that_keeps_only_its_own_words_gives_the_undrafted_answer(edits: list[Any]) -> None:
    async with Scripted(script=of_one_mind) as made, Scripted(script=of_one_mind) as plain:
        made.session.configure(DRAFT | {"lanes": ["live", "live-slm"]})
        text = await edited(made.session, edits)
        await submitted(made.session, text + ASK)
        assert answers(made.session) == await _undrafted(plain.session, text + ASK)


async def _undrafted(session: Session, text: str) -> dict[str, str]:
    session.configure({"mode": "off"})
    await submitted(session, text, ["live", "live-slm"])
    return dict(answers(session))
