"""The run history as a page: figures of all lanes, four trends, the newest runs. HTML and SVG, no script."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from livemind_app.serving.charts import chart, mark
from livemind_app.serving.trends import Figures, Trends, trends

PERIODS = {"1": "24 hours", "7": "7 days", "30": "30 days", "": "All"}
NEWEST = 50
TITLES = {  # as on the chat's page
    "live": "LiveMind",
    "live-slm": "LiveMind + small model",
    "exact": "Exact",
    "exact-slm": "Exact, small model",
    "llm-to-slm": "Guided small model",
    "conventional": "Conventional",
    "slm": "Small model alone",
}
NOTHING = '<p class="empty">No runs in this time. Ask something in the chat, and its figures are here.</p>'


def history_page(rows: Sequence[Mapping[str, Any]], days: str, *, limited: bool) -> str:
    """`rows`: the newest first. `limited`: there are more of this time than are shown."""
    done = [row for row in rows if row["status"] == "done"]
    body = f"{_summary(trends(done))}{_table(rows[:NEWEST])}" if rows else NOTHING
    note = f" The newest {len(rows):,} are shown." if limited else ""
    return PAGE % {
        "count": f"{_counted(len(rows), 'run')}, one for each lane of each question.{note}",
        "periods": "".join(_period(value, name, value == days) for value, name in PERIODS.items()),
        "body": body,
    }


def _period(value: str, name: str, chosen: bool) -> str:
    current = ' aria-current="page"' if chosen else ""
    return f'<a href="?days={value}"{current}>{name}</a>'


def _summary(found: Trends) -> str:
    charts = (
        ("Latency over time", found.latency_by_time, _day, seconds),
        ("Latency by length of the question", found.latency_by_length, _characters, seconds),
        ("Reduction against the conventional lane", found.reduction_by_time, _day, percent),
        ("Thrown away, of what was generated before Enter", found.wasted_by_time, _day, percent),
    )
    drawn = [(title, chart(title, series, x, y)) for title, series, x, y in charts]
    cards = "".join(f'<section class="card"><h2>{title}</h2>{svg}</section>' for title, svg in drawn if svg)
    figures = "".join(_lane(each) for each in found.figures)
    return f'{_head(FIGURES, "figures")}{figures}</tbody></table></div><div class="charts">{cards}</div>'


FIGURES = (
    "Lane",
    "Runs",
    "Latency, median",
    "9 of 10 below",
    "First word, median",
    "Reduction",
    "Thrown away",
)
RUNS = (
    "Time (UTC)",
    "Lane",
    "Model",
    "Ended",
    "Question",
    "Answer",
    "First word",
    "Latency",
    "Reduction",
    "Thrown away",
)


def _head(titles: Sequence[str], kind: str) -> str:
    cells = "".join(f"<th>{title}</th>" for title in titles)
    return f'<div class="card scroll {kind}" tabindex="0"><table><thead><tr>{cells}</tr></thead><tbody>'


def _lane(each: Figures) -> str:
    cells = (
        f"{each.runs:,}",
        *(seconds(each.latency), seconds(each.slow), seconds(each.ttft)),
        *(percent(each.reduction), percent(each.wasted)),
    )
    return f"<tr><th>{_named(each.lane)}</th>{_cells(cells)}</tr>"


def _named(lane: str) -> str:
    title = escape(TITLES.get(lane, lane))
    if lane not in TITLES:
        return title
    point = f'<path class="point" d="{mark(lane)}"/>'
    return f'<svg class="key lane-{lane}" viewBox="-6 -6 12 12" aria-hidden="true">{point}</svg>{title}'


def _cells(values: Sequence[str]) -> str:
    return "".join(f"<td>{escape(value)}</td>" for value in values)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    return f"<h2>The newest</h2>{_head(RUNS, 'runs')}{''.join(map(_run, rows))}</tbody></table></div>"


def _run(row: Mapping[str, Any]) -> str:
    thought = row["thinking_tokens"]
    before, after = (
        row["at"][:19].replace("T", " "),
        (
            *(
                row["model"],
                row["status"],
                _characters(row["question_chars"]),
                _characters(row["answer_chars"]),
            ),
            *(seconds(row["ttft"]), seconds(row["latency"]), percent(row["reduction"])),
            percent(row["wasted_tokens"] / thought if thought else None),
        ),
    )
    return f"<tr><td>{escape(before)}</td><td>{_named(row['lane'])}</td>{_cells(after)}</tr>"


def seconds(value: float | None) -> str:
    """
    >>> seconds(0.0312), seconds(2.5), seconds(31.7), seconds(None)
    ('31 ms', '2.5 s', '32 s', '–')
    """
    if value is None:
        return "–"
    if 0 < value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.0f} s" if value >= 10 or value == int(value) else f"{value:.1f} s"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _characters(value: float) -> str:
    return _counted(round(value), "character")


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _day(value: float) -> str:
    return f"{datetime.fromtimestamp(value, UTC):%d %b %H:%M}"


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Run history · LiveMind</title><link rel="stylesheet" href="static/history.css"></head><body>
<header><h1>Run history</h1><a href="./">Back to the chat</a></header>
<nav aria-label="Time and export">%(periods)s<span class="exports">
<a href="api/history/export?format=csv">CSV</a> <a href="api/history/export?format=json">JSON</a></span></nav>
<main><p>%(count)s</p>%(body)s</main>
</body></html>
"""
