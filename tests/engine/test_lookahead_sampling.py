"""Drawing tokens with lookahead: the same by seed, and the same distribution."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from livemind_app.decoding.lookahead.tree import Tree
from livemind_app.decoding.sampling import Sampler, distribution
from livemind_app.engine.cache import KVCache
from livemind_app.engine.model import LoadedModel
from livemind_app.protocol import Request, Sampling
from tests.engine.drafting import anything, ids, mixed, oracle, prompt, run, tiny, with_drafts


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
