"""Products compiled for this processor, against the same in double precision."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite import binding as llvm
from llvmlite import ir
from torch import Tensor
from torch.nn.functional import rms_norm, silu

from livemind_app.engine.compiled import products, threads, tiles
from livemind_app.engine.compiled.digits import LARGEST
from livemind_app.engine.packed.groups import GroupLinear, Norm, tiled

seeds = st.integers(0, 2**31)
outputs_of = st.sampled_from((64, 66, 100, 576))
groups_of = st.sampled_from((1, 2, 3, 18, 28))
bits_of = st.sampled_from((4, 6, 8))


def matrix(outputs: int, groups: int, bits: int, seed: int) -> tuple[Tensor, Tensor]:
    """Its tiles, and what they stand for in double precision."""
    random = torch.Generator().manual_seed(seed)
    low, high = {4: (0, 16), 6: (0, 64), 8: (-127, 128)}[bits]
    q = torch.randint(low, high, (outputs, 32 * groups), generator=random)
    scales, others = (torch.randn(outputs, groups, generator=random).half() for _ in range(2))
    by_groups = q.view(outputs, groups, 32).double()
    if bits == 8:
        return tiled(8, q.to(torch.int8), scales), (by_groups * scales[..., None]).flatten(1)
    if bits == 6:
        both = torch.stack((scales, others), dim=-1).double().repeat_interleave(16, dim=-1)
        return tiled(6, q.to(torch.uint8), scales, others), ((by_groups - 32) * both).flatten(1)
    values = by_groups * scales[..., None] + others[..., None]
    return tiled(4, q.to(torch.uint8), scales, others), values.flatten(1)


def activations(rows: int, groups: int, seed: int, power: int = 3) -> Tensor:
    """Of very different sizes in a row, as behind a norm."""
    return torch.randn(rows, 32 * groups, generator=torch.Generator().manual_seed(seed + 1)) ** power


@given(st.integers(1, 20), outputs_of, groups_of, bits_of, seeds, st.integers(-20, 20))
def test_no_output_is_further_off_than_half_a_step_of_each_input(
    rows: int, outputs: int, groups: int, bits: int, seed: int, exponent: int
) -> None:
    packed, values = matrix(outputs, groups, bits, seed)
    x = activations(rows, groups, seed) * 10.0**exponent
    exact = x.double() @ values.t()
    step = x.abs().amax(dim=1, keepdim=True).double() / LARGEST
    sizes = x.abs().double() @ values.abs().t()  # of what is added, for the rounding of fp32
    bound = 0.51 * step * values.abs().sum(dim=1) + 1e-5 * sizes
    y = GroupLinear(packed, outputs).rows(x)
    assert y.shape == (rows, outputs)
    assert bool(((y.double() - exact).abs() <= bound).all())


@settings(max_examples=30)
@given(outputs_of, groups_of, bits_of, seeds, st.integers(1, 40), st.integers(0, 39))
def test_a_row_is_the_same_alone_and_among_others(
    outputs: int, groups: int, bits: int, seed: int, count: int, first: int
) -> None:
    layer = GroupLinear(matrix(outputs, groups, bits, seed)[0], outputs, torch.randn(outputs))
    x = activations(first + count, groups, seed)
    alone = torch.cat([layer.rows(row[None]) for row in x])
    assert torch.equal(layer.rows(x), alone)
    assert torch.equal(layer.rows(x[first:]), alone[first:])


@settings(max_examples=40)
@given(st.integers(1, 12), outputs_of, groups_of, bits_of, seeds, st.sampled_from((0, 7)), st.integers(-9, 9))
def test_norms_gates_and_sums_on_the_way(
    rows: int, outputs: int, groups: int, bits: int, seed: int, missing: int, exponent: int
) -> None:
    """In one pass, or around it where inputs do not fill the last group or outputs the last tile."""
    layer, inputs = GroupLinear(matrix(outputs, groups, bits, seed)[0], outputs), 32 * groups - missing
    x = activations(rows, 2 * groups, seed, power=1)[:, : 2 * inputs] * 10.0**exponent
    onto = torch.randn(rows, outputs)
    norm = Norm(torch.rand(inputs) + 0.5, 1e-5)
    half = x[:, :inputs].contiguous()
    for given_, options, plain in (
        (half, {"norm": norm}, rms_norm(half, (inputs,), norm.weight, norm.epsilon)),
        (x, {"gated": True}, silu(x[:, :inputs]) * x[:, inputs:]),
    ):
        kept = onto.clone()
        wanted = layer.rows(plain).double() + onto
        ours = layer.rows(given_, onto=onto, **options)
        assert torch.equal(onto, kept)
        assert (ours - wanted).norm() <= 2e-4 * wanted.norm()
        assert torch.equal(layer.rows(given_[-1:], onto=onto[-1:], **options), ours[-1:])


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_rows_that_do_not_fit_the_cache_are_multiplied_in_parts(bits: int) -> None:
    packed, values = matrix(64, 100, bits, 0)
    x = activations(70, 100, 0, power=1)
    exact = x.double() @ values.t()
    assert (GroupLinear(packed, 64).rows(x) - exact).norm() <= 1e-4 * exact.norm()


@pytest.mark.parametrize("bits", [4, 6, 8])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_any_number_of_threads_gives_the_same(count: int, bits: int) -> None:
    layer, before = GroupLinear(matrix(66, 5, bits, 1)[0], 66), torch.get_num_threads()
    x = activations(3, 5, 1)
    wanted = layer.rows(x)
    try:
        torch.set_num_threads(count)
        assert torch.equal(layer.rows(x), wanted)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_rows_of_zeros_and_of_extreme_numbers(bits: int) -> None:
    packed, values = matrix(64, 2, bits, 0)
    layer = GroupLinear(packed, 64)
    x = torch.stack([torch.full((64,), value) for value in (0.0, 1e30, -1e30, 1e-30, 1e-38)])
    y = layer.rows(x)
    assert torch.isfinite(y).all()
    assert torch.equal(y[0], torch.zeros(64))
    exact = x.double() @ values.t()
    assert ((y - exact).norm(dim=1)[1:4] <= 1e-4 * exact.norm(dim=1)[1:4]).all()


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_a_nan_stays_in_its_row(bits: int) -> None:
    layer = GroupLinear(matrix(64, 2, bits, 0)[0], 64)
    x = activations(3, 2, 0)
    wanted = layer.rows(x)
    x[1, 40] = torch.nan
    y = layer.rows(x)
    assert y[1].isnan().all()
    assert torch.equal(y[[0, 2]], wanted[[0, 2]])


@pytest.fixture
def compiled_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What was compiled under other conditions is forgotten, before and after."""
    products.multiply.cache_clear()
    yield
    monkeypatch.undo()
    products.multiply.cache_clear()


@pytest.mark.parametrize("bits", [4, 6, 8])
@pytest.mark.parametrize("lanes", [8, 16])
def test_without_the_instructions_of_x86_every_bit_is_the_same(
    lanes: int, bits: int, compiled_anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, x = GroupLinear(matrix(66, 5, bits, 2)[0], 66), activations(11, 5, 2)
    wanted = layer.rows(x)
    products.multiply.cache_clear()
    monkeypatch.setattr(tiles, "has", lambda _: False)
    monkeypatch.setattr(tiles, "LANES", lanes)
    assert torch.equal(layer.rows(x), wanted)


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_narrow_vectors_give_the_same(
    bits: int, compiled_anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a processor without AVX-512."""
    layer, x = GroupLinear(matrix(66, 5, bits, 2)[0], 66), activations(11, 5, 2)
    wanted = layer.rows(x)
    products.multiply.cache_clear()
    monkeypatch.setattr(tiles, "LANES", 8)
    assert torch.equal(layer.rows(x), wanted)


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_without_threads_that_are_known_one_does_it_all(
    bits: int, compiled_anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "symbols", dict)
    packed, values = matrix(66, 5, bits, 3)
    x = activations(11, 5, 3, power=1)
    exact = x.double() @ values.t()
    assert (GroupLinear(packed, 66).rows(x) - exact).norm() <= 1e-4 * exact.norm()


@pytest.mark.parametrize("names", threads.SYMBOLS.values(), ids=threads.SYMBOLS)
def test_both_kinds_of_threads_are_asked_as_they_want_it(
    names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "symbols", lambda: dict.fromkeys(names, 1))
    module = ir.Module()
    work, build = threads.defined(module, "work", [threads.POINTER])
    build.ret_void()
    start, build = threads.defined(module, "start", [threads.POINTER])
    threads.in_parallel(build, work, start.args[0], threads.INT(2))
    build.ret_void()
    code = llvm.parse_assembly(str(module))
    code.verify()
    assert {each.name for each in code.functions if each.is_declaration} == set(names)


def test_torchs_own_threads_are_found_here() -> None:
    assert threads.symbols()
