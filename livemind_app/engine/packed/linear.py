"""Projections on the packed kernels that torch carries for CPUs.

Each output row is computed on its own, so one row among many is, bit for bit, that row alone.
"""

from math import inf

import torch
from torch import Tensor, nn

from livemind_app.engine.packed.layout import lay_out
from livemind_app.engine.packed.phase import phase

GROUP = 32  # inputs that share a scale in the 4-bit form, as in GGUF's blocks
VNNI = ("avx512_vnni", "avx_vnni")
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


def is_large(weights: Tensor) -> bool:
    return weights.numel() > SMALL


def has_vnni() -> bool:
    """Whether the processor multiplies 8-bit integers, and torch was built with oneDNN, which does it."""
    features = torch.cpu.get_capabilities()
    return torch._C._has_mkldnn and any(features.get(name) for name in VNNI)


def _biased(y: Tensor, bias: Tensor | None) -> Tensor:
    return y if bias is None else y.add_(bias)


def _shaped(y: Tensor, x: Tensor) -> Tensor:
    return y.to(x.dtype).view(*x.shape[:-1], -1)


class Stack(nn.Module):
    """Projections of the same input, computed as one when the first of them is asked for.

    Between two calls it holds the outputs that were not taken yet, of one input. Networks that share it may
    compute on several threads: one that finds another's input computes its own anew.
    """

    def __init__(self, packed: nn.Module, sizes: list[int]) -> None:
        super().__init__()
        self.packed = packed
        self._sizes = sizes
        self._held: tuple[Tensor | None, tuple[Tensor, ...]] = (None, ())

    def take(self, x: Tensor, index: int) -> Tensor:
        given, outputs = self._held
        if given is not x:
            outputs = self.packed(x).split(self._sizes, dim=-1)
        self._held = (x, outputs) if index < len(self._sizes) - 1 else (None, ())
        return outputs[index]


class StackedLinear(nn.Module):
    """One of a stack's projections."""

    def __init__(self, stack: Stack, index: int) -> None:
        super().__init__()
        self.stack = stack
        self._index = index

    def forward(self, x: Tensor) -> Tensor:
        return self.stack.take(x, self._index)


class PhasedLinear(nn.Module):
    """Prefill reads the plain weights, decode the packed ones, whose kernels are slow for many rows."""

    def __init__(self, plain: nn.Linear, packed: nn.Module) -> None:
        super().__init__()
        self.plain = plain
        self.packed = packed

    def forward(self, x: Tensor) -> Tensor:
        if phase.decode:
            return self.packed(x)  # type: ignore[no-any-return]
        y: Tensor = self.plain(x.to(self.plain.weight.dtype))
        return y.to(x.dtype)


class Rows(nn.Module):
    """An embedding in its stored type, its rows given in the type that is computed in."""

    def __init__(self, embedding: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.embedding = embedding
        self._dtype = dtype

    def forward(self, ids: Tensor) -> Tensor:
        rows: Tensor = self.embedding(ids)
        return rows.to(self._dtype)
