"""Figures as tables to read."""

from collections.abc import Iterable, Mapping
from typing import Any

from livemind_app.benchmark.llm_to_slm.command import ARMS
from livemind_app.benchmark.tables import number, table

HEAD = ("arm", "nll", "nll, references", "score", "TTFT", "tokens/s", "characters/s", "n")


def report(summary: Mapping[str, Any]) -> str:
    """Markdown: each file, all together, and what ours is better than."""
    parts = [f"### {name}\n\n{_arms(figures)}" for name, figures in summary["datasets"].items()]
    if len(summary["datasets"]) > 1:
        parts.append(f"### all\n\n{_arms(summary)}")
    return "\n\n".join([*parts, _last(summary)])


def _arms(figures: Mapping[str, Any]) -> str:
    arms = figures["arms"]
    return table(HEAD, (_row(name, arms[name]) for name in ARMS if name in arms))


def _row(name: str, arm: Mapping[str, Any]) -> Iterable[str]:
    keys = ("nll", ".3f"), ("reference_nll", ".3f"), ("score", ".3f"), ("ttft_p50", ".2f")
    return name, *(
        number(arm, *key) for key in (*keys, ("tokens_per_s", ".1f"), ("characters_per_s", ".1f"), ("n", "d"))
    )


def _last(summary: Mapping[str, Any]) -> str:
    closed, again = (number(summary, key, ".1%") for key in ("gap_closed", "gap_closed_reference"))
    speedup = number(summary, "speedup", ".2f")
    lines = [f"gap closed {closed}, on references {again}; tokens/s {speedup} times the LLM's"]
    for name, better in summary["better_than"].items():
        if better:
            low, high = better["interval"]
            lines.append(
                f"{name} needs {better['nll']:.3f} nats a token more than ours ({low:.3f} to {high:.3f})"
            )
    return "\n".join(lines)
