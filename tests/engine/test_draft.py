"""Drafts of an answer, kept as far as the model stands behind them (protocol.Draft), on a real model."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemind_app.engine.split import OwnedEngine
from livemind_app.protocol import Chunk, Draft, Finished, Output, Request
from tests.engine.conftest import local
from tests.engine.test_contract import ids_of, joined

TOKENS = 16


@pytest.fixture(scope="module")
def tiny() -> Iterator[OwnedEngine]:
    with local(dtype="float32") as engine:
        yield engine


@pytest.fixture(scope="module")
def greedy(tiny: OwnedEngine) -> tuple[int, ...]:
    return joined(tiny.generate(Request(ids_of(tiny), "llm", TOKENS)))[0]


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, TOKENS - 1), st.integers(100, 40_000)), max_size=3), st.booleans())
def test_with_a_threshold_of_one_any_draft_gives_the_greedy_answer(
    tiny: OwnedEngine, greedy: tuple[int, ...], wrong: list[tuple[int, int]], lookahead: bool
) -> None:
    draft = list(greedy)
    for place, token in wrong:
        draft[place] = token
    request = Request(ids_of(tiny), "llm", TOKENS, draft=Draft(tuple(draft), 1.0), lookahead=lookahead)
    ids, _, finished = joined(tiny.generate(request))
    assert ids == greedy
    assert finished.kept == _alike(draft, greedy)
    assert finished.tokens == len(ids)


def test_a_draft_of_which_all_is_right_is_only_read(tiny: OwnedEngine, greedy: tuple[int, ...]) -> None:
    request = Request(ids_of(tiny), "llm", TOKENS, draft=Draft(greedy, 1.0))
    *chunks, finished = tiny.generate(request)
    assert [(chunk.ids, chunk.kept) for chunk in chunks if isinstance(chunk, Chunk) and chunk.ids] == [
        (greedy, True)
    ]
    assert isinstance(finished, Finished)
    assert (finished.forwards, finished.decode_s, finished.reason) == (0, 0.0, "length")
    assert finished.prefill_s > 0


@pytest.mark.parametrize("keep", [0.02, 0.1, 0.5])
def test_what_stays_has_its_share_of_the_best_probability_and_what_goes_has_not(
    tiny: OwnedEngine, keep: float
) -> None:
    """The draft answers another question; the engine's own scores say what should stay of it."""
    draft, _, _ = joined(tiny.generate(Request(ids_of(tiny, "Tom has three apples and buys"), "llm", TOKENS)))
    request = Request(ids_of(tiny), "llm", TOKENS)
    ids, _, finished = joined(tiny.generate(replace(request, draft=Draft(draft, keep))))
    assert ids[: finished.kept] == draft[: finished.kept]
    for place in range(min(finished.kept + 1, len(draft))):
        enough = _share(tiny, request.ids + draft[:place], draft[place]) >= log(keep)
        assert enough == (place < finished.kept)
    rest = replace(request, ids=request.ids + draft[: finished.kept], max_tokens=TOKENS - finished.kept)
    assert ids[finished.kept :] == joined(tiny.generate(replace(rest, said=finished.kept)))[0]


@pytest.mark.parametrize("further", [0, 1, 3])
def test_so_many_tokens_are_written_behind_what_stays(
    tiny: OwnedEngine, greedy: tuple[int, ...], further: int
) -> None:
    wrong = (*greedy[:8], 1000, *greedy[9:])
    request = Request(ids_of(tiny), "llm", TOKENS, draft=Draft(wrong, 1.0, further=further))
    ids, _, finished = joined(tiny.generate(request))
    assert ids == greedy[: 8 + further]
    assert (finished.kept, finished.reason) == (8, "length")
    held = replace(request, draft=Draft(greedy[:-1], 1.0, further=3))
    assert joined(tiny.generate(held))[0] == greedy  # the request's own limit is the narrower one


def test_half_a_character_is_left_to_whoever_goes_on(tiny: OwnedEngine) -> None:
    """Where `further` cuts, not where the answer ends."""
    ids = tiny.tokenizer("llm").encode("🦊")
    assert len(ids) > 1
    draft = Draft(ids[:1], 0.0, further=0)
    _, text, _ = joined(tiny.generate(Request(ids_of(tiny), "llm", TOKENS, draft=draft)))
    assert text == ""
    whole = replace(draft, ids=ids)
    assert joined(tiny.generate(Request(ids_of(tiny), "llm", TOKENS, draft=whole)))[1] == "🦊"


def test_with_a_threshold_of_zero_all_of_it_stays(tiny: OwnedEngine) -> None:
    draft = tuple(range(1000, 1000 + TOKENS))
    request = Request(ids_of(tiny), "llm", TOKENS + 3, draft=Draft(draft, 0.0))
    ids, text, finished = joined(tiny.generate(request))
    assert ids[:TOKENS] == draft
    assert text == tiny.tokenizer("llm").decode(ids)
    assert finished.kept == TOKENS
    assert finished.tokens == len(ids) > TOKENS


def test_a_complete_draft_ends_where_the_model_would_end_too(tiny: OwnedEngine) -> None:
    request = Request(ids_of(tiny, "What is the capital of France?"), "llm", 40)
    whole, text, finished = joined(tiny.generate(request))
    assert finished.reason == "eos"
    kept = Draft(whole, 1.0, complete=True)
    again, same, ended = joined(tiny.generate(replace(request, draft=kept)))
    assert (again, same, ended.reason, ended.kept) == (whole, text, "eos", len(whole))
    cut = replace(request, draft=Draft(whole[:-2], 0.5, complete=True))
    assert joined(tiny.generate(cut))[0] == whole


def test_a_long_draft_stays_within_the_budget_and_stops_at_stop_strings(
    tiny: OwnedEngine, greedy: tuple[int, ...]
) -> None:
    request = Request(ids_of(tiny), "llm", 5, draft=Draft(greedy, 1.0))
    ids, _, finished = joined(tiny.generate(request))
    assert (ids, finished.reason) == (greedy[:5], "length")
    words = tiny.tokenizer("llm").decode(greedy).split()
    stopped = replace(request, max_tokens=TOKENS, stops=(words[3],))
    _, text, finished = joined(tiny.generate(stopped))
    assert finished.reason == "stop"
    assert words[3] not in text


def test_cancelling_ends_it_before_the_next_forward(tiny: OwnedEngine) -> None:
    request = Request(ids_of(tiny), "llm", 500, draft=Draft(tuple(range(1000, 1200)), 0.0))
    outputs: list[Output] = []
    for output in tiny.generate(request):
        outputs.append(output)
        request.cancel()
    ids, _, finished = joined(outputs)
    assert finished.reason == "cancelled"
    assert len(ids) < 200


def test_the_cache_left_behind_is_that_of_what_was_said(tiny: OwnedEngine, greedy: tuple[int, ...]) -> None:
    wrong = (*greedy[:6], 4242, *greedy[7:])
    request = Request(ids_of(tiny), "llm", TOKENS, session="draft", cache_key="one", draft=Draft(wrong, 1.0))
    assert joined(tiny.generate(request))[0] == greedy
    rest = replace(request, ids=request.ids + greedy[:-1], said=TOKENS - 1, max_tokens=1, draft=None)
    ids, _, finished = joined(tiny.generate(rest))
    assert ids == greedy[-1:]
    assert finished.cached_tokens >= len(request.ids) + TOKENS - 2


def _alike(draft: Sequence[int], greedy: Sequence[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(draft, greedy, strict=True)) if a != b), len(greedy))


def _share(engine: OwnedEngine, ids: tuple[int, ...], token: int) -> float:
    """Log of a token's probability over that of the likeliest."""
    (best,), _, _ = joined(engine.generate(Request(ids, "llm", 1)))
    finished = joined(engine.generate(Request(ids, "llm", 0, score=(token, best))))[2]
    return finished.scores[0] - finished.scores[1]
