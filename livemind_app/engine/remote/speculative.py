"""Speculative decoding that a server does by itself, as far as its figures tell.

vLLM counts drafted and accepted tokens for Prometheus, from 0 at its start, and only where it drafts.
"""

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

PREFIX = "vllm:spec_decode_num_"
DRAFTED, ACCEPTED = f"{PREFIX}draft_tokens_total", f"{PREFIX}accepted_tokens_total"


@dataclass(frozen=True)
class Speculation:
    """Tokens of all requests since the server's start."""

    drafted: float
    accepted: float

    def __str__(self) -> str:
        text = "the server decodes speculatively by itself"
        return f"{text}: {self.accepted / self.drafted:.0%} of its drafts accepted" if self.drafted else text


def read_speculation(metrics: str) -> Speculation | None:
    """None where the server does not draft, or does not tell.

    >>> print(read_speculation("vllm:spec_decode_num_draft_tokens_total 8.0"))
    the server decodes speculatively by itself: 0% of its drafts accepted
    """
    lines = [line for line in metrics.splitlines() if line.startswith(PREFIX)]
    samples = [
        one for family in text_string_to_metric_families("\n".join(lines) + "\n") for one in family.samples
    ]
    if not any(one.name == DRAFTED for one in samples):
        return None
    sums = {name: sum(one.value for one in samples if one.name == name) for name in (DRAFTED, ACCEPTED)}
    return Speculation(sums[DRAFTED], sums[ACCEPTED])
