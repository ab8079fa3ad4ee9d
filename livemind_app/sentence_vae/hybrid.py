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

from livemind_app.sentence_vae.codec import Codec
from livemind_app.sentence_vae.decoder import Ids
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

    def rows(self, pieces: Sequence[tuple[Ids, bool]]) -> Tensor:
        """What the backbone reads, [1, rows, d]: of an old piece its latents, of another one its tokens."""
        latents = self.latents([ids for ids, old in pieces if old])
        read = iter(latents)
        return torch.cat([next(read) if old else self._embedded(ids) for ids, old in pieces])[None]

    def latents(self, sentences: Sequence[Ids]) -> list[Tensor]:
        """Of each sentence [slots, d], as the backbone reads them."""
        if not sentences:
            return []
        with torch.no_grad():
            encoded = self.codec.encode(sentences)
        rows = self.inward(encoded.values)
        return [own[:count] for own, count in zip(rows, encoded.counts.tolist(), strict=True)]

    def logits(self, pieces: Sequence[tuple[Ids, bool]], scored: int) -> Tensor:
        """Of the last `scored` tokens, [scored, vocabulary], each given all before it; inside `updated`."""
        states = self.base.model(inputs_embeds=self.rows(pieces), use_cache=False).last_hidden_state
        logits: Tensor = self.base.lm_head(states[0, -scored - 1 : -1]).float()
        return logits

    def nats(self, pieces: Sequence[tuple[Ids, bool]], scored: int) -> Tensor:
        """Of the last `scored` tokens, [scored]; the last piece has them, or more. Inside `updated`."""
        logits = self.logits(pieces, scored)
        targets = torch.tensor(list(pieces[-1][0][-scored:]), device=logits.device)
        return functional.cross_entropy(logits, targets, reduction="none")

    def pieces(self, sentences: Sequence[Ids], raw: int | None = None) -> list[tuple[Ids, bool]]:
        """A text with its last `raw` sentences (of the configuration if None) as tokens, in one piece."""
        old = max(0, len(sentences) - (self.config.raw if raw is None else raw))
        tokens = [token for sentence in sentences[old:] for token in sentence]
        return [*((sentence, True) for sentence in sentences[:old]), (tokens, False)]

    def _embedded(self, ids: Ids) -> Tensor:
        return self.codec.embed(torch.tensor(list(ids), dtype=torch.long, device=self.inward.weight.device))
