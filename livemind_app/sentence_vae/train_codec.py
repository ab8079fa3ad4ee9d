"""What the codec learns from: sentences of growing length, noise between its halves, its own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from livemind_app.sentence_vae.codec import Codec
from livemind_app.sentence_vae.data import Sentences
from livemind_app.sentence_vae.decoder import Ids, Latents
from livemind_app.sentence_vae.fidelity import fidelity
from livemind_app.sentence_vae.spoken import spoken

LENGTHS = (16, 32, 64)  # the curriculum: a batch has sentences of one of these classes
BEGINS = (0.0, 0.05, 0.15)  # share of the training at which a class comes in
RANDOM = 0.02  # of the sentences are strings of random tokens
FREE_NATS = 0.5  # of divergence a dimension that cost nothing


@dataclass(frozen=True)
class CodecTraining:
    """Settings that a run is resumed with."""

    steps: int
    batch_tokens: int = 1536
    rate: float = 6e-4
    copied_rate: float = 2e-4  # of the layers copied from the base
    shortlist: int = 4096  # frequent tokens of the softmax beside the batch's own; all in the last twentieth
    others: int = 4096  # and random ones: what is never a wrong answer is not learned to be one
    previous: float = 0.3  # share of the batches whose decoder sees the sentence before
    seed: int = 0


class CodecTask:
    """Implements training.loop.Task."""

    def __init__(self, codec: Codec, data: Sentences, settings: CodecTraining) -> None:
        self.module = codec
        self._data = data
        self._settings = settings
        self._train, self._held_out = (data.of(documents) for documents in data.parted())

    def groups(self) -> list[dict[str, Any]]:
        copied = [*self.module.encoder.parameters(), *self.module.decoder.parameters()]
        known = set(map(id, copied))
        own = [parameter for parameter in self.module.parameters() if id(parameter) not in known]
        return [
            {"params": copied, "lr": self._settings.copied_rate},
            {"params": own, "lr": self._settings.rate},
        ]

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, float]]:
        rng = Random(f"{self._settings.seed}:{step}")  # noqa: S311 - a sample, no secret
        torch.manual_seed(rng.getrandbits(32))
        sentences, previous = self._batch(rng, step / self._settings.steps)
        late = step >= 0.95 * self._settings.steps
        loss, right = self._loss(sentences, previous, None if late else self._negatives())
        return loss, {"accuracy": right, "tokens": float(sum(map(len, sentences)))}

    def evaluate(self) -> Mapping[str, Any]:
        self.module.eval()
        try:
            return fidelity(self.module, self._data, self._held_out, each=48)
        finally:
            self.module.train()

    def _batch(self, rng: Random, share: float) -> tuple[list[Ids], list[Ids] | None]:
        classes = [n for n, begin in enumerate(BEGINS) if share >= begin and len(self._classes[n])]
        number = rng.choice(classes)
        count = max(1, self._settings.batch_tokens // LENGTHS[number])
        chosen = [int(self._classes[number][rng.randrange(len(self._classes[number]))]) for _ in range(count)]
        sentences: list[Ids] = [self._sentence(rng, index) for index in chosen]
        if rng.random() >= self._settings.previous:
            return sentences, None
        return sentences, [() if self._data.first[index] else self._data[index - 1] for index in chosen]

    def _sentence(self, rng: Random, index: int) -> Ids:
        ids = self._data[index]
        if rng.random() >= RANDOM:
            return ids
        vocabulary = self.module.vocabulary
        return [rng.randrange(vocabulary) for _ in ids]

    def _loss(
        self, sentences: list[Ids], previous: list[Ids] | None, common: Tensor | None
    ) -> tuple[Tensor, float]:
        config = self.module.config
        latents, divergence = self._disturbed(self.module.encode(sentences))
        said = spoken(self.module, latents, sentences, previous, common=common, holes=config.word_dropout)
        nats = said.nats
        if config.focal:
            nats = nats * (1 - torch.exp(-nats)) ** config.focal
        return nats.mean() + config.kl * divergence, float(said.right.float().mean())

    def _disturbed(self, latents: Latents) -> tuple[Latents, Tensor]:
        config, values = self.module.config, latents.values
        divergence = values.new_zeros(())
        spread: Tensor | float = config.noise
        if config.kl:
            log = self.module.spread(values)
            nats = 0.5 * (values.square() + log.exp() - 1 - log)
            divergence = (nats - FREE_NATS).clamp(min=0)[latents.mask].mean()
            spread = (0.5 * log).exp()
        values = functional.dropout(values + spread * torch.randn_like(values), config.latent_dropout)
        return Latents(values * latents.mask[..., None], latents.counts), divergence

    @cached_property
    def _classes(self) -> list[NDArray[np.int64]]:
        """Numbers of the sentences to train on, by class of length."""
        lengths = self._data.lengths[self._train]
        below = (0, *LENGTHS)
        return [
            self._train[(lengths > low) & (lengths <= high)]
            for low, high in zip(below, LENGTHS, strict=False)
        ]

    def _negatives(self) -> Tensor:
        others = torch.randint(self.module.vocabulary, (self._settings.others,), device=self._common.device)
        return torch.cat([self._common, others])

    @cached_property
    def _common(self) -> Tensor:
        return self._data.common(self._settings.shortlist).to(self.module.begin.device)
