"""Figures as tables to read."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from livemind_app.benchmark.curves import curves
from livemind_app.benchmark.engine.speed import CONTEXTS, ROWS
from livemind_app.benchmark.tables import Row, number, table
from livemind_app.errors import ConfigError

HEAD = ("weights", "decode /s", "speedup", "prefill /s", "speedup", "TTFT", "ppl", "more, %", "KL", "agree")
LLAMA = ("against llama-server", "decode", "prefill", "TTFT")
HELD = ("weights", "weights GB", "resident GB", "peak GB", "load s")


PICTURES = (
    ("steps_by_tokens.svg", "A step by its tokens", "tokens a step", "step_ms_by_tokens"),
    ("steps_by_context.svg", "A step by the tokens before it", "tokens of context", "step_ms_by_context"),
)


def write_report(folder: Path, rows: Mapping[str, Mapping[str, Any]], model: str) -> None:
    """Tables as `report.md`, curves as pictures. Raises ConfigError if it cannot be written."""
    parts = [f"# {model}", report(rows)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, title, across, key in PICTURES:
            lines = {name: _numbers(figures[key]) for name, figures in rows.items() if key in figures}
            if lines:
                (folder / file).write_text(curves(title, across, "ms, median", lines), encoding="utf-8")
                parts.append(f"![{title}]({file})")
        (folder / "report.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--report: cannot write to {folder} ({type(error).__name__})") from error


def _numbers(curve: Mapping[str, float]) -> dict[float, float]:
    return {float(at): value for at, value in curve.items()}


def report(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown; a figure that was not measured is a dash."""
    parts = [
        table(HEAD, (_main(name, figures) for name, figures in rows.items())),
        _curve("ms by tokens a step", ROWS, "step_ms_by_tokens", rows),
        _curve("ms by context", CONTEXTS, "step_ms_by_context", rows),
        table(HELD, (_held(name, figures) for name, figures in rows.items() if "bytes" in figures)),
    ]
    compared = [
        _against(name, figures) for name, figures in rows.items() if "decode_against_llama" in figures
    ]
    if compared:
        parts.insert(1, table(LLAMA, compared))
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
        _more(figures),
        number(figures, "kl", ".4f"),
        number(figures, "agreement", ".3f"),
    )


def _more(figures: Mapping[str, Any]) -> str:
    """Perplexity above the reference's, with half of its 95 % interval."""
    if "ppl_ratio" not in figures:
        return "–"
    return f"{100 * (figures['ppl_ratio'] - 1):+.2f} ± {100 * figures['ppl_ratio_error']:.2f}"


def _against(name: str, figures: Mapping[str, Any]) -> Row:
    return (name, *(number(figures, f"{key}_against_llama", ".2f") for key in ("decode", "prefill", "ttft")))


def _held(name: str, figures: Mapping[str, Any]) -> Row:
    sizes = (number(figures, key, ".2f", 1e-9) for key in ("bytes", "memory", "peak_memory"))
    return (name, *sizes, number(figures, "load_s", ".1f"))


def _curve(title: str, columns: Iterable[int], key: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    names = [str(column) for column in columns]
    cells = (
        (name, *(number(each[key], at, ".1f") for at in names)) for name, each in rows.items() if key in each
    )
    return table((title, *names), cells)
