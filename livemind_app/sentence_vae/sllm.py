"""The sentence-level language model: one call of the backbone reads a sentence and gives the next.

SentenceVAE (arXiv 2408.00655, section 3.2) puts the codec around a language model and trains all of it. Here
the base is frozen, with low-rank updates; the next sentence comes out of query rows, as many as a sentence
may have latents, and a speaker says it with the sentence before in view.

The speaker is the base once more with its middle left out, and updates of its own: few layers, that know how
words follow each other. The codec's decoder does not, since latents of a real sentence tell it every word.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from livemind_app.sentence_vae.codec import Codec
from livemind_app.sentence_vae.decoder import Decoder, Latents
from livemind_app.sentence_vae.layers import Layers
from livemind_app.sentence_vae.layout import Layout, layout
from livemind_app.sentence_vae.updated import Updated
from livemind_app.training.lora import LoRALinear, add_lora

SMALL = 0.1  # about an embedding's root mean square


@dataclass(frozen=True)
class SllmConfig:
    rank: int = 16  # of the updates of the base
    first: int = 3  # layers of the base that the speaker has
    last: int = 3
    speaker_rank: int = 32  # of its updates

    def json(self) -> dict[str, Any]:
        return asdict(self)


class Speaker(Decoder):
    """Has updates in place of its own that are always on."""

    def __init__(self, base: Any, config: SllmConfig, slots: int) -> None:
        depth, size = base.config.num_hidden_layers, base.config.hidden_size
        numbers = sorted({*range(min(config.first, depth)), *range(max(depth - config.last, 0), depth)})
        super().__init__(base, Layers(base, numbers, gate=1.0), slots)
        self.updates = add_lora(self.decoder, config.speaker_rank)
        nn.init.normal_(self.inward.weight, std=SMALL * size**-0.5)
        nn.init.zeros_(self.inward.bias)


class SentenceModel(Updated):
    def __init__(self, base: Any, codec: Codec, config: SllmConfig) -> None:
        speaker = Speaker(base, config, codec.config.most_slots)  # of layers that have no updates yet
        super().__init__(base, codec, config.rank)
        size = base.config.hidden_size
        self.speaker = speaker
        self.config = config
        self.begin = nn.Parameter(torch.randn(size) * SMALL)
        self.queries = nn.Parameter(torch.randn(codec.config.most_slots, size) * SMALL)
        self.inward = nn.Linear(size, size)
        self.outward = nn.Linear(size, size)
        self.stop = nn.Linear(size, 1)
        nn.init.normal_(self.inward.weight, std=SMALL * size**-0.5)

    @property
    def all_updates(self) -> list[LoRALinear]:
        return [*super().all_updates, *self.speaker.updates]

    def forward(self, documents: Sequence[Latents]) -> list["Predicted"]:
        """What follows the beginning and every sentence of each document; to be called inside `updated`."""
        layouts = [layout(document.counts.tolist(), len(self.queries)) for document in documents]
        rows = max(len(one.blocks) for one in layouts)
        device = self.begin.device
        values = self.begin.new_zeros(len(documents), rows, len(self.begin))
        allowed = torch.eye(rows, dtype=torch.bool, device=device).repeat(len(documents), 1, 1)
        positions = torch.zeros(len(documents), rows, dtype=torch.long, device=device)
        for index, (document, one) in enumerate(zip(documents, layouts, strict=True)):
            count = len(one.blocks)
            values[index, :count] = self._values(document, one)
            allowed[index, :count, :count] = one.allowed.to(device)
            positions[index, :count] = one.positions.to(device)
        states = self.base.model(
            inputs_embeds=values, attention_mask=allowed[:, None], position_ids=positions, use_cache=False
        ).last_hidden_state
        return [
            self.predicted(state[: len(one.query)][one.query.to(device)])
            for state, one in zip(states, layouts, strict=True)
        ]

    def predicted(self, states: Tensor) -> "Predicted":
        """Of the states of query rows, [groups · queries, d]."""
        groups = states.view(-1, len(self.queries), states.shape[-1])
        counts = torch.full((len(groups),), groups.shape[1], device=groups.device)
        return Predicted(Latents(self.outward(groups), counts), self.stop(groups[:, 0]).squeeze(-1))

    def block(self, latents: Latents) -> Tensor:
        """One sentence's rows for the backbone, [slots, d], of a batch of one."""
        rows: Tensor = self.inward(latents.values[0, : int(latents.counts[0])])
        return rows

    def _values(self, document: Latents, one: Layout) -> Tensor:
        device = self.begin.device
        values = self.queries.repeat(len(document.counts) + 1, 1)
        rows = torch.empty(len(one.query), values.shape[1], device=device)
        rows[one.query.to(device)] = values
        rows[~one.query.to(device)] = torch.cat(
            [self.begin[None], self.inward(document.values[document.mask])]
        )
        return rows


@dataclass(frozen=True)
class Predicted:
    """latents.values [groups, queries, d]; stop [groups]: logit that the document ends there."""

    latents: Latents
    stop: Tensor
