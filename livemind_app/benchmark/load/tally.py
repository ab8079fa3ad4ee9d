"""What the users saw, counted."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

FIELDS = (
    *("drafts", "answers", "failed_answers", "lost_drafts", "responses_5xx", "responses_refused"),
    *("retry_after_missing", "rejected_requests", "refused_connections", "disconnects"),
    *("renewed_sessions", "drafts_lost_at_renewal"),
)


@dataclass
class Tally:
    counts: Counter[str] = field(default_factory=Counter)
    acks: list[float] = field(default_factory=list)  # seconds from a draft to its acknowledgement

    def add(self, name: str, count: int = 1) -> None:
        assert name in FIELDS, name
        self.counts[name] += count

    def summary(self) -> dict[str, Any]:
        """Times in milliseconds; null where nothing was acknowledged."""
        return {
            "ack_p50_ms": _quantile_ms(self.acks, 0.50),
            "ack_p99_ms": _quantile_ms(self.acks, 0.99),
            **{name: self.counts[name] for name in FIELDS},
        }


def _quantile_ms(seconds: list[float], share: float) -> float | None:
    """The least time that at least this share of drafts stayed within.

    >>> _quantile_ms([0.004, 0.001, 0.002, 0.003], 0.5)
    2.0
    """
    if not seconds:
        return None
    place = max(-(-len(seconds) * share // 1) - 1, 0)
    return 1000 * sorted(seconds)[int(place)]
