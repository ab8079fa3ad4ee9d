"""Lookahead says what decoding a token at a time says: on real weights, whatever is drafted."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    Gemma3TextConfig,
    LlamaConfig,
    MistralConfig,
    PretrainedConfig,
    Qwen2Config,
    Qwen3Config,
)

from livemind_app.decoding.lookahead.cost import Costs
from livemind_app.decoding.lookahead.recycled import Likely
from livemind_app.decoding.lookahead.tree import Tree
from livemind_app.decoding.sampling import Sampler, distribution
from livemind_app.engine.cache import CachePool, KVCache
from livemind_app.engine.chat import ChatTokenizer
from livemind_app.engine.generation import LoadedModel, generation
from livemind_app.engine.lookahead import Lookahead, with_lookahead
from livemind_app.engine.step_cost import sees_trees
from livemind_app.protocol import Cancel, Chunk, Finished, Request, Sampling

FREE = Costs({1: dict.fromkeys(range(1, 17), 1.0)})
VOCABULARY = 64
SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
}
WINDOW = 6
LAYERS = ["sliding_attention", "full_attention"]
KINDS: dict[str, Callable[[], PretrainedConfig]] = {
    "llama": lambda: LlamaConfig(**SMALL),
    "qwen2": lambda: Qwen2Config(**SMALL),
    "qwen2 sliding": lambda: Qwen2Config(
        **SMALL, use_sliding_window=True, sliding_window=WINDOW, layer_types=LAYERS
    ),
    "qwen3": lambda: Qwen3Config(**SMALL),
    "mistral": lambda: MistralConfig(**SMALL, sliding_window=WINDOW),
    "gemma3": lambda: Gemma3TextConfig(**SMALL, sliding_window=WINDOW, layer_types=LAYERS),
}


class Scripted:
    """Drafts that a test makes up: `make` is asked with the text so far."""

    def __init__(self, make: Callable[[list[int], int], Tree]) -> None:
        self.text: list[int] = []
        self.bytes = 0
        self._make = make

    def read(self, ids: Sequence[int]) -> None:
        self.text = list(ids)

    def said(self, tokens: Sequence[int]) -> None:
        self.text.extend(tokens)

    def draft(self, cost: Sequence[float], depth: int) -> Tree:
        return self._make(self.text, depth)

    def learn(self, tree: Tree, path: Sequence[int], tokens: Sequence[int], likely: Sequence[Likely]) -> None:
        assert len(path) == len(tokens) == len(likely)
        for row, parent in zip(path[1:], path, strict=False):
            assert tree.parents[row] == parent
        assert [tree.tokens[row] for row in path[1:]] == list(tokens[:-1])

    def ended(self) -> None:
        pass


class Letters:
    """A tokenizer whose tokens are letters."""

    def decode(self, ids: Sequence[int], **_: object) -> str:
        return "".join(chr(ord("A") + token) for token in ids)


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest) -> LoadedModel:
    return tiny(request.param)


def tiny(kind: str) -> LoadedModel:
    torch.manual_seed(0)
    network = AutoModelForCausalLM.from_config(KINDS[kind](), attn_implementation="sdpa").eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3)  # else every context says the same
    return LoadedModel(kind, network, ChatTokenizer(Letters()), frozenset(), 256)


def with_drafts(
    model: LoadedModel, make: Callable[[list[int], int], Tree], margin: float = 0.0
) -> LoadedModel:
    return replace(model, lookahead=Lookahead(FREE, lambda: Scripted(make), margin))


def run(model: LoadedModel, request: Request) -> tuple[list[Chunk], Finished]:
    *chunks, finished = [output for output in generation(model, CachePool(0), request) if output]
    assert isinstance(finished, Finished)
    return [chunk for chunk in chunks if isinstance(chunk, Chunk)], finished


def ids(chunks: Sequence[Chunk]) -> list[int]:
    return [token for chunk in chunks for token in chunk.ids]


def prompt(seed: int, length: int = 9) -> tuple[int, ...]:
    return tuple(random.Random(seed).choices(range(VOCABULARY), k=length))


def anything(seed: int) -> Callable[[list[int], int], Tree]:
    """Random trees."""
    chance = random.Random(seed)

    def make(text: list[int], depth: int) -> Tree:
        tree = Tree([text[-1]])
        for _ in range(chance.randrange(10)):
            parents = [row for row in range(len(tree)) if tree.depths[row] < depth]
            token, parent = chance.randrange(VOCABULARY), chance.choice(parents or [-1])
            if parent >= 0 and not tree.follow([parent], token):
                tree.add(parent, token)
        return tree

    return make


def mixed(truth: Sequence[int], start: int, seed: int) -> Callable[[list[int], int], Tree]:
    """The true continuation as one branch among wrong ones, in any order, and sometimes cut short."""
    chance = random.Random(seed)

    def make(text: list[int], depth: int) -> Tree:
        tree, row = Tree([text[-1]]), 0
        ahead = truth[len(text) - start :][: min(depth, chance.randrange(6))]
        for token in ahead:
            wrong = [other for other in chance.sample(range(VOCABULARY), 3) if other != token]
            for other in wrong[: chance.randrange(3)]:
                tree.add(row, other)
            row = tree.add(row, token)
        return tree

    return make


def oracle(truth: Sequence[int], start: int) -> Callable[[list[int], int], Tree]:
    def make(text: list[int], depth: int) -> Tree:
        tree = Tree([text[-1]])
        for token in truth[len(text) - start :][: min(depth, 7)]:
            tree.add(len(tree) - 1, token)
        return tree

    return make


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


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(1.0, seed=3),
        Sampling(0.8, top_p=0.7, seed=3),
        Sampling(1.3, top_k=5, seed=4),
        Sampling(0.9, top_k=20, top_p=0.9, seed=5, repetition_penalty=1.4),
        Sampling(repetition_penalty=1.5),
    ],
)
def test_a_seed_draws_the_same_with_and_without(llama: LoadedModel, sampling: Sampling) -> None:
    request = Request(prompt(2), "llm", 30, sampling=sampling)
    truth = ids(run(llama, request)[0])
    for seed in range(5):
        for make in (anything(seed), mixed(truth, 9, seed), oracle(truth, 9)):
            drafted, _ = run(with_drafts(llama, make), replace(request, lookahead=True))
            assert ids(drafted) == truth


@pytest.mark.parametrize(
    "sampling",
    [Sampling(1.0, top_k=6), Sampling(0.8, top_p=0.6), Sampling(1.0, top_k=4, repetition_penalty=1.5)],
)
def test_sampling_keeps_the_distribution(llama: LoadedModel, sampling: Sampling) -> None:
    """Chi-square of two tokens, the second among drafted branches, against exact probabilities."""
    text = prompt(7)
    likely = exact(llama, text, sampling)
    first = max(likely, key=lambda pair: likely[pair])[0]

    def make(said: list[int], depth: int) -> Tree:
        tree = Tree([said[-1]])
        for pair in list(likely)[: 6 if depth else 0]:
            if pair[0] == said[-1] and not tree.follow([0], pair[1]):
                tree.add(0, pair[1])
        return tree

    draws = 1000
    counts = dict.fromkeys(likely, 0)
    drafting = with_drafts(llama, make)
    for seed in range(draws):
        request = Request(text, "llm", 2, sampling=replace(sampling, seed=seed), lookahead=True)
        a, b = ids(run(drafting, request)[0])
        counts[a, b] += 1
    assert first
    observed = [(counts[pair], likely[pair] * draws) for pair in likely if likely[pair] * draws >= 5]
    chi = sum((count - expected) ** 2 / expected for count, expected in observed)
    bound = len(observed) + 4 * (2 * len(observed)) ** 0.5  # four standard deviations
    assert chi < bound


def exact(model: LoadedModel, text: Sequence[int], sampling: Sampling) -> dict[tuple[int, int], float]:
    """Probabilities of the next two tokens."""
    pairs: dict[tuple[int, int], float] = {}
    for first, p in after(model, text, sampling):
        for second, q in after(model, [*text, first], sampling):
            pairs[first, second] = p * q
    return pairs


def after(model: LoadedModel, text: Sequence[int], sampling: Sampling) -> list[tuple[int, float]]:
    cache = KVCache()
    model.prefill(text, cache)
    assert cache.logits is not None
    probabilities = distribution(Sampler(sampling, text).penalized(cache.logits), sampling)
    return [(token, float(p)) for token, p in enumerate(probabilities) if p > 0]


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


def test_a_short_context_has_costs_too(
    llama: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEMIND_CACHE", str(tmp_path))
    ready = with_lookahead(replace(llama, context=100))
    assert ready.lookahead
    assert len(ready.lookahead.costs(90)) == len(ready.lookahead.costs(9)) > 16
