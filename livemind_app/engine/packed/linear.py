"""Projections on the packed kernels that torch carries for CPUs.

Each output row is computed on its own, so one row among many is, bit for bit, that row alone.
"""

from math import inf

import torch
from torch import Tensor, nn

from livemind_app.engine.packed.layout import lay_out

GROUP = 32  # inputs that share a scale in the 4-bit form, as in GGUF's blocks
VNNI = ("avx512_vnni", "avx_vnni")
BF16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")  # as torch names them, x86 and ARM
BASE, ZERO = 256, 128  # of the digits, and what a digit holds for 0
LARGEST = 32639  # (127, 127) in digits
TILE = 256  # rows expanded at a time: a second-level cache holds them, and reading them again is cheap
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
        return _shaped(self.rows(x.view(-1, x.shape[-1]).float()), x)

    def rows(self, x: Tensor) -> Tensor:
        """[rows, inputs] → [rows, outputs], both fp32."""
        digits, largest = _digits(x)
        low, high = self.sums(digits)
        y = torch.add(low, high, alpha=BASE).mul_(largest).mul_(self.steps)
        return _biased(y, self.bias)


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


class Int8Linear(nn.Module):
    """The same rows where there is no VNNI. The kernel computes in bf16; scales stay exact beside it."""

    def __init__(self, weights: Tensor, scales: Tensor, bias: Tensor | None = None) -> None:
        super().__init__()
        self.weights = nn.Buffer(weights)  # [outputs, inputs] int8
        self.scales = nn.Buffer(scales.float())  # [outputs]
        self.ones = nn.Buffer(torch.ones_like(scales, dtype=torch.bfloat16))
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        return _shaped(self.rows(x.view(-1, x.shape[-1])), x)

    def rows(self, x: Tensor) -> Tensor:
        """[rows, inputs] of any type → [rows, outputs] in fp32."""
        y = torch.ops.aten._weight_int8pack_mm(x.bfloat16(), self.weights, self.ones)
        return _biased(y * self.scales, self.bias)


class ExpandedLinear(nn.Module):
    """Many rows on the same weights, which become fp32 on their way into the processor's cache.

    As fast as a copy that lies in memory in fp32, and none is needed.
    """

    def __init__(self, packed: Int8Linear) -> None:
        super().__init__()
        self.packed = packed

    def forward(self, x: Tensor) -> Tensor:
        return _shaped(self.rows(x.view(-1, x.shape[-1]).float()), x)

    def rows(self, x: Tensor) -> Tensor:
        """[rows, inputs] → [rows, outputs], both fp32."""
        tiles = [x @ tile.float().t() for tile in torch.split(self.packed.weights, TILE)]
        return _biased(torch.cat(tiles, dim=-1).mul_(self.packed.scales), self.packed.bias)


class Int4Linear(nn.Module):
    """Groups of 32 inputs: `(q - 8) * scale + zero`. The kernel computes in bf16."""

    def __init__(self, weights: Tensor, table: Tensor, bias: Tensor | None = None) -> None:
        super().__init__()
        self.weights = nn.Buffer(weights)  # as the kernel of this processor wants its nibbles
        self.table = nn.Buffer(table)  # [inputs / 32, outputs, 2] bf16: scale, zero
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        return _shaped(self.rows(x.view(-1, x.shape[-1])), x)

    def rows(self, x: Tensor) -> Tensor:
        """[rows, inputs] of any type → [rows, outputs], in the bf16 of the kernel unless there is a bias."""
        y: Tensor = torch._weight_int4pack_mm_for_cpu(x.bfloat16(), self.weights, GROUP, self.table)
        return y if self.bias is None else y + self.bias


def int8_linear(weights: Tensor | list[Tensor], scales: Tensor, bias: Tensor | None = None) -> nn.Module:
    """The faster kernel for int8 rows on this processor."""
    if isinstance(weights, list) or has_vnni():
        return DigitLinear(weights, scales, bias)
    return Int8Linear(weights, scales, bias)


def for_prefill(kernel: nn.Module) -> nn.Module:
    """The faster way to multiply many rows with its weights."""
    return ExpandedLinear(kernel) if isinstance(kernel, Int8Linear) else kernel


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


def plain_is_fast() -> bool:
    """Whether many rows are multiplied faster with a plain copy in bf16 than with 8 bits."""
    return has_bf16() and not has_vnni()


def _biased(y: Tensor, bias: Tensor | None) -> Tensor:
    return y if bias is None else y.add_(bias)


def _shaped(y: Tensor, x: Tensor) -> Tensor:
    return y.to(x.dtype).view(*x.shape[:-1], -1)
