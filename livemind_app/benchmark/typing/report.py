"""A run as a person would want to read it: one Markdown file and its pictures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from livemind_app.benchmark.typing.plots import plots
from livemind_app.benchmark.typing.records import Record
from livemind_app.errors import ConfigError

Figures = Mapping[str, Any]
Column = tuple[str, Callable[[Figures], str]]

PICTURES = {
    "latency.svg": "Latency of every question, lane by lane",
    "latency_by_sentences.svg": "Mean latency by number of sentences",
    "accuracy.svg": "Accuracy with 95 % intervals",
    "accuracy_latency.svg": "Accuracy against mean latency",
}
NOTES = """\
Latency is the time from submit to the last answer token, TTFT to the first. Reduction compares mean
latencies with `conventional` on the same questions. Intervals in brackets cover 95 %. Tokens before
submit are those of notes, written while the user types; wasted ones were thrown away.
`docs/benchmarks.md` defines every field."""


TITLES = {"typing": "# The typing benchmark", "sweep": "# A sweep of the live lane's options"}


def write_report(folder: Path, summary: Figures, meta: Figures, records: Sequence[Record]) -> None:
    """`report.md` and SVG pictures; what an earlier report left there is replaced."""
    pictures = plots(summary, records)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, picture in pictures.items():
            (folder / name).write_text(picture, encoding="utf-8")
        (folder / "report.md").write_text(markdown(summary, meta, pictures), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--report: cannot write to {folder} ({type(error).__name__})") from error


def markdown(summary: Figures, meta: Figures, pictures: Iterable[str] = ()) -> str:
    parts = [TITLES[meta["benchmark"]], _setting(meta), lane_table(summary["lanes"]), NOTES]
    parts += [f"![{PICTURES[name]}]({name})" for name in pictures]
    parts += ["## By number of sentences", *_grouped(summary["buckets"], "sentences")]
    if len(summary["datasets"]) > 1:
        parts += ["## By kind of question", *_grouped(summary["datasets"], "")]
    return "\n\n".join([*parts, "## How it was run", _facts(meta)]) + "\n"


def lane_table(lanes: Mapping[str, Figures]) -> str:
    """One row a lane, as Markdown."""
    rows = [[name, *(show(figures) for _, show in COLUMNS)] for name, figures in lanes.items()]
    return _table(["lane", *(title for title, _ in COLUMNS)], rows)


def seconds(value: float | None) -> str:
    """
    >>> seconds(0.4567), seconds(12.3456)
    ('0.46 s', '12.3 s')
    """
    if value is None:
        return "–"
    return f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"


def percent(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return "–"
    return f"{value * 100:+.1f} %" if signed else f"{value * 100:.1f} %"


def _with_range(figures: Figures, name: str, show: Callable[[float], str]) -> str:
    value, interval = figures.get(name), figures.get(f"{name}_ci")
    if value is None or interval is None:
        return "–"
    low, high = (show(end).split(" ")[0] for end in interval)
    return f"{show(value)} [{low}, {high}]"


def _signed(value: float) -> str:
    return percent(value, signed=True).replace(" %", " points")


def _number(name: str) -> Callable[[Figures], str]:
    return lambda figures: f"{figures[name]:.0f}" if name in figures else "–"


COLUMNS: tuple[Column, ...] = (
    ("n", _number("n")),
    ("latency, mean", lambda figures: _with_range(figures, "latency_mean", seconds)),
    ("median", lambda figures: seconds(figures.get("latency_p50"))),
    ("p95", lambda figures: seconds(figures.get("latency_p95"))),
    ("TTFT, median", lambda figures: seconds(figures.get("ttft_p50"))),
    ("reduction", lambda figures: _with_range(figures, "reduction", percent)),
    ("accuracy", lambda figures: _with_range(figures, "accuracy", percent)),
    ("against conventional", lambda figures: _with_range(figures, "accuracy_delta", _signed)),
    ("tokens before", _number("tokens_before")),
    ("after", _number("tokens_after")),
    ("wasted", _number("wasted")),
)
BRIEF = ("n", "latency, mean", "median", "TTFT, median", "reduction", "accuracy")


def _grouped(groups: Mapping[str, Mapping[str, Figures]], unit: str) -> list[str]:
    columns = [column for column in COLUMNS if column[0] in BRIEF]
    tables = []
    for group, lanes in groups.items():
        rows = [[name, *(show(figures) for _, show in columns)] for name, figures in lanes.items()]
        tables += [f"### {group} {unit}".rstrip(), _table(["lane", *(name for name, _ in columns)], rows)]
    return tables


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _setting(meta: Figures) -> str:
    models, cpu = meta["models"], meta["cpu"]
    return (
        f"{models['llm']} (LLM) and {models['slm']} (SLM), {meta['dtype']}, {_weights(meta)}, "
        f"on {cpu['count']} × {cpu['model']}; "
        f"typist {meta['typist']}, {meta['clock']} clock, {meta['questions']} questions, seed {meta['seed']}."
    )


def _weights(meta: Figures) -> str:
    """
    >>> _weights({"weights": {"llm": "int8", "slm": "int8"}})
    'int8 weights'
    """
    return f"{' and '.join(dict.fromkeys(meta['weights'].values()))} weights"


def _facts(meta: Figures) -> str:
    data = [f"{name} (SHA-256 {facts['sha256'][:12]}…)" for name, facts in meta["data"].items()]
    versions = ", ".join(f"{name} {number}" for name, number in meta["versions"].items())
    rows = [
        ["command", f"`{meta['command']}`"],
        ["data", ", ".join(data)],
        ["versions", versions],
        ["commit", str(meta["commit"])],
        ["finished", meta["finished"]],
    ]
    return _table(["what", "value"], rows)
