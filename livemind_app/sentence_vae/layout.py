"""Where the rows of a sentence model stand, and which of them see each other.

A document is read as blocks: the beginning (one row), then the latents of each sentence. Behind every block
stand query rows, whose outputs are the next sentence. Blocks see blocks up to their own; queries see the
blocks before them and each other. No block sees a query, so that a later sentence changes nothing before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """All tensors [rows]. `blocks`: number of the block, 0 the beginning; `query`: which rows are queries."""

    blocks: Tensor
    query: Tensor
    positions: Tensor

    @property
    def allowed(self) -> Tensor:
        """[rows, rows]: whether row i sees row j."""
        earlier = ~self.query[None] & (self.blocks[None] <= self.blocks[:, None])
        together = self.query[:, None] & self.query[None] & (self.blocks[None] == self.blocks[:, None])
        return earlier | together


def layout(counts: Sequence[int], queries: int) -> Layout:
    """Of a document whose sentences have so many latents; queries stand at the places of the next block."""
    blocks: list[int] = []
    query: list[bool] = []
    positions: list[int] = []
    start = 0
    for number, count in enumerate((1, *counts)):
        blocks += [number] * (count + queries)
        query += [False] * count + [True] * queries
        positions += range(start, start + count + queries)
        start += count
    return Layout(torch.tensor(blocks), torch.tensor(query), torch.tensor(positions))
