"""Blocks of GGUF files against gguf's own reading of them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize, quantize
from hypothesis import given, settings
from hypothesis import strategies as st

from livemind_app.engine.compiled.tiles import GROUP
from livemind_app.engine.packed import gguf_blocks
from livemind_app.engine.packed.quantize import Int4Groups, Int6Groups, Int8Groups

ROWS, INPUTS = 6, 512
HALVES = {"Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}  # where in a block its halves stand
FP16 = 2.0**-10  # relative, of a scale or low that was rounded; twice what one rounding loses


def tensor(name: str, seed: int) -> Any:
    """As GGUFReader gives it."""
    kind = GGMLQuantizationType[name]
    return SimpleNamespace(tensor_type=kind, data=_bytes(kind, seed), shape=np.array([INPUTS, ROWS]))


def _bytes(kind: GGMLQuantizationType, seed: int) -> np.ndarray:
    """Quantized by gguf where it can; else random integers, with scales that are numbers."""
    random = np.random.default_rng(seed)
    if kind.name not in HALVES:
        return quantize(random.standard_normal((ROWS, INPUTS)).astype(np.float32), kind)
    count, size = GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (ROWS * INPUTS // count, size), dtype=np.uint8)
    for at in HALVES[kind.name]:
        halves = random.standard_normal(len(blocks)).astype(np.float16)
        blocks[:, at : at + 2] = halves.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(ROWS, -1)


@settings(max_examples=20)
@given(name=st.sampled_from(("Q4_0", "Q4_1", "Q4_K")), seed=st.integers(0, 2**31))
def test_4_bit_blocks_keep_their_integers(name: str, seed: int) -> None:
    made = tensor(name, seed)
    packed = gguf_blocks.read(made)
    assert isinstance(packed, Int4Groups)
    exact = torch.from_numpy(dequantize(made.data, made.tensor_type))
    steps, lows = packed.scales.float()[..., None], packed.lows.float()[..., None]
    products = packed.q.view(ROWS, -1, GROUP).float() * steps
    bound = (products.abs() + lows.abs()) * FP16 + 1e-6
    assert bool(((products + lows - exact.view(products.shape)).abs() <= bound).all())


def eight(made: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What its groups stand for, what the file says, and the groups' scales: [rows, groups, 32 or 1]."""
    packed = gguf_blocks.read(made)
    assert isinstance(packed, Int8Groups)
    scales = packed.scales.float()[..., None]
    exact = torch.from_numpy(dequantize(made.data, made.tensor_type)).view(ROWS, -1, GROUP)
    return packed.q.view(exact.shape) * scales, exact, scales


@settings(max_examples=20)
@given(name=st.sampled_from(("Q5_0", "Q8_0")), seed=st.integers(0, 2**31))
def test_even_blocks_of_5_and_8_bits_are_taken_as_they_are(name: str, seed: int) -> None:
    values, exact, _ = eight(tensor(name, seed))
    assert torch.equal(values, exact)


@settings(max_examples=20)
@given(st.integers(0, 2**31))
def test_6_bit_blocks_keep_their_integers(seed: int) -> None:
    made = tensor("Q6_K", seed)
    packed = gguf_blocks.read(made)
    assert isinstance(packed, Int6Groups)
    exact = torch.from_numpy(dequantize(made.data, made.tensor_type)).view(ROWS, -1, GROUP // 2)
    values = (packed.q.view(exact.shape).float() - 32) * packed.scales.float()[..., None]
    assert bool(((values - exact).abs() <= values.abs() * FP16 + 1e-6).all())


@settings(max_examples=20)
@given(name=st.sampled_from(("Q5_1", "Q5_K")), seed=st.integers(0, 2**31))
def test_other_blocks_become_finer_ones(name: str, seed: int) -> None:
    values, exact, scales = eight(tensor(name, seed))
    assert bool(((values - exact).abs() <= scales * 0.57 + 1e-6).all())


@pytest.mark.parametrize("name", ["Q4_0", "Q6_K"])
def test_values_of_some_rows(name: str) -> None:
    made = tensor(name, 3)
    exact = torch.from_numpy(dequantize(made.data, made.tensor_type))
    assert torch.equal(gguf_blocks.values(made, slice(2, 5)), exact[2:5])
