"""Packed projections: what they compute, and that no row depends on the others."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from livemind_app.engine.packed import linear
from livemind_app.engine.packed.groups import GroupLinear
from livemind_app.engine.packed.layout import lay_out
from livemind_app.engine.packed.linear import LARGEST, DigitLinear, PackedSums, Sums
from livemind_app.engine.packed.phase import decoding
from livemind_app.engine.packed.places import PhasedLinear, PlainLinear, Rows, Stack, StackedLinear
from livemind_app.engine.packed.quantize import int4_groups, int8_groups, int8_rows

needs_vnni = pytest.mark.skipif(
    not linear.has_vnni(), reason="oneDNN adds exactly with VNNI only, and is not used without"
)
seeds = st.integers(0, 2**31)
sizes = st.sampled_from((64, 96, 160, 576))


def weights(outputs: int, inputs: int, seed: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    q = torch.randint(-127, 128, (outputs, inputs), dtype=torch.int8, generator=random)
    return q, torch.rand(outputs, generator=random) + 0.01


def activations(rows: int, inputs: int, seed: int, power: int = 1) -> Tensor:
    """With a power of 3 of very different sizes in a row, as behind a norm."""
    return torch.randn(rows, inputs, generator=torch.Generator().manual_seed(seed + 1)) ** power


@given(rows=st.integers(1, 12), inputs=sizes, seed=seeds, exponent=st.integers(-20, 20))
def test_digits_give_the_product_in_full(rows: int, inputs: int, seed: int, exponent: int) -> None:
    q, scales = weights(64, inputs, seed)
    x = activations(rows, inputs, seed) * 10.0**exponent
    exact = (x.double() @ q.double().t()) * scales
    assert (DigitLinear(q, scales)(x).double() - exact).norm() <= 1e-4 * exact.norm()


@given(rows=st.integers(1, 12), outputs=sizes, inputs=sizes, seed=seeds)
def test_no_output_is_further_off_than_half_a_step_of_each_input(
    rows: int, outputs: int, inputs: int, seed: int
) -> None:
    q, scales = weights(outputs, inputs, seed)
    x = activations(rows, inputs, seed, power=3)
    exact = (x.double() @ q.double().t()) * scales
    y = DigitLinear(q, scales)(x).double()
    step = x.abs().amax(dim=1, keepdim=True).double() / LARGEST
    bound = step * (q.double().abs().sum(dim=1) * 0.51 + 1) * scales + exact.abs() * 1e-6
    assert bool(((y - exact).abs() <= bound).all())


@needs_vnni
@settings(max_examples=25)
@given(outputs=sizes, inputs=sizes, seed=seeds)
def test_a_row_is_the_same_alone_among_others_and_in_either_kernel(
    outputs: int, inputs: int, seed: int
) -> None:
    q, scales = weights(outputs, inputs, seed)
    x = activations(40, inputs, seed, power=3)
    small, large = DigitLinear(q, scales), DigitLinear(q, scales)
    small.sums, large.sums = Sums(q), PackedSums(lay_out(q))
    alone = torch.cat([small(x[index : index + 1]) for index in range(len(x))])
    for count in (1, 2, 3, 5, 8, 17, 40):
        assert torch.equal(small(x[:count]), alone[:count])
        assert torch.equal(large(x[:count]), alone[:count])
    assert torch.equal(large(x[7:9]), alone[7:9])


@needs_vnni
@pytest.mark.parametrize("rows", range(1, 41))
def test_any_number_of_rows_of_a_large_matrix(rows: int) -> None:
    q, scales = weights(2048, 1024, 0)
    x = activations(40, 1024, 0)
    layer = DigitLinear(q, scales)
    assert isinstance(layer.sums, PackedSums)
    last = layer(x[rows - 1 : rows])
    assert torch.equal(layer(x[:rows])[-1:], last)


def test_rows_of_zeros_and_of_huge_numbers_stay_finite() -> None:
    q, scales = weights(64, 64, 0)
    x = torch.stack((torch.zeros(64), torch.full((64,), 1e30), torch.full((64,), 1e-30)))
    y = DigitLinear(q, scales)(x)
    assert torch.isfinite(y).all()
    assert torch.equal(y[0], torch.zeros(64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("kind", ["digits", "int8", "int4"])
def test_every_kind_adds_its_bias_and_keeps_type_and_shape(
    kind: str, biased: bool, dtype: torch.dtype
) -> None:
    matrix = torch.randn(64, 96, generator=torch.Generator().manual_seed(0))
    bias = torch.arange(64.0) if biased else None
    layer: nn.Module
    if kind == "digits":
        layer = DigitLinear(**int8_rows(matrix).tensors(), bias=bias)
    else:
        groups = (int8_groups if kind == "int8" else int4_groups)(matrix)
        layer = GroupLinear(**groups.tensors(), outputs=64, bias=bias)
    x = activations(6, 96, 0).to(dtype).view(2, 3, 96)
    y = layer(x)
    assert (y.dtype, y.shape) == (dtype, (2, 3, 64))
    exact = x.float() @ matrix.t() + (0 if bias is None else bias)
    assert (y.float() - exact).norm() <= (0.12 if kind == "int4" else 0.015) * exact.norm()


class Counting(nn.Module):
    """A projection that counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return torch.cat((x, 2 * x, 3 * x), dim=-1)


def test_a_stack_computes_once_and_lets_go() -> None:
    counting = Counting()
    stack = Stack(counting, [4, 4, 4])
    parts = [StackedLinear(stack, index) for index in range(3)]
    x = torch.arange(4.0)[None]
    for _ in range(2):
        assert [float(part(x)[0, 1]) for part in parts] == [1, 2, 3]
    assert counting.calls == 2
    assert stack._held == (None, ())


def test_networks_that_share_a_stack_may_compute_at_once() -> None:
    """Another thread's input between any two of ours changes nothing of ours."""
    stack = Stack(Counting(), [4, 4, 4])
    ours, theirs = torch.ones(1, 4), torch.full((1, 4), 5.0)
    for index in range(3):
        assert float(stack.take(ours, index)[0, 0]) == index + 1
        assert float(stack.take(theirs, index)[0, 0]) == 5 * (index + 1)


def test_a_stack_asked_out_of_order_or_for_another_input_is_still_right() -> None:
    stack = Stack(Counting(), [4, 4, 4])
    first, other = torch.ones(1, 4), torch.full((1, 4), 5.0)
    assert float(stack.take(first, 1)[0, 0]) == 2
    assert float(stack.take(other, 0)[0, 0]) == 5
    assert float(stack.take(other, 2)[0, 0]) == 15
    assert float(stack.take(other, 1)[0, 0]) == 10


def test_the_phase_chooses_the_weights_and_the_number_of_rows_does_not() -> None:
    prefill, decode = nn.Linear(4, 4), nn.Identity()
    layer = PhasedLinear(prefill, decode)
    for rows in (1, 9):
        x = torch.ones(rows, 4)
        assert torch.equal(layer(x), prefill(x))
        with decoding():
            assert torch.equal(layer(x), x)


def test_a_plain_copy_computes_in_its_own_type() -> None:
    linear = nn.Linear(4, 4, dtype=torch.bfloat16)
    x = torch.ones(2, 4)
    y = PlainLinear(linear)(x)
    assert y.dtype == torch.float32
    assert torch.equal(y, linear(x.bfloat16()).float())


def test_rows_of_an_embedding_come_in_the_computing_type() -> None:
    embedding = nn.Embedding(8, 4, dtype=torch.bfloat16)
    rows = Rows(embedding, torch.float32)(torch.tensor([1, 2]))
    assert rows.dtype == torch.float32
    assert torch.equal(rows, embedding.weight[[1, 2]].float())
    assert embedding.weight.dtype == torch.bfloat16
