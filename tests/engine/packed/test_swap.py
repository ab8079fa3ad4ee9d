"""Networks whose projections were replaced: what is packed, what is stacked, what stays."""

from typing import Any

import pytest
import torch
from torch import nn
from transformers import PreTrainedModel

from livemind_app.engine.packed.groups import GroupLinear
from livemind_app.engine.packed.phase import decoding
from livemind_app.engine.packed.places import PhasedLinear, Rows, StackedLinear
from livemind_app.engine.packed.quantize import int4_groups, int8_groups
from livemind_app.engine.packed.sources import Int4Source, from_int4, from_int8
from livemind_app.engine.packed.swap import Prefill, Source, pack, swap
from tests.engine.packed.networks import ids, llama, qwen2

SOURCES = {"int8": from_int8, "int4": from_int4}
VNNI = {"avx512_vnni": True}


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


@pytest.fixture(params=[VNNI, {}], ids=["vnni", "none"])
def vnni(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the processor is said to have it."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: request.param)
    return bool(request.param)


@torch.inference_mode()
def test_prefill_has_a_copy_in_rows_beside_groups_where_vnni_multiplies_them(vnni: bool) -> None:
    four, eight = swapped(qwen2(), from_int4), swapped(qwen2(), from_int8)
    layer: Any = four.get_submodule("model.layers.0.mlp.down_proj")
    assert isinstance(decode(layer), GroupLinear)
    assert (decode(layer) is not layer) == vnni
    assert torch.equal(four.model(ids(5))[0], eight.model(ids(5))[0]) == vnni


def test_the_head_has_no_copy(vnni: bool) -> None:
    network = llama()
    assert not any(name.startswith("lm_head.prefill") for name in pack(network, from_int4))


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
    plain, network = qwen2(), swapped(qwen2(), lambda _, linear: int8_groups(linear.weight))
    x = torch.randn(1, 5, 64, generator=torch.Generator().manual_seed(0))
    for name in ("q_proj", "k_proj", "v_proj"):
        linear = plain.get_submodule(f"model.layers.1.self_attn.{name}")
        assert isinstance(linear, nn.Linear)
        tiles = int8_groups(linear.weight).tensors()["tiles"]
        alone = GroupLinear(tiles, linear.out_features, linear.bias)
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


@torch.inference_mode()
def test_shapes_that_fill_no_groups_and_tiles() -> None:
    def make() -> PreTrainedModel:
        return llama(intermediate_size=90)

    exact = make()(ids(9)).logits
    for source, near in ((from_int8, 0.02), (from_int4, 0.25)):
        ours = swapped(make(), source)(ids(9)).logits
        assert (ours - exact).norm() < near * exact.norm()


def test_the_head_stays_in_8_bits() -> None:
    network = llama()
    network = swapped(network, Int4Source(network), prefill="packed")
    head: Any = network.get_submodule("lm_head")
    assert head.bits == 8
    layer: Any = network.get_submodule("model.layers.0.self_attn.o_proj")
    assert layer.bits == 4


def test_a_stack_of_two_kinds_is_two_stacks() -> None:
    def mixed(name: str, linear: nn.Linear) -> Any:
        return (int8_groups if name.endswith("v_proj") else int4_groups)(linear.weight)

    network = swapped(qwen2(), mixed, prefill="packed")
    attention: Any = network.get_submodule("model.layers.0.self_attn")
    assert attention.q_proj.stack is attention.k_proj.stack
    assert attention.q_proj.stack.packed.bits == 4
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
