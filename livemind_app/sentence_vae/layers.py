"""Copies of a base model's transformer layers, run with masks and positions of our own."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn


class Layers(nn.Module):
    """Some layers of a llama- or qwen2-like network, to be trained apart from it, in fp32.

    What they add to their input counts `gate` times at first: taken out of their network, they add noise
    that is many times as large as an embedding.
    """

    def __init__(self, base: Any, numbers: Sequence[int], gate: float) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.tensor(gate))
        copies = (_copied(base.model.layers[number], at) for at, number in enumerate(numbers))
        self.layers = nn.ModuleList(copies)
        self._rotary = [base.model.rotary_emb]  # in a list: it is the base's, and not to be saved

    def forward(self, x: Tensor, allowed: Tensor, positions: Tensor, cache: Any = None) -> Tensor:
        """x [batch, rows, d]; allowed [batch, 1, rows, columns] bool; positions [batch, rows]."""
        rotation = self._rotary[0](x, position_ids=positions)
        y = x
        for layer in self.layers:
            y = layer(
                y,
                attention_mask=allowed,
                position_ids=positions,
                position_embeddings=rotation,
                past_key_values=cache,
                use_cache=cache is not None,
            )
        return x + self.gate * (y - x)


def _copied(layer: Any, index: int) -> Any:
    copied = deepcopy(layer).float()
    copied.self_attn.layer_idx = index  # of its own cache
    return copied.requires_grad_(True)


def within(lengths: Tensor, size: int) -> Tensor:
    """Which of `size` places are inside: lengths [batch] → [batch, size] bool."""
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def padded(rows: Sequence[Sequence[int]], device: Any = None) -> tuple[Tensor, Tensor]:
    """Ids [batch, longest], 0 behind their ends, and lengths [batch]."""
    longest = max((len(row) for row in rows), default=0)
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], dtype=torch.long)
    lengths = torch.tensor([len(row) for row in rows])
    return ids.reshape(len(rows), longest).to(device), lengths.to(device)
