"""Attention compiled for this processor, against torch's in double precision."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from livemind_app.engine.compiled.attention import attend, scratch_bytes
from livemind_app.engine.compiled.functions import LANES

ROOM = 5  # tokens that the buffers could take besides
heads_of = st.sampled_from(((1, 1), (4, 4), (6, 2), (9, 3), (7, 1)))
sizes = st.sampled_from((16, 32, 64, 80, 128, 256))


class Case:
    """What a layer has at a step."""

    def __init__(self, rows: int, heads: tuple[int, int], size: int, start: int, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        self.rows, (self.query_heads, self.kv_heads), self.size, self.start = rows, heads, size, start
        self.all = torch.randn(rows, self.query_heads + 2 * self.kv_heads, size, generator=random)
        angles = (torch.rand(rows, size // 2, generator=random) * 6).repeat(1, 2)
        self.cosine, sine = angles.cos(), angles.sin()
        self.sine = torch.cat((-sine[:, : size // 2], sine[:, size // 2 :]), dim=-1)
        self.kv = torch.randn(2, self.kv_heads, start + rows + ROOM, size, generator=random)
        self.mask = torch.rand(rows, start + rows, generator=random) < 0.7
        self.mask[:, start:] |= torch.eye(rows, dtype=torch.bool)  # each sees itself

    def ours(self, masked: bool, threads: int = 2) -> tuple[Tensor, Tensor]:
        """Outputs [rows, query heads, size], and the buffers of keys and values after it."""
        kv, out = self.kv.clone(), torch.empty(self.rows, self.query_heads, self.size)
        room = scratch_bytes(self.rows, self.query_heads, self.size, self.start + self.rows)
        scratch = torch.empty(room, dtype=torch.uint8)
        mask = self.mask.view(torch.uint8)
        attend(self.size)(
            *(part.data_ptr() for part in (self.all, self.cosine, self.sine, *kv)),
            mask.data_ptr() if masked else None, out.data_ptr(), scratch.data_ptr(), self.rows,
            self.query_heads, self.kv_heads, kv.shape[2], self.start, self.size**-0.5, threads,
        )  # fmt: skip
        return out, kv

    def wanted(self, masked: bool) -> tuple[Tensor, Tensor]:
        """In double precision, by torch."""
        queries, keys, values = self.all.double().split(
            [self.query_heads, self.kv_heads, self.kv_heads], dim=1
        )
        kv, end = self.kv.double(), self.start + self.rows
        kv[0, :, self.start : end] = self._turned(keys).transpose(0, 1)
        kv[1, :, self.start : end] = values.transpose(0, 1)
        out = scaled_dot_product_attention(
            self._turned(queries).transpose(0, 1),
            *kv[:, :, :end].repeat_interleave(self.query_heads // self.kv_heads, dim=1),
            attn_mask=self.mask if masked else None,
        )
        return out.transpose(0, 1), kv

    def _turned(self, heads: Tensor) -> Tensor:
        return heads * self.cosine[:, None] + heads.roll(self.size // 2, dims=-1) * self.sine[:, None]


@settings(max_examples=60)
@given(st.integers(1, 9), heads_of, sizes, st.integers(0, 40), st.booleans(), st.integers(0, 2**31))
def test_rows_attend_to_what_they_see_and_are_remembered(
    rows: int, heads: tuple[int, int], size: int, start: int, masked: bool, seed: int
) -> None:
    case = Case(rows, heads, size, start, seed)
    (out, kv), (exact, exact_kv) = case.ours(masked), case.wanted(masked)
    assert (out - exact).norm() <= 1e-5 * exact.norm()
    assert torch.allclose(kv.double(), exact_kv, atol=1e-5)
    untouched = torch.ones(kv.shape[2], dtype=torch.bool)
    untouched[start : start + rows] = False
    assert torch.equal(kv[:, :, untouched], case.kv[:, :, untouched])


@pytest.mark.parametrize("start", [0, 300, 2000])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads_gives_the_same(threads: int, start: int) -> None:
    case = Case(2, (9, 3), 64, start, 5)
    assert torch.equal(case.ours(True, threads)[0], case.ours(True, 1)[0])


def test_a_row_is_the_same_beside_others_that_it_does_not_see() -> None:
    case = Case(4, (6, 2), 32, 21, 6)
    case.mask[:] = torch.ones(4, 25, dtype=torch.bool).tril(21)
    together, _ = case.ours(True)
    alone = Case(1, (6, 2), 32, 21, 6)
    alone.all, alone.cosine, alone.sine, alone.kv = case.all[:1], case.cosine[:1], case.sine[:1], case.kv
    assert torch.equal(alone.ours(False)[0][0], together[0])


def test_scores_far_apart() -> None:
    """Where all but one share vanish, and where every score is huge."""
    case = Case(1, (2, 1), 16, 3 * LANES, 7)
    case.all *= 300
    out, _ = case.ours(False)
    exact, _ = case.wanted(False)
    assert torch.isfinite(out).all()
    assert (out - exact).norm() <= 1e-3 * exact.norm()
