"""Figures as tables to read."""

from collections.abc import Iterable, Mapping
from typing import Any

from livemind_app.benchmark.tables import number, table

HEAD = (
    "arm",
    "tokens/s",
    "speedup",
    "tokens/forward",
    "drafted/forward",
    "drafting",
    "worst",
    "identical",
    "n",
)


def report(summary: Mapping[str, Any]) -> str:
    """Markdown: each data set, all together, and what a forward of more rows costs."""
    parts = [f"### {name}\n\n{_arms(figures)}" for name, figures in summary["datasets"].items()]
    if len(summary["datasets"]) > 1:
        parts.append(f"### all\n\n{_arms(summary)}")
    return "\n\n".join([*parts, f"### C(k)\n\n{_costs(summary['cost'])}"])


def _arms(figures: Mapping[str, Any]) -> str:
    warm = figures.get("warm", {"arms": {}})["arms"]
    rows = [*figures["arms"].items(), *((f"{name}, warm", each) for name, each in warm.items())]
    return table(HEAD, (_row(name, each) for name, each in rows))


def _row(name: str, figures: Mapping[str, Any]) -> Iterable[str]:
    keys = ("tokens_per_s", ".1f"), ("speedup", ".2f"), ("tokens_per_forward", ".2f")
    more = ("drafted_per_forward", ".2f"), ("draft_share", ".1%"), ("worst_prompt_ratio", ".2f")
    last = ("identical", ".0%"), ("n", "d")
    return name, *(number(figures, key, form) for key, form in (*keys, *more, *last))


def _costs(cost: Mapping[str, Iterable[float]]) -> str:
    shown = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
    rows = ((str(context), *(f"{list(curve)[k]:.2f}" for k in shown)) for context, curve in cost.items())
    return table(("context", *map(str, shown)), rows)
