"""Projections whose weights are integers in groups of 32 inputs, on the products compiled here."""

import threading
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, silu

from livemind_app.engine.compiled.digits import Before
from livemind_app.engine.compiled.products import multiply, scratch_bytes
from livemind_app.engine.compiled.tiles import GROUP, MOST, TILE, Form

BITS = {Form(bits).step: bits for bits in (4, 6, 8)}  # by the bytes of a tile's group
NEAR = 1 << 17  # bytes of activations that stay in the cache near a core


@dataclass(frozen=True)
class Norm:
    """By the root of the mean square (arXiv 1910.07467)."""

    weight: Tensor  # [inputs] fp32
    epsilon: float

    def __call__(self, x: Tensor) -> Tensor:
        """[rows, inputs], in fewer operations than torch's own on a CPU."""
        mean: Tensor = x.square().mean(dim=-1, keepdim=True)
        return x * (mean + self.epsilon).rsqrt_() * self.weight


def prepared(x: Tensor, norm: Norm | None, gated: bool) -> Tensor:
    """What is done with rows before a product."""
    if norm:
        return norm(x)
    if not gated:
        return x
    gates, through = x.chunk(2, dim=-1)
    return silu(gates).mul_(through)


class GroupLinear(nn.Module):
    """Each row of activations is computed on its own: among others it is, bit for bit, that row alone."""

    def __init__(self, tiles: Tensor, outputs: int, bias: Tensor | None = None) -> None:
        """`tiles` as `tiled` gives them; `outputs` without those that filled the last tile."""
        super().__init__()
        self.tiles = nn.Buffer(tiles)
        self._tiles = tiles  # once more, since a module takes long to find a buffer
        self.bias = bias
        padded = TILE * len(tiles)
        self._offsets = torch.zeros(padded) if bias is None else pad(bias.float(), (0, padded - outputs))
        self._outputs = outputs
        self._inputs = GROUP * tiles.shape[1]
        self._at_a_time = max(1, NEAR // (2 * self._inputs * MOST)) * MOST
        self.bits = BITS[tiles.shape[2]]  # of a weight

    def forward(self, x: Tensor) -> Tensor:
        y = self.rows(x.reshape(-1, x.shape[-1]))
        return y.to(x.dtype).view(*x.shape[:-1], -1)

    def rows(
        self, x: Tensor, *, norm: Norm | None = None, gated: bool = False, onto: Tensor | None = None
    ) -> Tensor:
        """[rows, inputs] of any type → [rows, outputs] in fp32.

        `x` is normed first, or is [rows, 2 inputs] and its first half gates the second; the result is added
        to `onto`. All of it in one pass where the shapes fill groups and tiles.
        """
        before = Before.NORM if norm else Before.GATE if gated else Before.NOTHING
        if x.shape[1] != self._inputs * (1 + gated):
            x, before = self._whole(prepared(x, norm, gated)), Before.NOTHING
        fits = onto is not None and self.bias is None and len(self._offsets) == self._outputs
        y = self._product(x.float().contiguous(), before, norm, onto if fits else None)
        y = y if y.shape[1] == self._outputs else y[:, : self._outputs].contiguous()
        return y if onto is None or fits else y.add_(onto)

    def _product(self, x: Tensor, before: Before, norm: Norm | None, onto: Tensor | None) -> Tensor:
        outputs = len(self._offsets)
        y = x.new_empty(len(x), outputs)
        spare = scratch.of(scratch_bytes(len(x), self._inputs))
        multiply(self.bits)(
            x.data_ptr(), len(x), self._inputs, before,
            norm.weight.data_ptr() if norm else None, norm.epsilon if norm else 0.0, self._tiles.data_ptr(),
            (self._offsets if onto is None else onto).data_ptr(), 0 if onto is None else outputs, outputs,
            y.data_ptr(), spare.data_ptr(), self._at_a_time, torch.get_num_threads(),
        )  # fmt: skip
        return y

    def _whole(self, x: Tensor) -> Tensor:
        """With zeros to the end of the last group."""
        return x if x.shape[1] == self._inputs else pad(x, (0, self._inputs - x.shape[1]))


class _Scratch(threading.local):
    """Of each thread that computes, as large as was ever needed."""

    def __init__(self) -> None:
        self._bytes = torch.empty(0, dtype=torch.uint8)

    def of(self, count: int) -> Tensor:
        if len(self._bytes) < count:
            self._bytes = torch.empty(count, dtype=torch.uint8)
        return self._bytes


scratch = _Scratch()


def tiled(bits: int, q: Tensor, *numbers: Tensor) -> Tensor:
    """[outputs, inputs] integers and [outputs, groups] fp16 → bytes [tiles, groups, of a tile's group].

    4 bits: four integers share 16, the first of each quarter of a group in the first, from the lowest bits. 6
    bits: the low 4 likewise, the high 2 of the same four in a byte; scales are those of the first 16 inputs
    of each group, then those of the second.
    """
    q, *rest = (pad(part, (0, 0, 0, -len(q) % TILE)) for part in (q, *numbers))
    integers = q.view(len(q), -1, GROUP)
    parts = [integers] if bits == 8 else [_nibbles(integers & 15)]
    if bits == 6:
        parts.append(_joined(integers >> 4, 2))
    halves = [part[..., None] for part in rest]
    return torch.cat([_by_tiles(part.view(torch.uint8)) for part in (*parts, *halves)], dim=-1)


def _nibbles(integers: Tensor) -> Tensor:
    a, b, c, d = integers.chunk(4, dim=-1)
    return torch.stack((a | b << 4, c | d << 4), dim=-1).flatten(2)


def _joined(integers: Tensor, bits: int) -> Tensor:
    """Those of a group's quarters, beside each other."""
    a, b, c, d = integers.chunk(4, dim=-1)
    return a | b << bits | c << 2 * bits | d << 3 * bits


def _by_tiles(part: Tensor) -> Tensor:
    """[outputs, groups, bytes] → [tiles, groups, bytes of the four]"""
    outputs, groups, size = part.shape
    return part.view(outputs // TILE, TILE, groups, size).transpose(1, 2).reshape(-1, groups, TILE * size)
