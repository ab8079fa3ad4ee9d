"""A network with other weights beside the one that it was made from."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from livemind_app.engine.packed.attention import use_grouped_attention
from livemind_app.engine.packed.phase import decoding
from livemind_app.engine.packed.revise import revised
from livemind_app.engine.packed.sources import Int4Source, from_int8
from livemind_app.engine.packed.swap import pack, swap
from tests.engine.packed.networks import ids, llama, qwen2

NAMES = ("model.layers.0.self_attn.k_proj", "model.layers.1.self_attn.o_proj", "model.layers.1.mlp.down_proj")
CASES = [("plain", "auto"), *((w, p) for w in ("int8", "int4") for p in ("auto", "plain", "packed"))]


def packed(network: PreTrainedModel, weights: str, *, prefill: Any) -> PreTrainedModel:
    if weights != "plain":
        source = from_int8 if weights == "int8" else Int4Source(network)
        swap(network, pack(network, source), torch.float32, prefill=prefill)
        use_grouped_attention(network)
    return network


def changes() -> dict[str, Callable[[], Tensor]]:
    network, random = llama(), torch.Generator().manual_seed(3)
    shapes = {name: network.get_submodule(name).weight.shape for name in NAMES}
    deltas = {name: torch.randn(shape, generator=random) / 8 for name, shape in shapes.items()}
    return {name: (lambda delta=delta: delta) for name, delta in deltas.items()}  # type: ignore[misc]


def changed(make: Any) -> PreTrainedModel:
    """The plain network with the changes in its weights."""
    network: PreTrainedModel = make()
    for name, change in changes().items():
        network.get_submodule(name).weight.data += change()
    return network


def logits(network: PreTrainedModel) -> tuple[Tensor, Tensor]:
    """Of a prefill and of a decode."""
    prefill = network(ids(7)).logits
    with decoding():
        return prefill, network(ids(7)).logits


@pytest.mark.parametrize("make", [llama, qwen2], ids=["llama", "qwen2"])
@pytest.mark.parametrize(("weights", "prefill"), CASES)
@torch.inference_mode()
def test_it_is_the_changed_network_packed_and_leaves_the_first_alone(
    weights: str, prefill: Any, make: Any
) -> None:
    first = packed(make(), weights, prefill=prefill)
    before = logits(first)
    stored = make()
    second = revised(first, changes(), lambda name: stored.get_submodule(name).weight)
    wanted = logits(packed(changed(make), weights, prefill=prefill))
    for ours, theirs, old in zip(logits(second), wanted, before, strict=True):
        assert torch.equal(ours, theirs)
        assert not torch.allclose(ours, old, atol=1e-2)
    assert all(map(torch.equal, logits(first), before))


@pytest.mark.parametrize(("weights", "prefill"), CASES)
@torch.inference_mode()
def test_what_does_not_change_is_shared(weights: str, prefill: Any) -> None:
    first, stored = packed(qwen2(), weights, prefill=prefill), qwen2()
    second = revised(first, changes(), lambda name: stored.get_submodule(name).weight)
    for name in (
        "model.embed_tokens",
        "model.norm",
        "lm_head",
        "model.layers.0.mlp",
        "model.layers.1.self_attn.q_proj",
    ):
        assert second.get_submodule(name) is first.get_submodule(name)
    for name in NAMES:
        assert second.get_submodule(name) is not first.get_submodule(name)


def test_a_layer_of_an_unknown_kind_is_refused() -> None:
    network = llama()
    network.set_submodule(NAMES[1], nn.Identity())
    with pytest.raises(KeyError, match="Identity"):
        revised(network, changes(), lambda name: llama().get_submodule(name).weight)
