"""The hybrid context: latents for old sentences, tokens for the last ones, and the base says token by token.

The same encoder, a projection and low-rank updates of the base: as in ICAE (arXiv 2307.06945), but sentence
by sentence, so that an edit costs what it changes.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from livemind_app.sentence_vae.codec import Codec, Ids, Latents
from livemind_app.sentence_vae.updated import Updated


@dataclass(frozen=True)
class HybridConfig:
    rank: int = 16
    raw: int = 2  # sentences at the end that stay tokens

    def json(self) -> dict[str, Any]:
        return asdict(self)


class HybridContext(Updated):
    def __init__(self, base: Any, codec: Codec, config: HybridConfig) -> None:
        super().__init__(base, codec, config.rank)
        size = base.config.hidden_size
        self.config = config
        self.inward = nn.Linear(size, size)
        nn.init.normal_(self.inward.weight, std=0.1 * size**-0.5)

    def rows(self, latents: Latents, ids: Ids) -> Tensor:
        """What the backbone reads, [1, latents + ids, d]: old sentences, then tokens."""
        tokens = torch.tensor([list(ids)], dtype=torch.long, device=self.inward.weight.device)
        old = self.inward(latents.values[latents.mask])[None]
        return torch.cat([old, self.codec.embed(tokens)], dim=1)

    def nats(self, latents: Latents, ids: Ids, scored: int) -> Tensor:
        """Of the last `scored` ids, [scored], each given all before it; to be called inside `updated`."""
        states = self.base.model(inputs_embeds=self.rows(latents, ids), use_cache=False).last_hidden_state
        logits = self.base.lm_head(states[0, -scored - 1 : -1]).float()
        targets = torch.tensor(list(ids[-scored:]), device=logits.device)
        return functional.cross_entropy(logits, targets, reduction="none")

    def encoded(self, sentences: Sequence[Ids]) -> Latents:
        """Latents of old sentences; of none there are none."""
        if sentences:
            with torch.no_grad():
                return self.codec.encode(sentences)
        size = self.inward.in_features
        device = self.inward.weight.device
        return Latents(
            torch.zeros(0, 1, size, device=device), torch.zeros(0, dtype=torch.long, device=device)
        )
