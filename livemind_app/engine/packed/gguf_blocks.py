"""Matrices of a GGUF file with the integers it holds.

Blocks of 4 and 6 bits, and the even ones of 5 and 8, become groups with the file's own integers; only scales
are rounded, to fp16. What else has 5 bits becomes groups of 8, which are finer.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from livemind_app.engine.packed.quantize import (
    ROWS,
    Int4Groups,
    Int6Groups,
    Int8Groups,
    Quantized,
    int8_groups,
)

Array = np.ndarray[Any, Any]
Groups = tuple[Array, Array, Array]  # per 32 weights: q, scale and low, with w = q * scale + low


def read(tensor: Any) -> Quantized:
    """A two-dimensional tensor of `gguf.GGUFReader`, rows in the file's order."""
    name = tensor.tensor_type.name
    if name in _OF_4_BITS:
        return _int4(tensor.data, _OF_4_BITS[name])
    if name in _OF_8_BITS:
        return _int8(tensor.data, _OF_8_BITS[name])
    return _q6_k(tensor.data) if name == "Q6_K" else _quantized(tensor)


def values(tensor: Any, rows: slice) -> Tensor:
    """What the file says, in fp32."""
    from gguf import dequantize

    return torch.from_numpy(dequantize(tensor.data[rows], tensor.tensor_type))


def _quantized(tensor: Any) -> Int8Groups:
    parts = [int8_groups(values(tensor, slice(at, at + ROWS))) for at in range(0, len(tensor.data), ROWS)]
    return Int8Groups(torch.cat([part.q for part in parts]), torch.cat([part.scales for part in parts]))


def _int8(data: Array, split: Callable[[Array], tuple[Array, Array]]) -> Int8Groups:
    q, scale = map(torch.from_numpy, split(data))
    return Int8Groups(q.view(len(data), -1), scale.view(len(data), -1))


def _int4(data: Array, split: Callable[[Array], Groups]) -> Int4Groups:
    q, scale, low = (torch.from_numpy(np.ascontiguousarray(part)) for part in split(data))
    scales, lows = (part.half().view(len(data), -1) for part in (scale, low))
    return Int4Groups(q.view(len(data), -1), scales, lows)


def _q8_0(data: Array) -> tuple[Array, Array]:
    blocks = data.reshape(-1, 34)
    return blocks[:, 2:].copy().view(np.int8), blocks[:, :2].copy().view(np.float16)


def _q5_0(data: Array) -> tuple[Array, Array]:
    """A fifth bit for each of the 32, in four bytes before the other four bits."""
    blocks = data.reshape(-1, 22)
    fifth = np.unpackbits(blocks[:, 2:6], axis=1, bitorder="little")
    q = (_nibbles(blocks[:, 6:]) | fifth << 4).astype(np.int8) - np.int8(16)
    return q, blocks[:, :2].copy().view(np.float16)


def _q4_0(data: Array) -> Groups:
    blocks = data.reshape(-1, 18)
    scale = _half(blocks[:, :2])
    return _nibbles(blocks[:, 2:]), scale, -8 * scale


def _q4_1(data: Array) -> Groups:
    blocks = data.reshape(-1, 20)
    return _nibbles(blocks[:, 4:]), _half(blocks[:, :2]), _half(blocks[:, 2:4])


def _q4_k(data: Array) -> Groups:
    """Super-blocks of 256: eight groups whose 6-bit scales and lows are multiples of two halves."""
    blocks = data.reshape(-1, 144)
    scales, lows = _six_bits(blocks[:, 4:16])
    q = _nibbles(blocks[:, 16:].reshape(-1, 32))
    return q, _half(blocks[:, :2]) * scales, -_half(blocks[:, 2:4]) * lows


def _q6_k(data: Array) -> Int6Groups:
    """Super-blocks of 256: four low bits of each, two high ones, 8-bit scales of each 16, and a half."""
    blocks = data.reshape(-1, 210)
    low = blocks[:, :128].reshape(-1, 2, 1, 64) >> np.array([[0], [4]], np.uint8) & 15
    high = blocks[:, 128:192].reshape(-1, 2, 1, 32) >> np.array([[0], [2], [4], [6]], np.uint8) & 3
    q = low.reshape(len(blocks), -1) | high.reshape(len(blocks), -1) << 4
    scales = blocks[:, 192:208].copy().view(np.int8) * _half(blocks[:, 208:])
    rows = len(data)
    return Int6Groups(torch.from_numpy(q).view(rows, -1), torch.from_numpy(scales).half().view(rows, -1))


def _half(data: Array) -> Array:
    """Pairs of bytes as numbers: [n, 2] uint8 → [n, 1] float32."""
    return np.ascontiguousarray(data).view(np.float16).astype(np.float32)


def _nibbles(data: Array) -> Array:
    """The low halves of a run of bytes, then the high ones: [n, b] → [n, 2 b]."""
    return np.concatenate((data & 15, data >> 4), axis=1)


def _six_bits(data: Array) -> tuple[Array, Array]:
    """Eight scales and eight lows out of twelve bytes: [n, 12] → two of [n, 8]."""
    a, b, rest = data[:, :4], data[:, 4:8], data[:, 8:]
    scales = np.concatenate((a & 63, (rest & 15) | (a >> 6 << 4)), axis=1)
    lows = np.concatenate((b & 63, (rest >> 4) | (b >> 6 << 4)), axis=1)
    return scales.astype(np.float32), lows.astype(np.float32)


_OF_4_BITS: dict[str, Callable[[Array], Groups]] = {"Q4_0": _q4_0, "Q4_1": _q4_1, "Q4_K": _q4_k}
_OF_8_BITS: dict[str, Callable[[Array], tuple[Array, Array]]] = {"Q5_0": _q5_0, "Q8_0": _q8_0}
