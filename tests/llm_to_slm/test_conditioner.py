"""The conditioner: zero at first, causal, the same for one prompt as for many."""

import pytest
import torch
from torch import nn

from livemind_app.engine.cache import KVCache
from livemind_app.engine.model import LoadedModel
from livemind_app.llm_to_slm.conditioner import LAYERS, Conditioner, Shape
from livemind_app.llm_to_slm.reader import hidden, layers_of, read
from tests.llm_to_slm import tiny


@pytest.fixture(scope="module")
def reader() -> LoadedModel:
    return tiny.reader()


def conditioner(*, trained: bool) -> Conditioner:
    torch.manual_seed(3)
    made = Conditioner(Shape(reader=48, writer=32, hidden=40, resampler=16, summary=4))
    if trained:
        with torch.no_grad():
            for parameter in made.parameters():
                if parameter.dim() > 1:
                    nn.init.normal_(parameter, std=0.3)
    return made.eval()


def test_untrained_it_adds_nothing_but_can_learn_to() -> None:
    made, states = conditioner(trained=False), torch.randn(7, LAYERS, 48)
    mixed = made.mix(states)
    projected, summary = made.project(mixed), made.summarize(mixed[None])
    assert torch.equal(projected, torch.zeros(7, 32))
    assert torch.equal(summary, torch.zeros(1, 4, 32))
    (projected.sum() + summary.sum()).backward()
    for last in (made.out, made.resampler.out):
        assert last.weight.grad is not None
        assert last.weight.grad.abs().max() > 0


def test_one_prompt_is_as_one_of_many() -> None:
    made = conditioner(trained=True)
    states = [torch.randn(length, LAYERS, 48) for length in (3, 9, 5)]
    missing = torch.arange(9) >= torch.tensor([3, 9, 5])[:, None]
    mixed = made.mix(nn.utils.rnn.pad_sequence(states, batch_first=True))
    projected, summaries = made.project(mixed), made.summarize(mixed, missing)
    for row, alone in enumerate(states):
        one = made.mix(alone)
        assert torch.allclose(projected[row, : len(alone)], made.project(one), atol=1e-5)
        assert torch.allclose(summaries[row], made.summarize(one[None])[0], atol=1e-5)


def test_three_layers_are_read() -> None:
    network = tiny.reader().model
    assert layers_of(network.config) == (2, 3, 4)
    states = hidden(network, input_ids=torch.tensor([[5, 6, 7]]))
    assert states.shape == (1, 3, LAYERS, 48)
    assert torch.allclose(states.square().mean(-1), torch.ones(1, 3, LAYERS), atol=1e-3)


def test_states_do_not_depend_on_how_a_prompt_was_typed(reader: LoadedModel) -> None:
    """In pieces, with an edit that takes the end back: as read at once."""
    made, ids = conditioner(trained=True), list(range(10, 40))
    whole, pieces = KVCache(), KVCache()
    read(reader, made, ids, whole)
    for piece in (ids[:7], [99, 98, 97], []):
        pieces.trim(7)
        read(reader, made, piece or ids[7:20], pieces)
    read(reader, made, ids[20:], pieces)
    assert pieces.ids == ids
    assert whole.states is not None
    assert pieces.states is not None
    assert torch.allclose(pieces.states, whole.states, atol=1e-4)


def test_text_that_follows_changes_no_state(reader: LoadedModel) -> None:
    made, cache = conditioner(trained=True), KVCache()
    read(reader, made, [5, 6, 7], cache)
    assert cache.states is not None
    before = cache.states.clone()
    read(reader, made, [8, 9], cache)
    assert cache.states.shape == (5, 48)
    assert torch.equal(cache.states[:3], before)
    assert cache.bytes > cache.kv.bytes
    cache.trim(2)
    assert torch.equal(cache.states, before[:2])
