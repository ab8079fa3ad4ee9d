"""Rows → figures."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from livemind_app.benchmark.lookahead.arms import GREEDY
from livemind_app.benchmark.lookahead.rows import Row

Figures = dict[str, Any]


def summarize(rows: Sequence[Row]) -> Figures:
    """All prompts together and each data set alone; cold, and under `warm` after other answers."""
    names = list(dict.fromkeys(row.dataset for row in rows))
    return _both(rows) | {
        "datasets": {name: _both([row for row in rows if row.dataset == name]) for name in names},
        "divergences": [_divergence(row) for row in rows if row.diverged is not None],
    }


def _both(rows: Sequence[Row]) -> Figures:
    """Greedy decoding is the baseline of both."""
    greedy = {row.prompt: row for row in rows if row.arm == GREEDY}
    cold = _arms([row for row in rows if not row.warm], greedy)
    warm = _arms([row for row in rows if row.warm], greedy)
    return {"arms": cold} | ({"warm": {"arms": warm}} if warm else {})


def _arms(rows: Iterable[Row], greedy: Mapping[str, Row]) -> dict[str, Figures]:
    by_arm: dict[str, list[Row]] = {}
    for row in rows:
        by_arm.setdefault(row.arm, []).append(row)
    order = [GREEDY, "hf", "prompt_lookup", "original", "chain", "tree"]
    return {arm: _arm(by_arm[arm], greedy) for arm in order if arm in by_arm}


def _arm(rows: Sequence[Row], greedy: Mapping[str, Row]) -> Figures:
    """Rates are of sums: all tokens after the first of each answer by all of their time."""
    timed = [row for row in rows if row.rate and greedy[row.prompt].rate]
    if not timed:
        return {"n": len(rows)}
    seconds, tokens = sum(row.seconds for row in timed), sum(row.tokens - 1 for row in timed)
    base = [greedy[row.prompt] for row in timed]
    base_rate = sum(row.tokens - 1 for row in base) / sum(row.seconds for row in base)
    forwards = sum(row.forwards for row in timed)
    return {
        "tokens_per_s": tokens / seconds,
        "speedup": tokens / seconds / base_rate,
        "tokens_per_forward": tokens / forwards if forwards else None,
        "drafted_per_forward": sum(row.drafted for row in timed) / forwards if forwards else None,
        "draft_share": sum(row.draft_s for row in timed) / seconds,
        "worst_prompt_ratio": min(row.rate / greedy[row.prompt].rate for row in timed),
        "identical": sum(row.diverged is None for row in rows) / len(rows),
        "n": len(rows),
    }


def _divergence(row: Row) -> Figures:
    return {
        "prompt": row.prompt,
        "arm": row.arm,
        "warm": row.warm,
        "index": row.diverged,
        "margin": row.margin,
    }
