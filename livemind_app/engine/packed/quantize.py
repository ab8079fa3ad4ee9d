"""A matrix in 8 or 4 bits, before it is packed for a kernel."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from livemind_app.engine.compiled.tiles import GROUP
from livemind_app.engine.packed.groups import tiled

ROWS = 4096  # quantized at a time, so that no whole matrix is held in fp32
CLIPS = (1.0, 0.95, 0.9, 0.85, 0.8)  # ranges tried for a group, as parts of its whole
SMALLEST = 6e-8  # above 0 in fp16


@dataclass(frozen=True)
class Int8Rows:
    """`w = q * scale`, a scale for each row: what VNNI multiplies in prefill."""

    q: Tensor  # [outputs, inputs] int8
    scales: Tensor  # [outputs]

    def tensors(self) -> dict[str, Tensor]:
        return {"weights": self.q, "scales": self.scales}


@dataclass(frozen=True)
class Int8Groups:
    """`w = q * scale`, a scale for each 32 inputs of a row. Inputs are filled to a multiple with zeros."""

    q: Tensor  # [outputs, inputs] int8
    scales: Tensor  # [outputs, groups] fp16

    def tensors(self) -> dict[str, Tensor]:
        return {"tiles": tiled(8, self.q, self.scales)}


@dataclass(frozen=True)
class Int4Groups:
    """`w = q * scale + low`, a pair for each 32 inputs of a row, filled likewise."""

    q: Tensor  # [outputs, inputs] uint8, 0 to 15
    scales: Tensor  # [outputs, groups] fp16
    lows: Tensor

    def tensors(self) -> dict[str, Tensor]:
        return {"tiles": tiled(4, self.q, self.scales, self.lows)}


@dataclass(frozen=True)
class Int6Groups:
    """`w = (q - 32) * scale`, a scale for each 16 inputs of a row: what files have, never chosen anew."""

    q: Tensor  # [outputs, inputs] uint8, 0 to 63
    scales: Tensor  # [outputs, inputs / 16] fp16

    def tensors(self) -> dict[str, Tensor]:
        return {"tiles": tiled(6, self.q, self.scales[:, ::2], self.scales[:, 1::2])}


Quantized = Int8Rows | Int8Groups | Int6Groups | Int4Groups


def int8_rows(matrix: Tensor) -> Int8Rows:
    """Each row by its largest magnitude. Scales are rounded first, then used."""
    parts = [_int8(rows.float()) for rows in torch.split(matrix, ROWS)]
    return Int8Rows(*_joined(parts))


def _int8(rows: Tensor) -> tuple[Tensor, Tensor]:
    scales = rows.abs().amax(dim=-1) / 127
    steps = scales.clamp(min=1e-20)[..., None]
    return (rows / steps).round_().clamp_(-127, 127).to(torch.int8), scales


def int8_groups(matrix: Tensor) -> Int8Groups:
    """Each group by its largest magnitude."""
    parts = [_int8_groups(_grouped(rows.float())) for rows in torch.split(matrix, ROWS)]
    return Int8Groups(*_joined(parts))


def _int8_groups(groups: Tensor) -> tuple[Tensor, Tensor]:
    scales = (groups.abs().amax(dim=-1) / 127).half()
    steps = scales.float().clamp(min=SMALLEST)[..., None]
    return (groups / steps).round_().clamp_(-127, 127).to(torch.int8).flatten(1), scales


def int4_groups(matrix: Tensor) -> Int4Groups:
    """Each group by the range, of its whole or a part clipped, that leaves the least squared error."""
    parts = [_int4_groups(_grouped(rows.float())) for rows in torch.split(matrix, ROWS)]
    return Int4Groups(*_joined(parts))


def _int4_groups(groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    low, high = groups.amin(dim=-1), groups.amax(dim=-1)
    best = _round(groups, low, high)
    for clip in CLIPS[1:]:
        cut = (high - low) * (1 - clip) / 2
        other = _round(groups, low + cut, high - cut)
        better = other[3] < best[3]
        best = tuple(torch.where(_like(better, new), new, old) for new, old in zip(other, best, strict=True))
    q, scales, lows, _ = best
    return q.flatten(1), scales, lows


def _like(mask: Tensor, tensor: Tensor) -> Tensor:
    return mask[..., None] if tensor.dim() > mask.dim() else mask


def _round(groups: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, ...]:
    """Integers, scales, lows and squared error of groups cut to [low, high]."""
    scales, lows = ((high - low) / 15).half(), low.half()
    step, least = scales.float().clamp(min=SMALLEST)[..., None], lows.float()[..., None]
    q = ((groups - least) / step).round_().clamp_(0, 15)
    error = (q * step + least - groups).square_().sum(dim=-1)
    return q.to(torch.uint8), scales, lows, error


def _grouped(rows: Tensor) -> Tensor:
    """[outputs, inputs] → [outputs, groups, 32], the last one filled with zeros."""
    return pad(rows, (0, -rows.shape[1] % GROUP)).view(len(rows), -1, GROUP)


def _joined(parts: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    return tuple(torch.cat(tensors) for tensors in zip(*parts, strict=True))


def concatenated(parts: Sequence[Quantized]) -> Quantized:
    """One above the other; all of one kind."""
    return type(parts[0])(*_joined([tuple(vars(part).values()) for part in parts]))


def ordered(matrix: Quantized, order: Tensor) -> Quantized:
    """Its rows in another order."""
    return type(matrix)(*(part[order] for part in vars(matrix).values()))
