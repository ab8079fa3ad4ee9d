"""How the hybrid context learns: to expect on latents what the base itself expects on all tokens.

What is learned is the difference that compression makes, so the base keeps what it was tuned for. Every other
text is framed as a chat: its beginning is asked, the rest is the answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Any, Self

import torch
from torch import Tensor

from livemind_app.engine.chat import ChatTokenizer
from livemind_app.sentence_vae.decoder import Ids
from livemind_app.sentence_vae.hybrid import HybridContext
from livemind_app.sentence_vae.perplexity import hybrid_nats
from livemind_app.sentence_vae.train_models import Windows, learning

MOST_RAW = 3  # up to one in so many sentences before the answer stays tokens, in training

Piece = tuple[Ids, bool]


@dataclass(frozen=True)
class Frame:
    """Tokens of a chat before the question, and between it and the answer."""

    before: Ids
    between: Ids

    @classmethod
    def of(cls, tokenizer: ChatTokenizer) -> Self:
        """By the model's own template."""
        mark = "\ue000"
        ids, marked = tokenizer.render([{"role": "user", "content": mark}]), tokenizer.encode(mark)
        at = next(at for at in range(len(ids)) if ids[at : at + len(marked)] == marked)
        return cls(ids[:at], ids[at + len(marked) :])


class HybridTask:
    """Implements training.loop.Task for the hybrid context."""

    def __init__(self, context: HybridContext, windows: Windows, rate: float, frame: Frame | None) -> None:
        """`frame`: None trains on plain texts only."""
        self.module = context
        self._windows = windows
        self._rate = rate
        self._frame = frame

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(learning(self.module)), "lr": self._rate}]

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, float]]:
        rng = Random(step)  # noqa: S311 - a sample, no secret
        rows = [
            self._divergence(*self._pieces(window.sentences, rng), everywhere=True)
            for window in self._windows.drawn(step)
        ]
        return torch.cat(rows).mean(), {"tokens": float(sum(map(len, rows)))}

    def evaluate(self) -> Mapping[str, Any]:
        rng, windows = Random(0), self._windows.held_out()  # noqa: S311 - a sample, no secret
        with torch.inference_mode():
            nats = [hybrid_nats(self.module, window.sentences) for window in windows]
            divergence = [self._divergence(*self._pieces(window.sentences, rng)) for window in windows]
        return {"nats": float(torch.cat(nats).mean()), "divergence": float(torch.cat(divergence).mean())}

    def _divergence(self, pieces: Sequence[Piece], scored: int, *, everywhere: bool = False) -> Tensor:
        """Kullback-Leibler, [tokens], of what the base expects from what is expected on latents.

        `everywhere`: not of the last `scored` tokens only, but inside of old sentences too.
        """
        base, ids = self.module.base, [token for piece, _ in pieces for token in piece]
        with torch.no_grad():
            known = base.model(torch.tensor([ids], device=base.device), use_cache=False)[0][0]
        rows, texts = self._compared(pieces, scored, everywhere)
        with self.module.updated():
            states = base.model(**self.module.rows(pieces).arguments, use_cache=False)[0][0]
        expected = base.lm_head(known[texts]).float().log_softmax(dim=-1)
        said = base.lm_head(states[rows]).float().log_softmax(dim=-1)
        divergence: Tensor = (expected.exp() * (expected - said)).sum(dim=-1)
        return divergence

    def _compared(
        self, pieces: Sequence[Piece], scored: int, everywhere: bool
    ) -> tuple[list[int], list[int]]:
        """Rows of the compressed text and of the whole one after which the same token is expected."""
        slots = self.module.codec.config.slots
        rows: list[int] = []
        texts: list[int] = []
        row = text = 0
        for number, (ids, old) in enumerate(pieces):
            count = len(ids)
            first = count - scored - 1 if number == len(pieces) - 1 else 0 if old and everywhere else count
            rows += range(row + first, row + count - 1)
            texts += range(text + first, text + count - 1)
            row += count + (slots(count) if old else 0)
            text += count
        return rows, texts

    def _pieces(self, sentences: Sequence[Ids], rng: Random) -> tuple[list[Piece], int]:
        """A window with its first sentences old, and how many of its last tokens are learned from.

        Half of them as texts are served, half with a shorter end, so that latents have more to say.
        """
        answer = rng.randrange(2, len(sentences))
        served = self.module.config.old([len(sentence) for sentence in sentences[:answer]])
        shorter = answer - rng.randint(0, 1 + answer // MOST_RAW)
        old = max(1, served if rng.random() < 0.5 else shorter)
        raw, last = (list(chain(*part)) for part in (sentences[old:answer], sentences[answer:]))
        read: list[Piece] = [(sentence, True) for sentence in sentences[:old]]
        if self._frame is None or rng.random() < 0.5:
            ids = [*raw, *last]
            return [([self.module.codec.end], False), *read, (ids, False)], len(ids) - 1
        ids = [*raw, *self._frame.between, *last]
        return [(self._frame.before, False), *read, (ids, False)], len(last)
