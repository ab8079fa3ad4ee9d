"""What every engine promises (livemind_app/protocol.py), on a real model.

What weights can change is tested in each of their formats, the rest in one and behind a server.
tests/servers/contract.py runs what a real server can promise on one.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemind_app.engine.local import LocalEngine
from livemind_app.engine.packed.groups import GroupLinear
from livemind_app.engine.split import OwnedEngine
from livemind_app.errors import ContextTooLong
from livemind_app.protocol import Cancel, Chunk, Finished, Message, Output, Priority, Request, Sampling
from tests.engine.conftest import ENGINES, REMOTE

PROMPT = "Tom has three apples and buys four more at the market. How many apples does he have now?"
PROMPTS = [PROMPT, PROMPT[:40], PROMPT[:40] + " Then he eats two.", "Hello."]
fresh = count()
Test = TypeVar("Test", bound=Callable[..., object])


def on(*engines: str) -> Callable[[Test], Test]:
    """Not on every engine of conftest.py."""

    def mark(test: Test) -> Test:
        test.engines = engines  # type: ignore[attr-defined]
        return test

    return mark


one_format = on("float32", REMOTE)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        engines = getattr(metafunc.function, "engines", ENGINES)
        metafunc.parametrize("engine", engines, indirect=True, scope="session")


def chat(text: str) -> list[Message]:
    return [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": text}]


def ids_of(engine: OwnedEngine, text: str = PROMPT) -> tuple[int, ...]:
    return engine.tokenizer("llm").render(chat(text))


def joined(outputs: Iterable[Output]) -> tuple[tuple[int, ...], str, Finished]:
    """Token ids, text and the end of one generation."""
    *chunks, finished = outputs
    assert isinstance(finished, Finished)
    assert all(isinstance(chunk, Chunk) for chunk in chunks)
    ids = tuple(token for chunk in chunks for token in chunk.ids)  # type: ignore[union-attr]
    return ids, "".join(chunk.text for chunk in chunks), finished  # type: ignore[union-attr]


def test_says_something_sensible(engine: OwnedEngine) -> None:
    question: list[Message] = [{"role": "user", "content": "What is the capital of France?"}]
    ids = engine.tokenizer("llm").render(question)
    tokens, text, finished = joined(engine.generate(Request(ids, "llm", 24)))
    assert "Paris" in text
    assert finished.tokens == len(tokens)
    assert finished.prompt_tokens == finished.prefilled_tokens == len(ids)
    assert finished.decode_s > 0
    assert finished.prefill_s > 0


def test_a_generation_is_taken_up_where_another_left_it(engine: OwnedEngine) -> None:
    _take_up(engine, Sampling())


@one_format
def test_penalties_are_taken_up_as_well(engine: OwnedEngine) -> None:
    _take_up(engine, Sampling(repetition_penalty=1.3))


@on("float32")  # a server begins a seed's chances anew with every request
def test_chance_is_taken_up_as_well(engine: OwnedEngine) -> None:
    _take_up(engine, Sampling(0.8, seed=5))


def _take_up(engine: OwnedEngine, sampling: Sampling) -> None:
    request = Request(ids_of(engine), "llm", 20, sampling=sampling)
    whole, text, _ = joined(engine.generate(request))
    for left, key in ((1, "same"), (7, "same"), (7, None)):
        first = replace(request, max_tokens=left, session="s", cache_key=key)
        chunks = [c for c in engine.generate(first) if isinstance(c, Chunk) and c.ids]
        said = tuple(token for chunk in chunks for token in chunk.ids)
        rest = replace(first, ids=request.ids + said, said=left, max_tokens=20 - left)
        tokens, more, finished = joined(engine.generate(rest))
        assert said + tokens == whole
        assert "".join(chunk.text for chunk in chunks) + more == text
        assert finished.tokens == len(tokens)


def test_lookahead_says_the_same(engine: OwnedEngine) -> None:
    request = Request(ids_of(engine, "Repeat twice: one two three four five six."), "llm", 24)
    plain, _, before = joined(engine.generate(request))
    drafted, _, finished = joined(engine.generate(replace(request, lookahead=True)))
    assert drafted == plain
    assert finished.forwards <= before.forwards


@one_format
def test_increments_join_to_the_decoded_whole(engine: OwnedEngine) -> None:
    for text in ("Write a line with emoji: 🍎🍐", "写一句关于苹果的话。", "Print `x  =  1` in Python."):
        ids, said, _ = joined(engine.generate(Request(ids_of(engine, text), "llm", 40)))
        assert said == engine.tokenizer("llm").decode(ids)
        assert not said.endswith("�") or engine.tokenizer("llm").decode(ids).endswith("�")


def test_warm_output_equals_cold_output(engine: OwnedEngine) -> None:
    ids = ids_of(engine)
    cold, _, _ = joined(engine.generate(Request(ids, "llm", 12)))
    for split in (1, 7, 20, 36):
        key = f"warm{next(fresh)}"
        joined(engine.generate(Request(ids[:split], "llm", 3, session="s", cache_key=key)))
        warm, _, finished = joined(engine.generate(Request(ids, "llm", 12, session="s", cache_key=key)))
        assert warm == cold
        assert split <= finished.cached_tokens < len(ids)
    again, _, finished = joined(engine.generate(Request(ids, "llm", 12, session="s", cache_key=key)))
    assert again == cold
    assert finished.prefilled_tokens == 1


@settings(max_examples=2)
@given(st.lists(st.sampled_from(PROMPTS), min_size=2, max_size=4))
def test_any_order_of_prompts_on_one_cache_gives_the_cold_output(
    engine: OwnedEngine, prompts: list[str]
) -> None:
    key = f"order{next(fresh)}"
    for prompt in prompts[:-1]:
        joined(engine.generate(Request(ids_of(engine, prompt), "llm", 4, session="s", cache_key=key)))
    request = Request(ids_of(engine, prompts[-1]), "llm", 8, session="s", cache_key=key)
    warm, _, _ = joined(engine.generate(request))
    cold, _, _ = joined(engine.generate(Request(request.ids, "llm", 8)))
    assert warm == cold


def test_prefill_only_leaves_the_logits_ready(engine: OwnedEngine) -> None:
    ids = ids_of(engine)
    tokens, _, finished = joined(engine.generate(Request(ids, "llm", 0, session="s", cache_key="pre")))
    assert (tokens, finished.tokens) == ((), 0)
    warm, _, finished = joined(engine.generate(Request(ids, "llm", 8, session="s", cache_key="pre")))
    assert finished.prefilled_tokens <= 1  # servers keep no logits
    assert warm == joined(engine.generate(Request(ids, "llm", 8)))[0]


def test_a_long_prompt_in_chunks_equals_its_continuation(engine: OwnedEngine) -> None:
    ids = ids_of(engine, PROMPT * 12)
    cold, _, _ = joined(engine.generate(Request(ids, "llm", 8)))
    for cut in (50, 130, 200):
        joined(engine.generate(Request(ids[:cut], "llm", 0, session="s", cache_key="long")))
    warm, _, _ = joined(engine.generate(Request(ids, "llm", 8, session="s", cache_key="long")))
    assert warm == cold


def test_scores_are_log_probabilities_of_the_first_token(engine: OwnedEngine) -> None:
    ids = ids_of(engine)
    first = joined(engine.generate(Request(ids, "llm", 1)))[0][0]
    other = engine.tokenizer("llm").encode("zebra")[0]
    finished = joined(engine.generate(Request(ids, "llm", 0, score=(first, other))))[2]
    assert 0 >= finished.scores[0] > finished.scores[1]


@one_format
def test_sampling_repeats_by_seed(engine: OwnedEngine) -> None:
    def sample(seed: int) -> tuple[int, ...]:
        sampling = Sampling(temperature=1.2, top_p=0.95, top_k=50, seed=seed)
        return joined(engine.generate(Request(ids_of(engine), "llm", 16, sampling=sampling)))[0]

    assert sample(1) == sample(1)
    assert len({sample(seed) for seed in range(4)}) > 1


@one_format
def test_stop_strings_end_the_text_before_them(engine: OwnedEngine) -> None:
    ids = ids_of(engine)
    _, whole, _ = joined(engine.generate(Request(ids, "llm", 24)))
    stop = whole[len(whole) // 2 :][:3]
    _, text, finished = joined(engine.generate(Request(ids, "llm", 24, stops=(stop,))))
    assert finished.reason == "stop"
    assert text == whole[: whole.index(stop)]


@one_format
def test_length_and_eos(engine: OwnedEngine) -> None:
    ids = engine.tokenizer("llm").render([{"role": "user", "content": "What is the capital of France?"}])
    assert joined(engine.generate(Request(ids, "llm", 2)))[2].reason == "length"
    finished = joined(engine.generate(Request(ids, "llm", 60)))[2]
    assert finished.reason == "eos"
    assert finished.tokens < 60


@one_format
def test_a_prompt_beyond_the_context_is_refused_by_name(engine: OwnedEngine) -> None:
    with pytest.raises(ContextTooLong, match=engine.status()[0].name):
        joined(engine.generate(Request((1,) * 9000, "llm", 4)))


@one_format
def test_a_prompt_that_is_refused_costs_nothing_that_was_there(engine: OwnedEngine) -> None:
    """Shortened, it goes on from the cache of before."""
    ids = ids_of(engine)
    kept = Request(ids, "llm", 4, session="s", cache_key=f"refused {next(fresh)}")
    joined(engine.generate(kept))
    with pytest.raises(ContextTooLong):
        joined(engine.generate(replace(kept, ids=(*ids, *(1,) * 9000))))
    again = joined(engine.generate(kept))[2]
    assert again.cached_tokens >= len(ids) - 1


@one_format
def test_cancelling_takes_effect_before_the_next_token(engine: OwnedEngine) -> None:
    cancel = Cancel()
    outputs = engine.generate(Request(ids_of(engine), "llm", 200, cancel=cancel))
    next(outputs)
    cancel()
    rest = list(outputs)
    assert isinstance(rest[-1], Finished)
    assert rest[-1].reason == "cancelled"
    assert rest[-1].tokens < 200


@one_format
def test_a_long_prefill_can_be_interrupted(engine: OwnedEngine) -> None:
    ids = (ids_of(engine) * 40)[:2500]
    cancel = Cancel()
    cancel()
    finished = joined(engine.generate(Request(ids, "llm", 4, session="s", cache_key="cut", cancel=cancel)))[2]
    assert finished.reason == "cancelled"
    assert finished.prefill_s == 0.0


@one_format
async def test_an_urgent_request_overtakes_and_both_outputs_are_whole(engine: OwnedEngine) -> None:
    ids = ids_of(engine)
    alone = joined(engine.generate(Request(ids, "llm", 24)))[0]
    order: list[str] = []

    async def run(name: str, priority: Priority) -> tuple[int, ...]:
        tokens: list[int] = []
        async for output in engine.stream(Request(ids, "llm", 24, session=name, priority=priority)):
            if isinstance(output, Chunk):
                tokens += output.ids
                if name == "low" and len(tokens) == 2:
                    urgent.append(asyncio.create_task(run("high", Priority.ANSWER)))
        order.append(name)
        return tuple(tokens)

    urgent: list[asyncio.Task[tuple[int, ...]]] = []
    low = await run("low", Priority.BASELINE)
    high = await urgent[0]
    assert order == ["high", "low"]
    assert low == high == alone


@one_format
def test_what_is_under_way_is_counted_until_it_ends(engine: OwnedEngine) -> None:
    outputs = engine.generate(Request(ids_of(engine), "llm", 24, priority=Priority.NOTE))
    next(outputs)
    assert engine.usage().queued[Priority.NOTE] == 1
    list(outputs)
    deadline = time.monotonic() + 20
    while engine.usage().queued.get(Priority.NOTE, 0):
        assert time.monotonic() < deadline


@one_format
def test_rendering_a_longer_chat_extends_the_ids_of_a_shorter_one(engine: OwnedEngine) -> None:
    tokenizer = engine.tokenizer("llm")
    short = tokenizer.render(chat("Tom has three apples."))
    note = tokenizer.render([*chat("Tom has three apples."), {"role": "assistant", "content": "Note: 3"}])
    assert note[: len(short)] == short
    assert tokenizer.decode(note[len(short) :]) == "Note: 3"
    closed = tokenizer.render(chat("Tom has three apples."), answer=False)
    assert short[: len(closed)] == closed


@on("gguf")
def test_the_blocks_of_the_published_file_are_those_computed_with(engine: OwnedEngine) -> None:
    """All of Q4_1 in this file: queries, keys and values stacked, output, gate and up stacked, down."""
    assert isinstance(engine, LocalEngine)
    network = engine._models.result()["llm"].model
    found = [each for each in network.modules() if isinstance(each, GroupLinear) and each.bits == 4]
    assert len(found) >= 4 * network.config.num_hidden_layers
