"""The exact lane on models: whatever was typed on the way, it says what a cold one says."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemind_app.engine.loading import load_engine
from livemind_app.engine.local import LocalEngine
from livemind_app.engine.lookahead import with_lookahead
from livemind_app.protocol import Chunk, Request
from livemind_app.session import SessionManager
from livemind_app.session.formats import conventional
from tests.llm_to_slm import tiny
from tests.session.conftest import turn_done, until

TOKENS = 16
PIECES = [
    "Tom has three apples.",
    " Ann gives him four more.",
    " How many are left?",
    " Wörter, 12345 and 世界!",
    "\n",
    "x",
    " ",
]
PLACES = st.integers(0, 80)
EDITS = st.one_of(
    st.tuples(st.just("type"), st.just(10**6), st.sampled_from(PIECES)),
    st.tuples(st.just("paste"), PLACES, st.sampled_from(PIECES)),
    st.tuples(st.just("delete"), PLACES, st.integers(1, 12)),
    st.tuples(st.just("move"), PLACES, st.integers(1, 20)),
    st.tuples(st.just("undo"), st.just(0), st.just(0)),
)


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    engine = load_engine("tiny", dtype="float32")
    engine.wait()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def random_engine() -> Iterator[LocalEngine]:
    """A tiny model that says anything, with lookahead: many edits take no time."""
    model = with_lookahead(tiny.writer())
    engine = LocalEngine(lambda report: {"llm": model, "slm": model})
    engine.wait()
    yield engine
    engine.close()


def edited(history: list[str], kind: str, at: int, what: str | int) -> str:
    text = history[-1]
    if kind == "undo":
        return history[-2] if len(history) > 1 else text
    if isinstance(what, str):
        return text[:at] + what + text[at:]
    taken, rest = text[at : at + what], text[:at] + text[at + what :]
    return rest if kind == "delete" else taken + rest


def cold(engine: LocalEngine, text: str) -> tuple[str, int]:
    """What the conventional way says, and in how many tokens; nothing computed before, nothing drafted."""
    ids = engine.tokenizer("llm").render(conventional([], text))
    chunks = [c for c in engine.generate(Request(ids, "llm", TOKENS)) if isinstance(c, Chunk)]
    return "".join(chunk.text for chunk in chunks).lstrip(), sum(len(chunk.ids) for chunk in chunks)


@settings(max_examples=30)
@given(edits=st.lists(st.tuples(EDITS, st.booleans()), min_size=2, max_size=8))
async def test_any_edits_end_in_the_conventional_answer(random_engine: LocalEngine, edits: list) -> None:  # type: ignore[type-arg]
    await type_and_compare(random_engine, edits)


async def test_edits_end_in_the_answer_of_a_real_model(engine: LocalEngine) -> None:
    edits: list[tuple[tuple[str, int, Any], bool]] = [
        (("type", 10**6, PIECES[1]), True),
        (("paste", 4, PIECES[3]), True),
        (("delete", 10, 9), False),
        (("type", 10**6, PIECES[2]), True),
        (("undo", 0, 0), True),
        (("move", 3, 12), True),
    ]
    await type_and_compare(engine, edits)


async def type_and_compare(engine: LocalEngine, edits: list[tuple[tuple[str, int, Any], bool]]) -> None:
    manager = SessionManager(engine)
    session = manager.create({"lanes": ["exact"], "max_tokens": TOKENS, "speculate_tokens": 200})
    history = [PIECES[0]]
    for revision, ((kind, at, what), waits) in enumerate(edits):
        history.append(edited(history, kind, at, what))
        session.draft(revision, history[-1])
        if waits:
            await session.settled()
    text = history[-1].strip("\0") or "Hello?"
    session.submit(len(edits), text if text.strip() else "Hello?")
    await until(session, turn_done, timeout=120)
    turn = session.state.turn
    assert turn is not None
    answered = turn.lanes["exact"]
    assert answered.metrics is not None
    assert (answered.text, answered.metrics.tokens) == cold(engine, turn.prompt)
    await manager.close()


async def test_a_typo_mended_in_the_first_sentence_still_beats_reading_it_all(engine: LocalEngine) -> None:
    """Of the answer as it was before the edit, what still holds is confirmed several tokens at a time."""
    manager = SessionManager(engine)
    session = manager.create({"lanes": ["exact", "conventional"], "max_tokens": TOKENS})
    text = "Tom has three aples. Ann gives him four more. How many are left?"
    session.draft(1, text)
    await session.settled()
    session.draft(2, text.replace("aples", "apples"))
    await session.settled()
    session.submit(3, text.replace("aples", "apples"))
    await until(session, turn_done, timeout=120)
    turn = session.state.turn
    assert turn is not None
    exact, plain = turn.lanes["exact"], turn.lanes["conventional"]
    assert exact.metrics is not None
    assert plain.metrics is not None
    assert exact.text == plain.text
    assert exact.metrics.prefilled_after_submit < plain.metrics.prefilled_after_submit
    assert exact.metrics.latency < plain.metrics.latency
    await manager.close()
