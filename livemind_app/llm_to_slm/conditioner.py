"""States of the large model → what is added to the embeddings of the small one's prompt.

Two additions, both zero until they are trained, so that an untrained conditioner leaves the small model
exactly as it is:

- the projector, at every token: a learned mix of three layers' states of the aligned token. Nothing behind a
  token changes its addition, so prompts are read ahead while they are typed.
- the resampler, at the last `summary` tokens before the answer: that many queries look at all states. It is a
  prefix of the answer that takes no places of its own: nothing is inserted that an untrained one would have
  to hide, and of what was read ahead only these tokens are read again.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

LAYERS = 3  # at half, three quarters and the end
HEADS = 8


@dataclass(frozen=True)
class Shape:
    """Sizes, as a checkpoint's JSON has them."""

    reader: int  # width of the large model's states
    writer: int  # of the small one's embeddings
    hidden: int  # of the projector
    resampler: int  # width of its block
    summary: int  # tokens before the answer that the resampler adds to

    @classmethod
    def for_models(cls, reader: Any, writer: Any, summary: int = 12) -> "Shape":
        """From their configurations."""
        wide, narrow = reader.get_text_config().hidden_size, writer.get_text_config().hidden_size
        block = max(HEADS, min(512, narrow) // HEADS * HEADS)
        return cls(reader=wide, writer=narrow, hidden=wide, resampler=block, summary=summary)

    def to_dict(self) -> dict[str, int]:
        return asdict(self)


class Conditioner(nn.Module):
    """`mix`, then `project` token by token, and `summarize` once the prompt is complete."""

    def __init__(self, shape: Shape, size: float = 1.0) -> None:
        """`size`: the root mean square of the small model's embeddings, where the gate begins."""
        super().__init__()
        self.shape = shape
        self.layers = nn.Parameter(torch.zeros(LAYERS))
        self.norm = nn.RMSNorm(shape.reader, eps=1e-6)
        self.wide = nn.Linear(shape.reader, shape.hidden)
        self.out = _zero(nn.Linear(shape.hidden, shape.writer))
        self.gate = nn.Parameter(torch.tensor(size))
        self.resampler = Resampler(shape)

    def mix(self, states: Tensor) -> Tensor:
        """Of three layers one: [tokens, LAYERS, reader] → [tokens, reader]. States are normalized."""
        weights = self.layers.softmax(dim=0)
        mixed = torch.einsum("...lw,l->...w", states.to(weights.dtype), weights)  # bf16 where steps are
        normal: Tensor = self.norm(mixed.to(weights.dtype))
        return normal

    def project(self, mixed: Tensor) -> Tensor:
        """[…, reader] → [..., writer]."""
        added: Tensor = self.gate * self.out(self.wide(mixed).relu())
        return added

    def summarize(self, mixed: Tensor, missing: Tensor | None = None) -> Tensor:
        """[batch, tokens, reader] → [batch, summary, writer]; `missing` is True where there is no token."""
        added: Tensor = self.gate * self.resampler(mixed, missing)
        return added


class Resampler(nn.Module):
    """One block: learned queries attend to all states, then a small network."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.resampler
        self.queries = nn.Parameter(torch.randn(shape.summary, width) / width**0.5)
        self.attention = nn.MultiheadAttention(
            width, HEADS, kdim=shape.reader, vdim=shape.reader, batch_first=True
        )
        self.norm = nn.RMSNorm(width, eps=1e-6)
        self.network = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
        self.out = _zero(nn.Linear(width, shape.writer))

    def forward(self, mixed: Tensor, missing: Tensor | None = None) -> Tensor:
        """[batch, tokens, reader] → [batch, summary, writer]."""
        queries = self.queries.expand(len(mixed), -1, -1)
        seen = self.attention(queries, mixed, mixed, key_padding_mask=missing, need_weights=False)[0]
        x = queries + seen
        added: Tensor = self.out(x + self.network(self.norm(x)))
        return added


def normalized(states: Tensor) -> Tensor:
    """Each state at root mean square 1: layers differ in size by far, and so do some tokens."""
    wide = states.float()
    return wide * wide.square().mean(dim=-1, keepdim=True).add(1e-6).rsqrt()


def size_of(embedding: Tensor) -> float:
    """Root mean square of an embedding matrix; a sample of its rows will do."""
    return float(embedding.detach()[:: max(1, len(embedding) // 4096)].float().square().mean().sqrt())


def _zero(linear: nn.Linear) -> nn.Linear:
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
