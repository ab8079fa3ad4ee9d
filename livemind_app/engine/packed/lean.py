"""A decoder layer in five calls: projection, attention, projection, and the gated network's two.

That is the layer of Llama (arXiv 2302.13971, section 2.2) and of most models since. At one token a step each
operation has a price that does not depend on its size; outside the projections they are most of a small
model's time. Norms, gates and sums are computed on the way into a projection or out of it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from livemind_app.engine.compiled.attention import attend, scratch_bytes
from livemind_app.engine.packed.groups import GroupLinear, Norm, scratch
from livemind_app.engine.packed.kv import GrowingCache

Rotation = tuple[Tensor, Tensor]  # cosines and sines of the tokens' angles, each [1, tokens, head size]


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
            turning = cosine.float().contiguous(), torch.cat((-first, second), dim=-1).float()
            self._rotation, self._turning = rotation, turning
        return self._turning


class Masks:
    """Masks as bytes [tokens, cached and these], 1 for what may be seen."""

    def __init__(self) -> None:
        self._mask: Tensor | None = None
        self._bytes: Tensor | None = None

    def __call__(self, mask: Tensor | None) -> Tensor | None:
        """Made in the first layer of a forward, kept for the others."""
        if self._mask is not mask:
            self._mask, self._bytes = mask, None if mask is None else self._made(mask[0, 0])
        return self._bytes

    def _made(self, mask: Tensor) -> Tensor:
        """Numbers are added to scores: those that are hidden get very negative ones."""
        return (mask if mask.dtype == torch.bool else mask >= 0).contiguous().view(torch.uint8)


@dataclass(frozen=True)
class Steps:
    """What a layer does with the rows of one sequence, [tokens, width] in fp32."""

    index: int  # of the layer in the cache
    query_heads: int
    kv_heads: int
    head_size: int
    scaling: float
    angles: Angles
    masks: Masks
    before: Norm
    heads: list[GroupLinear]  # together queries, keys and values, one above the other
    out: GroupLinear
    between: Norm
    gated: GroupLinear  # gates above what they let through
    down: GroupLinear

    def __call__(self, x: Tensor, rotation: Rotation, mask: Tensor | None, kv: GrowingCache) -> Tensor:
        """`mask` [1, 1, tokens, cached and these]; None for a single row."""
        x = self.out.rows(self._attend(x.contiguous(), rotation, mask, kv), onto=x)
        return self.down.rows(self.gated.rows(x, norm=self.between), gated=True, onto=x)

    def _attend(self, x: Tensor, rotation: Rotation, mask: Tensor | None, kv: GrowingCache) -> Tensor:
        heads, (cosine, sine), seen = self._heads(x), self.angles(rotation), self.masks(mask)
        keys, values, start = kv.layer(self.index).lengthened(cosine, self.kv_heads, len(x))
        out = x.new_empty(len(x), self.query_heads * self.head_size)
        spare = scratch.of(scratch_bytes(len(x), self.query_heads, self.head_size, start + len(x)))
        attend(self.head_size)(
            heads.data_ptr(), cosine.data_ptr(), sine.data_ptr(), keys.data_ptr(), values.data_ptr(),
            None if seen is None else seen.data_ptr(), out.data_ptr(), spare.data_ptr(), len(x),
            self.query_heads, self.kv_heads, keys.shape[-2], start, self.scaling, torch.get_num_threads(),
        )  # fmt: skip
        return out

    def _heads(self, x: Tensor) -> Tensor:
        """[tokens, all heads]"""
        parts = [kernel.rows(x, norm=self.before) for kernel in self.heads]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
