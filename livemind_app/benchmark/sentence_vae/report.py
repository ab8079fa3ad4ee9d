"""Figures as tables to read."""

from collections.abc import Mapping
from typing import Any

from livemind_app.benchmark.sentence_vae.summary import ARMS
from livemind_app.benchmark.tables import number, table


def report(summary: Mapping[str, Any]) -> str:
    """Markdown: what comes back, perplexity, speed and memory."""
    return "\n\n".join([_codec(summary["codec"]), _arms(summary), _controls(summary["lm"])])


def _codec(codec: Mapping[str, Any]) -> str:
    rows = [*codec["by_length"].items(), ("all", codec)]
    head = ("tokens of a sentence", "right", "exact", "n")
    keys = ("token_accuracy", ".1%"), ("exact_match", ".1%"), ("sentences", "d")
    return table(head, ((name, *(number(each, key, form) for key, form in keys)) for name, each in rows))


def _arms(summary: Mapping[str, Any]) -> str:
    head = (
        "arm",
        "perplexity",
        "read, s",
        "tokens/s",
        "speedup",
        "positions / 1k tokens",
        "KV MiB / 1k tokens",
    )
    return table(head, (_arm(summary, arm) for arm in ARMS if f"ppl_{arm}" in summary["lm"]))


def _arm(summary: Mapping[str, Any], arm: str) -> tuple[str, ...]:
    speed, memory = summary["speed"], summary["memory"]
    return (
        arm,
        number(summary["lm"], f"ppl_{arm}", ".2f"),
        number(speed.get(arm, {}), "read_s_p50", ".2f"),
        number(speed.get(arm, {}), "tokens_per_s", ".1f"),
        number(speed, f"speedup_{arm}", ".2f"),
        number(memory["positions_per_1k_tokens"], arm, ".0f"),
        number(memory["kv_bytes_per_1k_tokens"], arm, ".1f", 1 / 2**20),
    )


def _controls(lm: Mapping[str, Any]) -> str:
    rows = list(lm["controls"].items())
    if "ppl_base_truncated" in lm:
        rows.insert(0, ("base, cut to the hybrid's positions", lm["ppl_base_truncated"]))
    return table(("control", "perplexity"), ((name, f"{value:.2f}") for name, value in rows))
