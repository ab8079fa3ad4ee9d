"""From logits to the next token."""

from collections.abc import Collection, Sequence
from math import inf, log

import torch
from torch import Tensor

from livemind_app.protocol import Sampling

APART = 0x9E3779B97F4A7C15  # times a seed: neighbouring seeds lie far apart
SEEDS = 1 << 63


class Sampler:
    """Draws one token at a time; a seed makes the whole sequence repeatable, and its parts.

    `text` is what was there before: a repetition penalty holds it against tokens, and with a seed, chance
    depends on how long the text is, so that a generation can be left and taken up again.
    """

    def __init__(self, sampling: Sampling, text: Sequence[int] = ()) -> None:
        self._sampling = sampling
        self._seen = set(text) if sampling.repetition_penalty != 1 else None
        self._length = len(text)
        self._generator = torch.Generator()
        self._generator.seed()

    def __call__(self, logits: Tensor) -> int:
        """`logits` is [vocab], of any float type."""
        token = self._draw(self.penalized(logits))
        self.take(token)
        return token

    def take(self, token: int) -> None:
        """The text goes on with this token, whoever chose it."""
        self._length += 1
        if self._seen is not None:
            self._seen.add(token)

    def stands_behind(self, logits: Tensor, tokens: Collection[int], share: float) -> bool:
        """Whether one of these has at least `share` times the probability of the likeliest token."""
        values = self.penalized(logits).float()
        best = float(values[list(tokens)].max())
        return best >= float(values.max()) + (log(share) if share > 0 else -inf)

    def sure(self, logits: Tensor, margin: float) -> bool:
        """Whether a greedy choice is ahead of the next best token by at least `margin`."""
        if not margin or self._sampling.temperature > 0:
            return True
        best, second = self.penalized(logits).topk(2).values.float().tolist()
        return bool(best - second >= margin)

    def _draw(self, logits: Tensor) -> int:
        if self._sampling.temperature == 0:
            return int(logits.argmax())
        probabilities = distribution(logits, self._sampling)
        if self._sampling.seed is not None:
            self._generator.manual_seed((self._sampling.seed * APART + self._length) % SEEDS)
        return int(torch.multinomial(probabilities, 1, generator=self._generator))

    def penalized(self, logits: Tensor) -> Tensor:
        """After the repetition penalty, if there is one."""
        return penalized(logits, self._seen, self._sampling.repetition_penalty) if self._seen else logits


def penalized(logits: Tensor, seen: Collection[int], penalty: float) -> Tensor:
    """Logits of tokens seen before, divided by the penalty; multiplied where negative (arXiv 1909.05858)."""
    index = torch.tensor(sorted(seen), device=logits.device)
    scores = logits[index].float()
    scores = torch.where(scores < 0, scores * penalty, scores / penalty)
    return logits.float().index_put((index,), scores)


def distribution(logits: Tensor, sampling: Sampling) -> Tensor:
    """The probabilities that sampling draws from: temperature, then top-k, then top-p; [vocab] float32."""
    scaled = logits.float().cpu() / sampling.temperature
    if 0 < sampling.top_k < scaled.numel():
        least = scaled.topk(sampling.top_k).values[-1]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    probabilities = scaled.softmax(dim=-1)
    return _nucleus(probabilities, sampling.top_p) if sampling.top_p < 1 else probabilities


def _nucleus(probabilities: Tensor, top_p: float) -> Tensor:
    """Keep the most likely tokens that together reach `top_p`, the one that crosses it included."""
    ordered, indices = probabilities.sort(descending=True)
    before = ordered.cumsum(dim=-1) - ordered
    drop = before >= top_p
    drop[0] = False
    kept = probabilities.clone()
    kept[indices[drop]] = 0.0
    return kept / kept.sum()
