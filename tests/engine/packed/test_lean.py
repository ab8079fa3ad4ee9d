"""Layers that decode lean: they say what they said, in fewer operations; others stay as they were."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import PreTrainedModel

from livemind_app.engine.packed.attention import use_grouped_attention
from livemind_app.engine.packed.kv import GrowingCache
from livemind_app.engine.packed.lean_layers import LeanLayer, make_lean
from livemind_app.engine.packed.phase import decoding
from livemind_app.engine.packed.sources import from_int4, from_int8
from livemind_app.engine.packed.swap import Source, pack, swap
from tests.engine.packed.networks import ids, llama, mistral, qwen2, qwen3

Make = Callable[[], PreTrainedModel]
LEAN: dict[str, Make] = {"llama": llama, "qwen2": qwen2, "mistral": lambda: mistral(4)}
SOURCES: dict[str, Source] = {"int8": from_int8, "int4": from_int4}


def packed(make: Make, source: Source, *, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    network = make()
    with torch.inference_mode():
        swap(network, pack(network, source), dtype)
    use_grouped_attention(network)
    return network


def lean_layers(network: PreTrainedModel) -> int:
    return sum(isinstance(m, LeanLayer) and m.lean is not None for m in network.modules())


class Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


@torch.inference_mode()
def answer(network: PreTrainedModel, prompt: Tensor, pieces: list[Tensor]) -> tuple[Tensor, GrowingCache]:
    """Logits of decoded pieces behind a prompt, and the cache."""
    kv = GrowingCache()
    network(prompt, past_key_values=kv)
    with decoding():
        said = [network(piece, past_key_values=kv).logits for piece in pieces]
    return torch.cat(said, dim=1), kv


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("make", LEAN.values(), ids=LEAN)
@given(st.integers(1, 9), st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_a_lean_network_says_and_remembers_the_same(
    source: Source, make: Make, before: int, sizes: list[int]
) -> None:
    own, network = packed(make, source), packed(make, source)
    make_lean(network)
    assert lean_layers(network) == 2
    pieces = [ids(size, seed) for seed, size in enumerate(sizes, start=1)]
    near = 1e-3  # activations have 16 bits
    (ours, mine), (theirs, its) = (answer(each, ids(before), pieces) for each in (network, own))
    assert (ours - theirs).norm() <= near * theirs.norm()
    for lean, old in zip(mine.layers, its.layers, strict=True):
        assert (lean.keys - old.keys).norm() <= near * old.keys.norm()
        assert (lean.values - old.values).norm() <= near * old.values.norm()


@torch.inference_mode()
def test_it_takes_fewer_operations() -> None:
    network, counts = packed(lambda: qwen2(num_hidden_layers=4), from_int4), []
    for _ in range(2):
        kv = GrowingCache()
        with decoding():
            network(ids(1), past_key_values=kv)
            with Counting() as counting:  # type: ignore[no-untyped-call]
                network(ids(1, 1), past_key_values=kv)
        counts.append(counting.count)
        make_lean(network)
    own, lean = counts
    assert lean < 0.8 * own


@torch.inference_mode()
def test_prefill_is_the_layers_own() -> None:
    own, network = packed(llama, from_int4), packed(llama, from_int4)
    make_lean(network)
    assert torch.equal(network(ids(7)).logits, own(ids(7)).logits)


@torch.inference_mode()
def test_rows_of_a_batch_are_the_layers_own() -> None:
    own, network = packed(llama, from_int8), packed(llama, from_int8)
    make_lean(network)
    with decoding():
        assert torch.equal(network(ids(4).repeat(3, 1)).logits, own(ids(4).repeat(3, 1)).logits)


def test_a_layer_keeps_its_class_and_names() -> None:
    network = packed(llama, from_int8)
    layer = network.get_submodule("model.layers.0")
    kind, names = type(layer), [name for name, _ in network.named_modules()]
    make_lean(network)
    assert isinstance(layer, kind)
    assert [name for name, _ in network.named_modules()] == names
    with decoding(), torch.inference_mode():
        states = network(ids(3), output_hidden_states=True).hidden_states
    assert len(states) == 3


class Doubled(nn.Module):
    """Looks like a norm and is another."""

    def __init__(self, norm: Any) -> None:
        super().__init__()
        self.weight, self.variance_epsilon = norm.weight, norm.variance_epsilon
        self._norm = norm

    def forward(self, x: Tensor) -> Tensor:
        return self._norm(x) * 2  # type: ignore[no-any-return]


def other_norm() -> PreTrainedModel:
    network = llama()
    network.set_submodule("model.layers.1.input_layernorm", Doubled(network.model.layers[1].input_layernorm))
    return network


def other_activation() -> PreTrainedModel:
    return llama(hidden_act="gelu")


def not_packed() -> PreTrainedModel:
    network = llama()
    network.model.layers[0].mlp.down_proj = Plain(128, 64, bias=False)
    return network


class Plain(nn.Linear):
    """No plain projection, whatever its base."""


@pytest.mark.parametrize(
    ("make", "lean"), [(qwen3, 0), (other_activation, 0), (other_norm, 1), (not_packed, 1)]
)
@torch.inference_mode()
def test_what_computes_something_else_stays(make: Make, lean: int) -> None:
    network = packed(make, from_int8)
    with decoding():
        before = network(ids(1)).logits
        make_lean(network)
        assert lean_layers(network) == lean
        assert torch.allclose(network(ids(1)).logits, before, rtol=1e-4, atol=1e-4)


def test_layers_that_compute_in_bf16_stay() -> None:
    network = packed(llama, from_int8, dtype=torch.bfloat16)
    make_lean(network)
    assert lean_layers(network) == 0


def test_attention_of_another_kind_stays() -> None:
    network = llama(attn_implementation="eager")
    with torch.inference_mode():
        swap(network, pack(network, from_int8), torch.float32)
    make_lean(network)
    assert lean_layers(network) == 0
