"""What stands in the places of a network's projections and embedding, around the kernels."""

import torch
from torch import Tensor, nn

from livemind_app.engine.packed.phase import phase


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
    """A projection in two ways: that of decode reads little, that of prefill is fast for many rows."""

    def __init__(self, prefill: nn.Module, decode: nn.Module) -> None:
        super().__init__()
        self.prefill = prefill
        self.decode = decode

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = (self.decode if phase.decode else self.prefill)(x)
        return y


class PlainLinear(nn.Module):
    """Weights as they were loaded, whatever type is computed in around them."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear(x.to(self.linear.weight.dtype))
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
