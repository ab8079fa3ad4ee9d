"""Figures as tables to read."""

from collections.abc import Iterable, Mapping
from typing import Any

from livemind_app.benchmark.engine.speed import CONTEXTS, ROWS
from livemind_app.benchmark.tables import Row, number, table

HEAD = ("weights", "decode /s", "speedup", "prefill /s", "speedup", "TTFT", "ppl", "KL", "agree")
HELD = ("weights", "weights GB", "resident GB", "peak GB", "load s")


def report(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown; a figure that was not measured is a dash."""
    parts = [
        table(HEAD, (_main(name, figures) for name, figures in rows.items())),
        _curve("ms by tokens a step", ROWS, "step_ms_by_tokens", rows),
        _curve("ms by context", CONTEXTS, "step_ms_by_context", rows),
        table(HELD, (_held(name, figures) for name, figures in rows.items() if "bytes" in figures)),
    ]
    if not any("ppl" in figures for figures in rows.values()):
        parts.append("Perplexity was not measured: it takes a text of some thousand tokens, --data FILE.")
    return "\n\n".join(parts)


def _main(name: str, figures: Mapping[str, Any]) -> Row:
    return (
        name,
        number(figures, "decode_tokens_per_s", ".1f"),
        number(figures, "decode_speedup", ".2f"),
        number(figures, "prefill_tokens_per_s", ".0f"),
        number(figures, "prefill_speedup", ".2f"),
        number(figures, "ttft_300", ".2f"),
        number(figures, "ppl", ".3f"),
        number(figures, "kl", ".4f"),
        number(figures, "agreement", ".3f"),
    )


def _held(name: str, figures: Mapping[str, Any]) -> Row:
    sizes = (number(figures, key, ".2f", 1e-9) for key in ("bytes", "memory", "peak_memory"))
    return (name, *sizes, number(figures, "load_s", ".1f"))


def _curve(title: str, columns: Iterable[int], key: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    names = [str(column) for column in columns]
    cells = (
        (name, *(number(each[key], at, ".1f") for at in names)) for name, each in rows.items() if key in each
    )
    return table((title, *names), cells)
