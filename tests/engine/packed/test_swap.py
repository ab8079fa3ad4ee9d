"""Networks whose projections were replaced: what is packed, what is stacked, what stays."""

from typing import Any

import pytest
import torch
from torch import nn
from transformers import PreTrainedModel

from livemind_app.engine.packed.linear import (
    DigitLinear,
    ExpandedLinear,
    Int4Linear,
    Int8Linear,
    has_vnni,
    int8_linear,
)
from livemind_app.engine.packed.phase import decoding
from livemind_app.engine.packed.places import PhasedLinear, PlainLinear, Rows, StackedLinear
from livemind_app.engine.packed.quantize import int8
from livemind_app.engine.packed.sources import Int4Source, from_int4, from_int8
from livemind_app.engine.packed.swap import Prefill, Source, pack, swap
from tests.engine.packed.networks import ids, llama, qwen2

INT8 = DigitLinear if has_vnni() else Int8Linear
SOURCES = {"int8": from_int8, "int4": from_int4}
VNNI, BF16_ONLY = {"avx512_vnni": True, "avx512_bf16": True}, {"bf16": True}


def swapped(network: PreTrainedModel, source: Source, **options: Any) -> PreTrainedModel:
    with torch.inference_mode():
        swap(network, pack(network, source), torch.float32, **options)
    return network


def decode(module: Any) -> Any:
    """What computes a projection in that phase; some processors prefill with another module."""
    return module.decode if isinstance(module, PhasedLinear) else module


@pytest.mark.parametrize("prefill", ["auto", "plain", "packed"])
@pytest.mark.parametrize("make", [llama, qwen2], ids=["llama", "qwen2"])
@pytest.mark.parametrize(("weights", "near"), [("int8", 0.02), ("int4", 0.25)])
@torch.inference_mode()
def test_a_packed_network_says_nearly_the_same(weights: str, near: float, make: Any, prefill: Any) -> None:
    exact = make()(ids(9)).logits
    network = swapped(make(), SOURCES[weights], prefill=prefill)
    read = network(ids(9)).logits
    with decoding():
        written = network(ids(9)).logits
    for ours in (read, written):
        assert (ours - exact).norm() < near * exact.norm()
        assert ours.dtype == torch.float32


@pytest.mark.parametrize("weights", ["int8", "int4"])
@torch.inference_mode()
def test_what_prefill_reads_changes_prefill_only(weights: str) -> None:
    chosen: tuple[Prefill, ...] = ("auto", "plain", "packed")
    with decoding():
        auto, plain, packed = (swapped(qwen2(), SOURCES[weights], prefill=p)(ids(5)).logits for p in chosen)
    assert torch.equal(auto, packed)
    assert torch.equal(plain, packed)


@pytest.mark.parametrize("source", [from_int8, from_int4])
@pytest.mark.parametrize(("features", "kept"), [(VNNI, False), (BF16_ONLY, True), ({}, False)])
def test_a_plain_copy_is_kept_where_it_prefills_fastest(
    source: Source, features: dict[str, bool], kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    network = swapped(qwen2(), source)
    assert any(isinstance(module, PlainLinear) for module in network.modules()) == kept


@pytest.mark.parametrize("features", [VNNI, {}], ids=["vnni", "none"])
@torch.inference_mode()
def test_prefill_reads_8_bits_beside_4(features: dict[str, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    four, eight = (swapped(qwen2(), source) for source in (from_int4, from_int8))
    assert torch.equal(four.model(ids(5))[0], eight.model(ids(5))[0])


@torch.inference_mode()
def test_expanding_rows_for_prefill_takes_no_second_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    network = swapped(qwen2(), from_int8)
    layer: Any = network.get_submodule("model.layers.0.mlp.down_proj")
    assert isinstance(layer.prefill, ExpandedLinear)
    assert layer.prefill.packed is layer.decode


def test_projections_of_one_input_are_stacked() -> None:
    network = swapped(llama(), from_int8)
    first = network.get_submodule("model.layers.0.self_attn")
    parts = [decode(first.get_submodule(name)) for name in ("q_proj", "k_proj", "v_proj")]
    assert all(isinstance(part, StackedLinear) for part in parts)
    assert len({id(part.stack) for part in parts}) == 1
    assert not isinstance(decode(first.get_submodule("o_proj")), StackedLinear)


@torch.inference_mode()
def test_a_stack_gives_what_each_projection_gives_alone() -> None:
    """Bit for bit where rows are computed on their own, biases or none."""
    plain, network = qwen2(), swapped(qwen2(), from_int8)
    x = torch.randn(1, 5, 64, generator=torch.Generator().manual_seed(0))
    for name in ("q_proj", "k_proj", "v_proj"):
        linear = plain.get_submodule(f"model.layers.1.self_attn.{name}")
        assert isinstance(linear, nn.Linear)
        alone = int8_linear(**int8(linear.weight).tensors(), bias=linear.bias)
        with decoding():
            assert torch.equal(network.get_submodule(f"model.layers.1.self_attn.{name}")(x), alone(x))


@torch.inference_mode()
def test_a_stack_with_one_bias_has_zeros_for_the_others() -> None:
    def make() -> PreTrainedModel:
        network = llama()
        attention: Any = network.get_submodule("model.layers.0.self_attn")
        attention.k_proj.bias = nn.Parameter(torch.ones(attention.k_proj.out_features))
        return network

    exact = make()(ids(4)).logits
    ours = swapped(make(), from_int8, prefill="packed")(ids(4)).logits
    assert (ours - exact).norm() < 0.02 * exact.norm()


class Gated(nn.Linear):
    """Not a plain projection, whatever its base."""


@torch.inference_mode()
def test_what_cannot_be_packed_stays() -> None:
    network = llama()
    layer: Any = network.get_submodule("model.layers.0.mlp")
    own = layer.gate_proj = Gated(64, 128, bias=False)
    narrow = network.add_module("router", nn.Linear(64, 8)) or network.get_submodule("router")
    norm = network.get_submodule("model.norm")
    tensors = pack(network, from_int8)
    assert not any("layers.0.mlp.gate_proj" in name or "router" in name for name in tensors)
    swap(network, tensors, torch.float32)
    assert layer.gate_proj is own
    assert network.get_submodule("router") is narrow
    assert network.get_submodule("model.norm") is norm
    assert not isinstance(decode(layer.up_proj), StackedLinear)
    assert torch.isfinite(network(ids(3)).logits).all()


def test_shapes_that_the_4_bit_kernel_does_not_take_become_8_bits() -> None:
    network = swapped(llama(intermediate_size=88), from_int4, prefill="packed")
    layer: Any = network.get_submodule("model.layers.0.mlp")
    assert isinstance(decode(layer.gate_proj).stack.packed, INT8)
    assert isinstance(decode(layer.down_proj), INT8)
    attention: Any = network.get_submodule("model.layers.0.self_attn")
    assert isinstance(attention.o_proj, Int4Linear)


def test_the_head_stays_in_8_bits() -> None:
    network = llama()
    network = swapped(network, Int4Source(network), prefill="packed")
    assert isinstance(network.get_submodule("lm_head"), INT8)
    attention: Any = network.get_submodule("model.layers.0.self_attn")
    assert isinstance(attention.o_proj, Int4Linear)


def test_a_stack_of_two_kinds_is_two_stacks() -> None:
    def mixed(name: str, linear: nn.Linear) -> Any:
        return (from_int8 if name.endswith("v_proj") else from_int4)(name, linear)

    network = swapped(qwen2(), mixed, prefill="packed")
    attention: Any = network.get_submodule("model.layers.0.self_attn")
    assert attention.q_proj.stack is attention.k_proj.stack
    assert isinstance(attention.q_proj.stack.packed, Int4Linear)
    assert not isinstance(decode(attention.v_proj), StackedLinear)
    assert torch.isfinite(network(ids(3)).logits).all()


@torch.inference_mode()
def test_a_shared_embedding_stays_as_stored_and_is_read_by_rows() -> None:
    network = llama(tie_word_embeddings=True).to(torch.bfloat16)
    stored = network.get_input_embeddings().weight
    network = swapped(network, from_int8)
    rows = network.get_input_embeddings()
    assert isinstance(rows, Rows)
    assert rows.embedding.weight is stored
    assert stored.dtype == torch.bfloat16
    assert network(ids(3)).logits.dtype == torch.float32
