"""Projections on the integer kernels of oneDNN, which torch carries: prefill where there is VNNI.

Each row of activations is computed on its own: among others it is, bit for bit, that row alone.
"""

from math import inf

import torch
from torch import Tensor, nn

from livemind_app.engine.packed.layout import lay_out

VNNI = ("avx512_vnni", "avx_vnni")
BF16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")  # as torch names them, x86 and ARM
BASE, ZERO = 256, 128  # of the digits, and what a digit holds for 0
LARGEST = 32639  # (127, 127) in digits
SMALL = 3 << 19  # weights of a matrix below which a call of oneDNN costs more than its work
_MIDDLE = torch.tensor(BASE * ZERO + ZERO + 0.5)  # 0 in digits; a half, since conversion cuts


class DigitLinear(nn.Module):
    """Rows of int8 with one scale each, on the integer dot products (VNNI) of x86 processors.

    A row of activations becomes 16-bit integers and these two rows of 8-bit digits, at the price of one:
    memory delivers the weights once for both. Sums are exact integers, so the activations lose less than in
    bf16, no row's result depends on the others, and it is the same whichever kernel computes it.
    """

    def __init__(self, weights: Tensor | list[Tensor], scales: Tensor, bias: Tensor | None = None) -> None:
        """`weights` [outputs, inputs] int8, or the pieces that `lay_out` made of them; `scales` [outputs]."""
        super().__init__()
        self.sums = _sums(weights)
        self.steps = nn.Buffer(scales.float() / LARGEST)
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        digits, largest = _digits(x.reshape(-1, x.shape[-1]).float())
        low, high = self.sums(digits)
        y = torch.add(low, high, alpha=BASE).mul_(largest).mul_(self.steps)
        y = y if self.bias is None else y.add_(self.bias)
        return y.to(x.dtype).view(*x.shape[:-1], -1)


def _digits(x: Tensor) -> tuple[Tensor, Tensor]:
    """[rows, inputs] fp32 → low digits above high ones [2 rows, inputs] uint8, and largest values [rows, 1].

    `x = ((low - 128) + 256 (high - 128)) * largest / LARGEST`, rounded; both are bytes of one uint16.
    """
    largest = torch.linalg.vector_norm(
        x, inf, dim=-1, keepdim=True
    )  # 0 makes any digits, and times 0 again 0
    whole = torch.addcdiv(_MIDDLE, x, largest, value=LARGEST).to(torch.uint16)
    bytes_ = whole.view(torch.uint8).view(*x.shape, 2).permute(2, 0, 1)
    return bytes_.reshape(-1, x.shape[-1]), largest


Pair = tuple[Tensor, Tensor]  # sums of low and of high digits, each [rows, outputs]; at least one fp32


class Sums(nn.Module):
    """Sums of small matrices, by the kernel that costs least to call."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Buffer(weights.t())  # [inputs, outputs], a row of outputs apart in memory

    def forward(self, digits: Tensor) -> Pair:
        signed = digits.bitwise_xor(ZERO).view(torch.int8)
        low, high = torch._int_mm(signed, self.weights).chunk(2)
        return low, high.float()  # adding converts the other


class PackedSums(nn.Module):
    """The same of large matrices, in the layout of oneDNN's kernel."""

    def __init__(self, pieces: list[Tensor]) -> None:
        super().__init__()
        self._pieces = [(piece, *_unscaled(piece.shape[1])) for piece in pieces]

    @property
    def bytes(self) -> int:
        """Of the weights, which are no buffer that could be asked."""
        return sum(piece.numel() for piece, _, _ in self._pieces)

    def forward(self, digits: Tensor) -> Pair:
        pieces = [self._piece(digits, *piece) for piece in self._pieces]
        low, high = (pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=-1)).chunk(2)
        return low, high

    def _piece(self, digits: Tensor, weights: Tensor, ones: Tensor, zeros: Tensor) -> Tensor:
        sums: Tensor = torch.ops.onednn.qlinear_pointwise.default(
            digits, 1.0, ZERO, weights, ones, zeros,
            None, 1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        return sums


def _unscaled(outputs: int) -> tuple[Tensor, Tensor]:
    """Scales and zero points that leave sums as they are."""
    return torch.ones(outputs), torch.zeros(outputs, dtype=torch.int32)


def _sums(weights: Tensor | list[Tensor]) -> nn.Module:
    if isinstance(weights, Tensor):
        return PackedSums(lay_out(weights)) if is_large(weights) else Sums(weights)
    return PackedSums(weights)


def is_large(weights: Tensor) -> bool:
    return weights.numel() > SMALL


def has_vnni() -> bool:
    """Whether the processor multiplies 8-bit integers, and torch was built with oneDNN, which does it."""
    features = torch.cpu.get_capabilities()
    return torch._C._has_mkldnn and any(features.get(name) for name in VNNI)


def has_bf16() -> bool:
    """Whether the processor multiplies bf16, which others imitate slowly."""
    features = torch.cpu.get_capabilities()
    return any(features.get(name) for name in BF16)
