"""Matrices in 8 and 4 bits: how far they are from what they stand for."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from livemind_app.engine.compiled.tiles import GROUP
from livemind_app.engine.packed import quantize
from livemind_app.engine.packed.quantize import (
    Int4Groups,
    Int8Groups,
    Int8Rows,
    concatenated,
    int4_groups,
    int8_groups,
    int8_rows,
    ordered,
)

seeds = st.integers(0, 2**31)


def matrix(rows: int, inputs: int, seed: int, offset: float = 0.0, power: int = 1) -> Tensor:
    return torch.randn(rows, inputs, generator=torch.Generator().manual_seed(seed)) ** power + offset


def value8(packed: Int8Rows) -> Tensor:
    return packed.q * packed.scales[:, None]


def grouped(packed: Int8Groups | Int4Groups) -> Tensor:
    """[outputs, inputs]"""
    q = packed.q.float().view(len(packed.q), -1, GROUP)
    lows = packed.lows.float()[..., None] if isinstance(packed, Int4Groups) else 0
    return (q * packed.scales.float()[..., None] + lows).flatten(1)


@given(seed=seeds, rows=st.integers(1, 9), power=st.sampled_from((1, 3)))
def test_8_bits_are_half_a_step_off_at_most(seed: int, rows: int, power: int) -> None:
    exact = matrix(rows, 64, seed, power=power)
    packed = int8_rows(exact)
    assert bool(((value8(packed) - exact).abs() <= packed.scales[:, None] * 0.5001).all())


@settings(max_examples=50)
@given(seed=seeds, offset=st.sampled_from((0.0, 0.5, -3.0)), power=st.sampled_from((1, 3)))
def test_4_bits_are_half_a_step_off_in_the_mean(seed: int, offset: float, power: int) -> None:
    exact = matrix(4, 128, seed, offset, power)
    groups = exact.view(4, -1, GROUP)
    error = (grouped(int4_groups(exact)) - exact).view(groups.shape).square().mean(dim=-1).sqrt()
    step = (groups.amax(dim=-1) - groups.amin(dim=-1)) / 15
    rounding = groups.abs().amax(dim=-1) / 1024  # of scales and lows, to fp16
    assert bool((error <= 0.5 * step + rounding).all())


def test_rows_and_groups_of_zeros() -> None:
    zeros = torch.zeros(3, 64)
    assert torch.equal(value8(int8_rows(zeros)), zeros)
    assert torch.equal(grouped(int8_groups(zeros)), zeros)
    assert torch.equal(grouped(int4_groups(zeros)), zeros)


def test_a_matrix_is_the_same_quantized_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = matrix(70, 64, 1)
    rows, eight, four = int8_rows(exact), int8_groups(exact), int4_groups(exact)
    monkeypatch.setattr(quantize, "ROWS", 16)
    assert torch.equal(value8(int8_rows(exact)), value8(rows))
    assert torch.equal(grouped(int8_groups(exact)), grouped(eight))
    assert torch.equal(grouped(int4_groups(exact)), grouped(four))


@settings(max_examples=50)
@given(seed=seeds, power=st.sampled_from((1, 3)))
def test_groups_of_8_bits_are_half_a_step_off_at_most(seed: int, power: int) -> None:
    exact = matrix(4, 128, seed, power=power)
    packed = int8_groups(exact)
    step = packed.scales.float().repeat_interleave(GROUP, dim=1)
    assert bool(((grouped(packed) - exact).abs() <= step * 0.57).all())  # and the scale's own rounding


@pytest.mark.parametrize("quantized", [int8_groups, int4_groups])
def test_the_last_group_is_filled_with_zeros(quantized: Any) -> None:
    exact = matrix(4, 72, 5)
    values = grouped(quantized(exact))
    assert values.shape == (4, 96)
    assert (values[:, 72:].abs() <= 0.2).all()
    assert (values[:, :64] == grouped(quantized(exact[:, :64]))).all()


def test_concatenated_and_ordered_rows() -> None:
    a, b = int8_rows(matrix(3, 32, 1)), int8_rows(matrix(2, 32, 2))
    both = concatenated([a, b])
    assert isinstance(both, Int8Rows)
    assert torch.equal(value8(both), torch.cat((value8(a), value8(b))))
    order = torch.tensor([4, 0, 2, 1, 3])
    turned = ordered(both, order)
    assert isinstance(turned, Int8Rows)
    assert torch.equal(value8(turned), value8(both)[order])
