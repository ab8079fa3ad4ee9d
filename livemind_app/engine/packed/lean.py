"""A decoder layer in fewer operations: norm, attention with rotated heads, norm, gated network.

That is the layer of Llama (arXiv 2302.13971, section 2.2) and of most models since. At one token a step each
operation has a price that does not depend on its size; outside the projections they are most of a small
model's time.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import silu
from transformers import Cache

from livemind_app.engine.packed.attention import of_groups
from livemind_app.engine.packed.linear import DigitLinear, Int4Linear, Int8Linear

Kernel = DigitLinear | Int4Linear | Int8Linear
Rotation = tuple[Tensor, Tensor]  # cosines and sines of the tokens' angles, each [1, tokens, head size]


class Norm:
    """By the root of the mean square (arXiv 1910.07467), in fewer operations than torch's own on a CPU."""

    def __init__(self, weight: Tensor, epsilon: float) -> None:
        self.weight = weight
        self._epsilon = torch.tensor(epsilon)

    def __call__(self, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        mean = torch.addcmul(self._epsilon, length, length, value=1 / x.shape[-1])
        return (x * mean.rsqrt_()).mul_(self.weight)


class Angles:
    """Cosines and sines [tokens, head size] that turn both halves of a head at once; sines have the signs."""

    def __init__(self) -> None:
        self._rotation: Rotation | None = None
        self._turning = torch.empty(0), torch.empty(0)

    def __call__(self, rotation: Rotation) -> tuple[Tensor, Tensor]:
        """Computed in the first layer of a forward, kept for the others."""
        if self._rotation is not rotation:
            cosine, sine = rotation[0][0], rotation[1][0]
            first, second = sine.chunk(2, dim=-1)
            self._rotation, self._turning = rotation, (cosine, torch.cat((-first, second), dim=-1))
        return self._turning


@dataclass(frozen=True)
class Steps:
    """What a layer does with the rows of one sequence, [tokens, width] in fp32."""

    index: int  # of the layer in the cache
    query_heads: int
    kv_heads: int
    head_size: int
    scaling: float
    angles: Angles
    before: Norm
    heads: list[Kernel]  # together queries, keys and values, one above the other
    out: Kernel
    between: Norm
    gated: Kernel  # gates above what they let through
    down: Kernel

    def __call__(self, x: Tensor, rotation: Rotation, mask: Tensor | None, kv: Cache) -> Tensor:
        """`mask` [1, 1, tokens, cached and these] as `grouped` takes it; None for a single row."""
        x = x + self.out.rows(self._attend(self.before(x), rotation, mask, kv))
        gates, through = self.gated.rows(self.between(x)).float().chunk(2, dim=-1)
        return x + self.down.rows(silu(gates).mul_(through))

    def _attend(self, x: Tensor, rotation: Rotation, mask: Tensor | None, kv: Cache) -> Tensor:
        heads = self.query_heads, self.kv_heads
        turning, values = self._heads(x).split_with_sizes([sum(heads), self.kv_heads])
        queries, keys = self._turned(turning, rotation).split_with_sizes(heads)
        all_keys, all_values = kv.update(keys[None], values[None], self.index)
        groups = queries.reshape(self.kv_heads, -1, self.head_size)
        shape = 1, self.query_heads, len(x)
        seen = of_groups(groups, all_keys[0], all_values[0], mask, self.scaling, shape)
        return seen.view(self.query_heads, len(x), -1).transpose(0, 1).reshape(len(x), -1)

    def _heads(self, x: Tensor) -> Tensor:
        """[heads, tokens, size]"""
        parts = [kernel.rows(x).float() for kernel in self.heads]
        rows = parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
        return rows.view(len(x), -1, self.head_size).transpose(0, 1)

    def _turned(self, heads: Tensor, rotation: Rotation) -> Tensor:
        """Rotary positions (arXiv 2104.09864), a head's second half turned with the first."""
        cosine, sine = self.angles(rotation)
        return torch.addcmul(heads * cosine, heads.roll(self.head_size // 2, dims=-1), sine)
