"""Rows → figures. Likelihoods are per token of the small model, for all arms: tokenizers differ."""

from collections.abc import Sequence
from typing import Any

from livemind_app.benchmark.typing.statistics import Estimate, mean, quantile

Figures = dict[str, Any]
CONTROLS = ("slm_lora", "ours_shuffled", "ours_constant", "ours_none")


def summarize(rows: Sequence[Figures]) -> Figures:
    """All prompts together, and each file alone under `datasets`."""
    names = list(dict.fromkeys(row["source"] for row in rows))
    return _figures(rows) | {
        "datasets": {name: _figures([row for row in rows if row["source"] == name]) for name in names}
    }


def _figures(rows: Sequence[Figures]) -> Figures:
    names = list(rows[0]["arms"]) if rows else []
    arms = {name: _arm(rows, name) for name in sorted(names)}
    return {
        "arms": arms,
        "gap_closed": _share(arms, "nll"),
        "gap_closed_reference": _share(arms, "reference_nll"),
        "speedup": _ratio(arms, "tokens_per_s"),
        "better_than": {name: _better(rows, name) for name in CONTROLS if name in arms and "ours" in arms},
    }


def _arm(rows: Sequence[Figures], name: str) -> Figures:
    own = [row["arms"][name] for row in rows]
    scores = [row["score"] for row in own if row["score"] is not None]
    ttfts = [row["ttft"] for row in own if row["ttft"] is not None]
    timed = [row for row in own if row["tokens"] > 1 and row["seconds"] > 0]
    seconds = sum(row["seconds"] for row in timed)
    return {
        "nll": _nll(rows, name, "nats", "tokens"),
        "reference_nll": _nll(rows, name, "reference_nats", "reference_tokens"),
        "score": sum(scores) / len(scores) if scores else None,
        "score_interval": mean(scores).interval if scores else None,
        "ttft_p50": quantile(ttfts, 0.5).value if ttfts else None,
        "tokens_per_s": sum(row["tokens"] - 1 for row in timed) / seconds if timed else None,
        "characters_per_s": sum(row["characters"] for row in timed) / seconds if timed else None,
        "n": len(own),
    }


def _nll(rows: Sequence[Figures], name: str, nats: str, tokens: str) -> float | None:
    known = [row for row in rows if row["arms"][name][nats] is not None and row[tokens]]
    if not known:
        return None
    total: float = sum(row["arms"][name][nats] for row in known) / sum(row[tokens] for row in known)
    return total


def _share(arms: Figures, key: str) -> float | None:
    """Of the way from the small model with LoRA alone to the large one; None where an end is missing."""
    ends = [arms.get(name, {}).get(key) for name in ("slm_lora", "ours", "llm")]
    if any(end is None for end in ends) or ends[0] == ends[2]:
        return None
    return float((ends[0] - ends[1]) / (ends[0] - ends[2]))


def _ratio(arms: Figures, key: str) -> float | None:
    ours, llm = (arms.get(name, {}).get(key) for name in ("ours", "llm"))
    return ours / llm if ours and llm else None


def _better(rows: Sequence[Figures], name: str) -> Figures | None:
    """Nats a token that a control needs more than ours on the same prompt, with their interval."""
    known = [row for row in rows if row["arms"]["ours"]["nats"] is not None and row["tokens"]]
    if not known:
        return None
    more = [(row["arms"][name]["nats"] - row["arms"]["ours"]["nats"]) / row["tokens"] for row in known]
    estimate: Estimate = mean(more)
    return {"nll": estimate.value, "interval": estimate.interval, "n": len(more)}
