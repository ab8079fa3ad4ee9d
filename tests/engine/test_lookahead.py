"""Lookahead says what decoding a token at a time says: on real weights, whatever is drafted."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
)

from livemind_app.decoding.lookahead.cost import CONTEXTS, ROWS
from livemind_app.decoding.lookahead.tree import Tree
from livemind_app.engine import step_cost
from livemind_app.engine.cache import CachePool, KVCache
from livemind_app.engine.generation import generation
from livemind_app.engine.lookahead import with_lookahead
from livemind_app.engine.model import LoadedModel
from livemind_app.engine.packed.quantize import int4_groups, int8_groups
from livemind_app.engine.packed.swap import pack, swap
from livemind_app.engine.step_cost import sees_trees
from livemind_app.errors import ContextTooLong
from livemind_app.protocol import Cancel, Chunk, Finished, Request
from tests.engine.drafting import (
    KINDS,
    VOCABULARY,
    Letters,
    anything,
    ids,
    mixed,
    oracle,
    prompt,
    run,
    tiny,
    with_drafts,
)


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest) -> LoadedModel:
    return tiny(request.param)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_greedy_says_the_same_whatever_is_drafted(model: LoadedModel, seed: int) -> None:
    request = Request(prompt(seed), "llm", 24)
    plain, _ = run(model, request)
    truth = ids(plain)
    for make in (anything(seed), mixed(truth, 9, seed), oracle(truth, 9)):
        drafted, finished = run(with_drafts(model, make), replace(request, lookahead=True))
        assert ids(drafted) == truth
        assert finished.tokens == len(truth)


def test_an_oracle_saves_forwards_and_marks_what_it_drafted(model: LoadedModel) -> None:
    request = Request(prompt(1), "llm", 25)
    plain, before = run(model, request)
    chunks, finished = run(with_drafts(model, oracle(ids(plain), 9)), replace(request, lookahead=True))
    assert before.forwards == 24
    assert finished.forwards == 3
    assert sum(chunk.drafted for chunk in chunks) == finished.drafted == 21
    assert not any(chunk.drafted for chunk in plain)


def test_rows_of_a_tree_see_what_a_sequence_sees(model: LoadedModel) -> None:
    text = prompt(3, 20)
    cache = KVCache()
    model.prefill(text, cache)
    tree = Tree([5])
    for parent, token in ((0, 6), (0, 7), (1, 8), (2, 6), (4, 9), (3, 1)):
        tree.add(parent, token)
    logits = model.verify(tree, cache)
    for row in range(len(tree)):
        path = [tree.tokens[ancestor] for ancestor in reversed(tree.ancestors(row))]
        alone = KVCache()
        model.prefill([*text, *path], alone)
        torch.testing.assert_close(logits[row], alone.logits, atol=2e-4, rtol=1e-4)


@settings(max_examples=10)
@given(kept=st.sets(st.integers(1, 7)), seed=st.integers(0, 99))
def test_the_rows_that_stay_are_the_text(model: LoadedModel, kept: set[int], seed: int) -> None:
    """A chain among others is kept; what follows is as if nothing else had ever been there."""
    cache, tree = KVCache(), Tree([1])
    model.prefill(prompt(seed, 12), cache)
    path = [0]
    for row in range(1, 8):
        tree.add(path[-1] if row in kept else 0, row + 20)
        if row in kept:
            path.append(row)
    model.verify(tree, cache)
    cache.accept(path, [tree.tokens[row] for row in path], None)
    again = KVCache()
    model.prefill(cache.ids, again)
    cache.trim(len(cache.ids))
    model.prefill([3], cache)
    model.prefill([3], again)
    assert cache.logits is not None
    torch.testing.assert_close(cache.logits, again.logits, atol=2e-4, rtol=1e-4)


@pytest.fixture(scope="module")
def llama() -> LoadedModel:
    return tiny("llama")


def test_an_end_token_among_drafts_ends_the_answer(llama: LoadedModel) -> None:
    truth = ids(run(llama, Request(prompt(4), "llm", 20))[0])
    end = next(token for token in truth[5:] if token not in truth[:5])
    ending = replace(with_drafts(llama, oracle(truth, 9)), end_ids=frozenset({end}))
    plain, before = run(replace(ending, lookahead=None), Request(prompt(4), "llm", 20))
    chunks, finished = run(ending, Request(prompt(4), "llm", 20, lookahead=True))
    assert finished.reason == before.reason == "eos"
    assert ids(chunks) == ids(plain) == truth[: truth.index(end)]


def test_stop_strings_and_budgets_cut_inside_a_forward(llama: LoadedModel) -> None:
    truth = ids(run(llama, Request(prompt(5), "llm", 20))[0])
    drafting = with_drafts(llama, oracle(truth, 9))
    stop = Letters().decode(truth[4:6])
    for request in (
        Request(prompt(5), "llm", 20, stops=(stop,)),
        Request(prompt(5), "llm", 4),
        Request(prompt(5), "llm", 1),
        Request(prompt(5), "llm", 0),
    ):
        plain, before = run(llama, request)
        chunks, finished = run(drafting, replace(request, lookahead=True))
        assert "".join(chunk.text for chunk in chunks) == "".join(chunk.text for chunk in plain)
        assert finished.reason == before.reason
        assert finished.tokens == before.tokens


def test_cancelling_takes_effect_before_the_next_token(llama: LoadedModel) -> None:
    truth = ids(run(llama, Request(prompt(5), "llm", 20))[0])
    cancel = Cancel()
    request = Request(prompt(5), "llm", 20, lookahead=True, cancel=cancel)
    outputs = []
    for output in generation(with_drafts(llama, oracle(truth, 9)), CachePool(0), request):
        outputs.append(output)
        if isinstance(output, Chunk) and len(outputs) == 5:
            cancel()
    assert isinstance(outputs[-1], Finished)
    assert outputs[-1].reason == "cancelled"
    assert len([output for output in outputs[5:] if isinstance(output, Chunk)]) == 0


def test_the_cache_that_is_left_continues_as_a_fresh_one(llama: LoadedModel) -> None:
    truth = ids(run(llama, Request(prompt(6), "llm", 20))[0])
    drafting, pool = with_drafts(llama, mixed(truth, 9, 1)), CachePool(10**9)
    request = Request(prompt(6), "llm", 20, session="s", cache_key="k", lookahead=True)
    list(generation(drafting, pool, request))
    longer = replace(request, ids=(*prompt(6), *truth[:13], 3, 4))
    *chunks, finished = [
        output for output in generation(llama, pool, replace(longer, lookahead=False)) if output
    ]
    assert isinstance(finished, Finished)
    assert finished.cached_tokens >= 9 + 13
    assert ids([c for c in chunks if isinstance(c, Chunk)]) == ids(
        run(llama, replace(longer, cache_key=None))[0]
    )


def test_close_choices_are_made_alone(llama: LoadedModel) -> None:
    """With a margin that is never reached every token is computed as without lookahead."""
    request = Request(prompt(8), "llm", 12)
    truth = ids(run(llama, request)[0])
    chunks, finished = run(with_drafts(llama, oracle(truth, 9), margin=1e9), replace(request, lookahead=True))
    assert ids(chunks) == truth
    assert not any(chunk.drafted for chunk in chunks)
    assert finished.drafted > 0


def test_models_that_take_trees_are_told_from_those_that_do_not(
    model: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bloom places tokens by distances of its own, and a mask of four dimensions means nothing to it."""
    monkeypatch.setenv("LIVEMIND_CACHE", str(tmp_path))
    assert sees_trees(model)
    config = BloomConfig(vocab_size=VOCABULARY, hidden_size=32, n_layer=2, n_head=4)
    bloom = replace(model, model=AutoModelForCausalLM.from_config(config).eval())
    for _ in range(2):  # measured, then read from disk
        assert with_lookahead(bloom).lookahead is None
    assert run(with_lookahead(bloom), Request(prompt(1), "llm", 3, lookahead=True))[1].tokens == 3


def test_a_failure_while_trees_are_tried_is_not_for_good(
    llama: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as too little memory at one start."""
    monkeypatch.setenv("LIVEMIND_CACHE", str(tmp_path))
    with monkeypatch.context() as patched:
        patched.setattr(LoadedModel, "verify", lambda *_: (_ for _ in ()).throw(RuntimeError("no memory")))
        assert with_lookahead(llama).lookahead is None
    assert with_lookahead(llama).lookahead is not None


def test_a_resting_cache_holds_one_row_of_logits_and_counts_it(llama: LoadedModel) -> None:
    pool = CachePool(2**30)
    request = Request(prompt(6), "llm", 12, session="s", cache_key="k", lookahead=True)
    truth = ids(run(llama, replace(request, cache_key=None, lookahead=False))[0])
    list(generation(with_drafts(llama, oracle(truth, 9)), pool, request))
    cache = pool.take(request, KVCache)
    assert cache.logits is not None
    assert cache.logits.untyped_storage().nbytes() == cache.logits.nbytes
    with_logits = cache.bytes
    cache.logits = None
    assert with_logits - cache.bytes == VOCABULARY * 4


@pytest.mark.parametrize("lookahead", [False, True])
def test_an_answer_that_filled_the_context_ends_there_when_it_is_gone_on_with(
    llama: LoadedModel, lookahead: bool
) -> None:
    short = replace(llama, context=len(prompt(6)) + 3)
    request = Request(prompt(6), "llm", 9, lookahead=lookahead)
    chunks, finished = run(short, request)
    said = ids(chunks)
    assert (len(said), finished.reason) == (3, "length")
    rest, finished = run(short, replace(request, ids=(*request.ids, *said), said=3, max_tokens=6))
    assert (ids(rest), finished.reason, finished.tokens) == ([], "length", 0)
    with pytest.raises(ContextTooLong):
        run(short, replace(request, ids=(*request.ids, *said), max_tokens=6))


def test_a_short_context_has_costs_too(
    llama: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEMIND_CACHE", str(tmp_path))
    ready = with_lookahead(replace(llama, context=100))
    assert ready.lookahead
    assert len(ready.lookahead.costs(90)) == len(ready.lookahead.costs(9)) > 16


def test_forms_of_the_same_weights_have_costs_of_their_own(
    llama: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEMIND_CACHE", str(tmp_path))
    for seconds, quantized in enumerate((int8_groups, int4_groups), start=1):
        network = deepcopy(llama.model)
        tensors = pack(network, lambda _, linear, quantized=quantized: quantized(linear.weight))
        swap(network, tensors, torch.float32)
        measured = {context: {rows: 1.0 + seconds * (rows > 1) for rows in ROWS} for context in CONTEXTS}
        monkeypatch.setattr(step_cost, "measure", lambda _, measured=measured: measured)
        costs = step_cost.costs(replace(llama, model=network))
        assert costs
        assert costs(10)[-1] == 1 + seconds


@pytest.mark.parametrize(("patience", "rounds"), [(1e9, step_cost.ROUNDS), (0.0, 2)])
def test_a_slow_model_is_measured_less_often(
    patience: float, rounds: int, llama: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_cost, "PATIENCE_S", patience)
    steps: list[int] = []

    def step(_model: LoadedModel, _cache: object, rows: int) -> float:
        steps.append(rows)
        return rows / len(steps)

    monkeypatch.setattr(step_cost, "_step", step)
    measured = step_cost.measure(llama)
    assert len(steps) == rounds * len(measured) * len(step_cost.ROWS)
