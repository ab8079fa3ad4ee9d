"""Probabilities of drafts corrected by how often such drafts were right."""

from dataclasses import dataclass, field
from math import log2
from typing import NamedTuple

BINS = 8  # of estimates, by powers of two: 1 to 1/2, 1/2 to 1/4, …
ORDERS = 16  # tokens of context that are told apart
TRUST = {  # of estimates before any trial, by tokens of context; from GSM8K's training set and code edits
    "own": (0.4, 0.75, 0.85, 0.9, 0.95),
    "shared": (0.25, 0.5, 0.55, 0.6, 0.8),
    "recycled": (0.15, 0.15),
    "shared recycled": (0.15, 0.15),
}
PRIOR = 6.0  # trials that an estimate is worth
MEMORY = 400.0  # trials after which old ones begin to fade


class Kind(NamedTuple):
    """Drafts that are corrected together."""

    source: str
    order: int
    bin: int  # of the estimate
    second: bool = False  # a better guess stands beside it, so it is looked at where that one is wrong


def kind(source: str, order: int, estimate: float) -> Kind:
    return Kind(source, min(order, ORDERS), min(int(-log2(max(estimate, 1e-9))), BINS - 1))


@dataclass
class Calibration:
    """Trials and hits of each kind: of one cache, whose text is like itself, beginning from those of all.

    Numbers only, never text, so all sessions of a model may have one `general` calibration.
    """

    general: "Calibration | None" = None
    _seen: dict[Kind, list[float]] = field(default_factory=dict)  # [trials, hits]

    def __call__(self, kind: Kind, estimate: float) -> float:
        """The estimate as far as it is trusted, moved to the observed share of hits as trials grow."""
        expected = self.general(kind, estimate) if self.general else _trusted(kind, estimate)
        trials, hits = self._seen.get(kind, (0.0, 0.0))
        return (hits + PRIOR * expected) / (trials + PRIOR)

    def learn(self, kind: Kind, hit: bool) -> None:
        """A draft of this kind was looked at: the model said this token, or another."""
        if self.general:
            self.general.learn(kind, hit)
        seen = self._seen.setdefault(kind, [0.0, 0.0])
        if seen[0] >= MEMORY:
            seen[0] /= 2
            seen[1] /= 2
        seen[0] += 1
        seen[1] += hit


def _trusted(kind: Kind, estimate: float) -> float:
    trust = TRUST[kind.source]
    return estimate * trust[min(kind.order, len(trust)) - 1]
