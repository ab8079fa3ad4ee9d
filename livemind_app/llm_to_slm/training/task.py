"""What a step learns, and how well held-out answers are predicted."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from livemind_app.llm_to_slm.conditioner import Conditioner
from livemind_app.llm_to_slm.training.examples import Batch, Example, additions, collate, losses
from livemind_app.training.lora import LoRALinear, plain

WINDOW = 16  # batches among which examples are sorted by length


@dataclass(frozen=True)
class Recipe:
    """How it is trained. `alone`: steps of the projector before LoRA joins. `guided` False: the control."""

    batch: int = 8
    alone: int = 500
    projector_rate: float = 1e-3
    lora_rate: float = 2e-4
    dropout: float = 0.15  # of examples that go without states, so that the model bears their absence
    seed: int = 0
    guided: bool = True


class Training:
    """Implements training.loop.Task. `states[id]` are [tokens, LAYERS, width]."""

    def __init__(
        self,
        network: nn.Module,
        updates: Sequence[LoRALinear],
        conditioner: Conditioner,
        states: Any,
        examples: Sequence[Example],
        held_out: Sequence[Example],
        recipe: Recipe,
    ) -> None:
        self._network = network
        self._updates = updates
        self._conditioner = conditioner.requires_grad_(recipe.guided)
        self._states = states
        self._examples = examples
        self._held_out = held_out
        self._recipe = recipe
        self._epoch: tuple[int, list[list[int]]] = (-1, [])
        self.module = nn.ModuleList([network, conditioner])

    def groups(self) -> list[dict[str, Any]]:
        lora = [parameter for update in self._updates for parameter in (update.down, update.up)]
        groups = [{"params": lora, "lr": self._recipe.lora_rate}]
        if self._recipe.guided:
            rate = self._recipe.projector_rate
            groups.insert(0, {"params": list(self._conditioner.parameters()), "lr": rate})
        return groups

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, float]]:
        """Nats a token. At first the projector learns alone: LoRA would take what it should carry."""
        examples = [self._examples[index] for index in self._chosen(step)]
        chance = Random(f"{self._recipe.seed}:drop:{step}")  # noqa: S311 - no secret
        kept = [self._recipe.guided and chance.random() >= self._recipe.dropout for _ in examples]
        alone = self._recipe.guided and step < self._recipe.alone
        if alone and not any(kept):  # without any states nothing would be learned
            kept[0] = True
        batch = self._batch(examples, examples, kept)
        with plain(self._updates) if alone else nullcontext():
            nats = self._losses(batch)
        tokens = int(batch.answers.sum())
        return nats.sum() / tokens, {"tokens": tokens}

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Nats a token of held-out answers: with their states, without any, and with another prompt's."""
        arms: dict[str, tuple[bool, int]] = {"nll": (self._recipe.guided, 0)}
        if self._recipe.guided:
            arms |= {"nll_without": (False, 0), "nll_shuffled": (True, 1)}
        return {name: self._nll(kept, shift) for name, (kept, shift) in arms.items()}

    def _nll(self, kept: bool, shift: int) -> float:
        """`shift`: the states are those of so many examples further on."""
        held, nats, tokens = self._held_out, 0.0, 0
        others = [*held[shift:], *held[:shift]]
        size = self._recipe.batch
        for at in range(0, len(held), size):
            batch = self._batch(
                held[at : at + size], others[at : at + size], [kept] * len(held[at : at + size])
            )
            nats += float(self._losses(batch).sum())
            tokens += int(batch.answers.sum())
        return nats / tokens

    def _batch(self, examples: Sequence[Example], sources: Sequence[Example], kept: Sequence[bool]) -> Batch:
        states = [self._states[source.id] for source in sources]
        fitting = [_within(example, len(each)) for example, each in zip(examples, states, strict=True)]
        device = next(self._network.parameters()).device
        return collate(fitting, states, kept).to(device)

    def _losses(self, batch: Batch) -> Tensor:
        added = additions(self._conditioner, batch) if bool(batch.kept.any()) else None
        return losses(self._network, batch, added)

    def _chosen(self, step: int) -> list[int]:
        """Indices of a step's examples; every epoch has an order of its own."""
        steps = max(1, len(self._examples) // self._recipe.batch)
        epoch, at = divmod(step, steps)
        if self._epoch[0] != epoch:
            self._epoch = epoch, list(self._order(epoch))
        return self._epoch[1][at]

    def _order(self, epoch: int) -> Iterator[list[int]]:
        size = self._recipe.batch
        random = Random(f"{self._recipe.seed}:{epoch}")  # noqa: S311 - no secret
        order = random.sample(range(len(self._examples)), len(self._examples))
        batches = []
        for start in range(0, len(order), WINDOW * size):
            window = sorted(order[start : start + WINDOW * size], key=lambda i: self._examples[i].tokens)
            batches += [window[at : at + size] for at in range(0, len(window), size)]
        random.shuffle(batches)
        yield from batches


def _within(example: Example, count: int) -> Example:
    """Its places where another prompt's states have fewer tokens: the last one stands for those beyond."""
    if max(example.places) < count:
        return example
    places = tuple(min(place, count - 1) for place in example.places)
    return Example(example.id, example.prompt, places, example.answer)
