"""Sentences said token by token: out of latents and the sentence before, with a frozen base's head."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from livemind_app.sentence_vae.layers import Layers, padded, within
from livemind_app.sentence_vae.sentences import MOST

Ids = Sequence[int]


@dataclass(frozen=True)
class Latents:
    """Of a batch of sentences: values [batch, slots, d], counts [batch]; slots behind a count are 0."""

    values: Tensor
    counts: Tensor

    @property
    def mask(self) -> Tensor:
        return within(self.counts, self.values.shape[1])

    def part(self, start: int, stop: int) -> "Latents":
        """Those of some of the sentences."""
        return Latents(self.values[start:stop], self.counts[start:stop])


class Decoder(nn.Module):
    """Causal layers over the previous sentence (optional), the latents, and the tokens so far.

    Shares the base's embedding, final norm and head, which are frozen and no part of its parameters.
    """

    def __init__(self, base: Any, layers: Layers, slots: int) -> None:
        """`slots`: latents of a sentence at most."""
        super().__init__()
        size = base.config.hidden_size
        self.end = int(_first(base.generation_config.eos_token_id))  # the token that ends a sentence
        self._base = [base]  # in a list: not ours to save
        self._slots = slots
        self.decoder = layers
        self.begin = nn.Parameter(torch.zeros(size))
        self.inward = nn.Linear(size, size)  # a latent as one of the layers' inputs

    @property
    def vocabulary(self) -> int:
        return int(self._base[0].lm_head.weight.shape[0])

    def prefix(self, latents: Latents, previous: Sequence[Ids] | None = None) -> "Prefix":
        """What the decoder reads before a sentence's tokens."""
        values, mask = self.inward(latents.values), latents.mask
        counts = torch.arange(values.shape[1], device=values.device)[None]
        positions = (MOST + counts).expand(mask.shape)
        if previous is not None and any(previous):
            ids, lengths = padded(previous, self.begin.device)
            values = torch.cat([self.embed(ids), values], dim=1)
            mask = torch.cat([within(lengths, ids.shape[1]), mask], dim=1)
            places = MOST - lengths[:, None] + torch.arange(ids.shape[1], device=ids.device)
            positions = torch.cat([places, positions], dim=1)
        return Prefix(values, mask, positions.clamp(min=0))

    def inputs(self, ids: Tensor, latents: Latents) -> Tensor:
        """ids [batch, n] → [batch, n + 1, d]: what the rows read that say the tokens and then the end."""
        begin = self.begin.expand(len(ids), 1, -1)
        tokens = torch.cat([begin, self.embed(ids)], dim=1)
        return tokens + self.unfolded(latents, 0, tokens.shape[1])

    def unfolded(self, latents: Latents, start: int, rows: int) -> Tensor:
        """What every row is told beside its token, [batch, rows, d]; nothing here."""
        return latents.values.new_zeros(len(latents.values), rows, latents.values.shape[2])

    def rows(self, inputs: Tensor, prefix: "Prefix") -> Tensor:
        """The decoder's states [batch, rows, d] of a whole sentence's inputs, before the head."""
        batch, count, _ = inputs.shape
        read = prefix.mask.shape[1]
        causal = torch.ones(read + count, read + count, dtype=torch.bool, device=inputs.device).tril()
        inside = torch.cat([prefix.mask, prefix.mask.new_ones(batch, count)], dim=1)
        # A row that is padding attends to itself: what sees nothing is NaN.
        own = torch.eye(read + count, dtype=torch.bool, device=inputs.device)
        allowed = (causal & inside[:, None, :]) | own
        positions = torch.cat([prefix.positions, self.positions(0, count).expand(batch, -1)], dim=1)
        states: Tensor = self.decoder(torch.cat([prefix.values, inputs], dim=1), allowed[:, None], positions)
        return states[:, read:]

    def positions(self, start: int, rows: int) -> Tensor:
        """Of a sentence's rows: behind the previous sentence and all slots, however many there are."""
        first = MOST + self._slots + start
        return torch.arange(first, first + rows, device=self.begin.device)[None]

    def logits(self, states: Tensor, tokens: Tensor | None = None) -> Tensor:
        """Over the vocabulary, or over these tokens of it only."""
        return self.head(self._base[0].model.norm(states), tokens)

    def head(self, states: Tensor, tokens: Tensor | None = None) -> Tensor:
        """The same of states after the final norm."""
        weight = self._base[0].lm_head.weight
        rows = weight if tokens is None else weight[tokens]
        return functional.linear(states.to(rows.dtype), rows).float()

    def embed(self, ids: Tensor) -> Tensor:
        """The base's own embeddings, in fp32."""
        embedded: Tensor = self._base[0].get_input_embeddings()(ids)
        return embedded.float()


@dataclass(frozen=True)
class Prefix:
    """values [batch, n, d], mask [batch, n], positions [batch, n]."""

    values: Tensor
    mask: Tensor
    positions: Tensor


def _first(ids: Any) -> Any:
    return ids[0] if isinstance(ids, list) else ids
