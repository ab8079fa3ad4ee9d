"""Probabilities of drafts corrected by how often such drafts were right."""

from dataclasses import dataclass, field
from math import log2

BINS = 8  # of estimates, by powers of two: 1 to 1/2, 1/2 to 1/4, …
ORDERS = 16  # tokens of context that are told apart
PRIOR = 6.0  # trials that an estimate is worth
MEMORY = 400.0  # trials after which old ones begin to fade

Kind = tuple[str, int, int]  # source, order, bin of the estimate


def kind(source: str, order: int, estimate: float) -> Kind:
    """Drafts that are corrected together."""
    return source, min(order, ORDERS), min(int(-log2(max(estimate, 1e-9))), BINS - 1)


@dataclass
class Calibration:
    """Trials and hits of each kind. Numbers only, never text: all sessions of a model share one."""

    _seen: dict[Kind, list[float]] = field(default_factory=dict)  # [trials, hits]

    def __call__(self, kind: Kind, estimate: float) -> float:
        """The estimate, moved to the observed share of hits as trials grow."""
        trials, hits = self._seen.get(kind, (0.0, 0.0))
        return (hits + PRIOR * estimate) / (trials + PRIOR)

    def learn(self, kind: Kind, hit: bool) -> None:
        """A draft of this kind was looked at: the model said this token, or another."""
        seen = self._seen.setdefault(kind, [0.0, 0.0])
        if seen[0] >= MEMORY:
            seen[0] /= 2
            seen[1] /= 2
        seen[0] += 1
        seen[1] += hit
