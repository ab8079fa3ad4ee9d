"""What the models on top of a trained codec learn from, and how the sentence model does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from livemind_app.errors import ConfigError
from livemind_app.sentence_vae.data import Sentences
from livemind_app.sentence_vae.decoder import Ids, Latents
from livemind_app.sentence_vae.perplexity import sllm_nats
from livemind_app.sentence_vae.sllm import Predicted, SentenceModel
from livemind_app.sentence_vae.spoken import Spoken, spoken

LEAST_WINDOW = 4  # sentences of a document worth a step
TOGETHER = 16  # sentences that are said at once
CONTRAST = 0.1  # weight of telling the true latents from others
TEMPERATURE = 0.07
STOP = 0.1  # weight of telling whether a text ends
EVALUATED = 12  # held-out windows


@dataclass(frozen=True)
class ModelTraining:
    """Settings that a run is resumed with."""

    steps: int
    window: int = 16  # sentences
    documents: int = 4  # a step
    rate: float = 1e-3  # of what is new; low-rank updates take it too
    shortlist: int = 4096  # frequent tokens in the softmax beside the step's own
    others: int = 4096  # and random ones
    seed: int = 0


@dataclass(frozen=True)
class Window:
    """Sentences that follow each other, and whether their text ends with them."""

    sentences: list[Ids]
    ended: bool


class Windows:
    """Runs of sentences of documents, drawn by the number of a step."""

    def __init__(self, data: Sentences, settings: ModelTraining) -> None:
        self._data = data
        self._settings = settings
        self._train, self._held_out = (
            [index for index in part if len(data.document(index)) >= LEAST_WINDOW] for part in data.parted()
        )
        if not self._train or not self._held_out:
            raise ConfigError(f"--data: too few documents have {LEAST_WINDOW} sentences; add longer texts")

    def drawn(self, step: int) -> list[Window]:
        rng = Random(f"{self._settings.seed}:{step}")  # noqa: S311 - a sample, no secret
        torch.manual_seed(rng.getrandbits(32))
        return [self._window(rng, rng.choice(self._train)) for _ in range(self._settings.documents)]

    def held_out(self) -> list[Window]:
        rng = Random(0)  # noqa: S311 - a sample, no secret
        long = [i for i in self._held_out if len(self._data.document(i)) >= self._settings.window]
        chosen = (long or self._held_out)[:: max(1, len(long or self._held_out) // EVALUATED)][:EVALUATED]
        return [self._window(rng, index) for index in chosen]

    def negatives(self, vocabulary: int) -> Tensor:
        """Tokens of a step's softmax beside its own; other ones each time."""
        return torch.cat([self._common, torch.randint(vocabulary, (self._settings.others,))])

    @cached_property
    def _common(self) -> Tensor:
        return self._data.common(self._settings.shortlist)

    def _window(self, rng: Random, document: int) -> Window:
        span = self._data.document(document)
        start = span.start + rng.randrange(max(1, len(span) - self._settings.window + 1))
        stop = min(span.stop, start + self._settings.window)
        ended = stop == span.stop and bool(self._data.ended[document])
        return Window([self._data[number] for number in range(start, stop)], ended)


class SllmTask:
    """Implements training.loop.Task for the sentence model."""

    def __init__(self, model: SentenceModel, windows: Windows, rate: float) -> None:
        self.module = model
        self._windows = windows
        self._rate = rate

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(learning(self.module)), "lr": self._rate}]

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, float]]:
        model, windows = self.module, self._windows.drawn(step)
        documents = [window.sentences for window in windows]
        with torch.no_grad():
            encoded = [model.codec.encode(document) for document in documents]
            known = [states for document in documents for states in self._base_states(document)]
        with model.updated():
            predicted = model(encoded)
        # What follows the window is not known, only whether something does.
        values = torch.cat([one.latents.values[:-1] for one in predicted])
        counts = torch.cat([one.latents.counts[:-1] for one in predicted])
        said = self._said(Latents(values, counts), documents, known)
        nats, words, apart = (
            torch.cat([getattr(one, name) for one in said]) for name in ("nats", "words", "apart")
        )
        contrast = _contrast(values, encoded)
        stop = _stopping(predicted, windows)
        return nats.mean() + apart.mean() + CONTRAST * contrast + STOP * stop, {
            "nats": float(words.detach().mean()),
            "apart": float(apart.detach().mean()),
            "contrast": float(contrast.detach()),
            "stop": float(stop.detach()),
            "tokens": float(len(words)),
        }

    def _said(
        self, latents: Latents, documents: Sequence[list[Ids]], known: Sequence[Tensor]
    ) -> list[Spoken]:
        """Each sentence of each document out of its latents; `known`: the base's states before its words."""
        sentences = [ids for document in documents for ids in document]
        previous = [before for document in documents for before in ((), *document[:-1])]
        common = self._windows.negatives(self.module.codec.vocabulary).to(latents.values.device)
        return [
            spoken(
                self.module.speaker,
                Latents(latents.values[rows], latents.counts[rows]),
                [sentences[row] for row in rows],
                [previous[row] for row in rows],
                common=common,
                base_states=torch.cat([known[row] for row in rows]),
            )
            for rows in _alike(sentences, previous)
        ]

    def _base_states(self, document: Sequence[Ids]) -> Sequence[Tensor]:
        """Of each sentence, [tokens, d]: what the base knows before each of its tokens, all text in view."""
        base, end = self.module.base, self.module.codec.end
        ids = [end, *(token for sentence in document for token in sentence)]
        states: Tensor = base.model(torch.tensor([ids], device=base.device), use_cache=False)[0]
        ends = list(accumulate(len(sentence) for sentence in document))
        return torch.tensor_split(states[0, :-1], ends[:-1])

    def evaluate(self) -> Mapping[str, Any]:
        with torch.inference_mode():
            rows = [sllm_nats(self.module, window.sentences) for window in self._windows.held_out()]
        return {"nats": float(torch.cat(rows).mean())}


def _alike(sentences: Sequence[Ids], previous: Sequence[Ids]) -> list[list[int]]:
    """Numbers of sentences that are about as long, so that there is little padding between them."""
    order = sorted(range(len(sentences)), key=lambda row: len(sentences[row]) + len(previous[row]))
    return [order[start : start + TOGETHER] for start in range(0, len(order), TOGETHER)]


def learning(module: nn.Module) -> list[nn.Parameter]:
    """Low-rank updates wrap layers of the base, which stay as they are."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def _stopping(predicted: list[Predicted], windows: list[Window]) -> Tensor:
    """Cross-entropy of every group's guess that its text ends here."""
    logits = torch.cat([one.stop for one in predicted]).float()
    labels = torch.zeros_like(logits)
    last = torch.tensor([len(one.stop) for one in predicted], device=logits.device).cumsum(0) - 1
    labels[last] = torch.tensor([float(window.ended) for window in windows], device=logits.device)
    return functional.binary_cross_entropy_with_logits(logits, labels)


def _contrast(values: Tensor, encoded: list[Latents]) -> Tensor:
    """InfoNCE of each predicted latent against all true ones of the step."""
    true = torch.cat([one.values[one.mask] for one in encoded])
    counts = torch.cat([one.counts for one in encoded])
    inside = torch.arange(values.shape[1], device=values.device) < counts[:, None]
    said = functional.normalize(values[inside], dim=-1)
    likeness = said @ functional.normalize(true, dim=-1).T / TEMPERATURE
    return functional.cross_entropy(likeness, torch.arange(len(true), device=true.device))
