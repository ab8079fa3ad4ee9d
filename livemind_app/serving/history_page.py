"""The run history as a page: figures of all lanes, four trends, the newest runs. HTML and SVG, no script."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from livemind_app.serving.charts import chart, mark
from livemind_app.serving.history_words import Words
from livemind_app.serving.trends import Figures, Trends, trends

NEWEST = 50


def history_page(rows: Sequence[Mapping[str, Any]], days: str, words: Words, *, limited: bool) -> str:
    """`rows`: the newest first. `limited`: there are more of this time than are shown."""
    return _Page(words).whole(rows, days, limited)


class _Page:
    """In one language."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def whole(self, rows: Sequence[Mapping[str, Any]], days: str, limited: bool) -> str:
        words = self._words
        done = [row for row in rows if row["status"] == "done"]
        body = f"{self._summary(trends(done))}{self._table(rows[:NEWEST])}" if rows else self._nothing()
        note = words.limited.format(f"{len(rows):,}") if limited else ""
        return PAGE % {
            "language": words.language,
            "title": words.title,
            "back": words.back,
            "navigation": words.navigation,
            "count": words.count.format(words.counted(len(rows))) + note,
            "periods": "".join(_period(value, name, value == days) for value, name in words.periods.items()),
            "body": body,
        }

    def _nothing(self) -> str:
        return f'<p class="empty">{self._words.nothing}</p>'

    def _summary(self, found: Trends) -> str:
        characters = self._words.characters
        drawn = (
            (found.latency_by_time, self._day, seconds),
            (found.latency_by_length, characters, seconds),
            (found.reduction_by_time, self._day, percent),
            (found.wasted_by_time, self._day, percent),
        )
        charts = [
            (title, chart(title, series, x, y, self._words))
            for title, (series, x, y) in zip(self._words.charts, drawn, strict=True)
        ]
        cards = "".join(
            f'<section class="card"><h2>{title}</h2>{svg}</section>' for title, svg in charts if svg
        )
        figures = "".join(self._lane(each) for each in found.figures)
        head = _head(self._words.figures, "figures")
        return f'{head}{figures}</tbody></table></div><div class="charts">{cards}</div>'

    def _lane(self, each: Figures) -> str:
        cells = (
            f"{each.runs:,}",
            *(seconds(each.latency), seconds(each.slow), seconds(each.ttft)),
            *(percent(each.reduction), percent(each.wasted)),
        )
        return f"<tr><th>{self._named(each.lane)}</th>{_cells(cells)}</tr>"

    def _named(self, lane: str) -> str:
        title = escape(self._words.lane(lane))
        if lane not in self._words.lanes:
            return title
        point = f'<path class="point" d="{mark(lane)}"/>'
        return f'<svg class="key lane-{lane}" viewBox="-6 -6 12 12" aria-hidden="true">{point}</svg>{title}'

    def _table(self, rows: Sequence[Mapping[str, Any]]) -> str:
        head = f"<h2>{self._words.newest}</h2>{_head(self._words.runs, 'runs')}"
        return f"{head}{''.join(map(self._run, rows))}</tbody></table></div>"

    def _run(self, row: Mapping[str, Any]) -> str:
        thought, words = row["thinking_tokens"], self._words
        before = row["at"][:19].replace("T", " ")
        after = (
            *(row["model"], words.status.get(row["status"], row["status"])),
            *(words.characters(row["question_chars"]), words.characters(row["answer_chars"])),
            *(seconds(row["ttft"]), seconds(row["latency"]), percent(row["reduction"])),
            percent(row["wasted_tokens"] / thought if thought else None),
        )
        return f"<tr><td>{escape(before)}</td><td>{self._named(row['lane'])}</td>{_cells(after)}</tr>"

    def _day(self, value: float) -> str:
        return datetime.fromtimestamp(value, UTC).strftime(self._words.moment)


def _period(value: str, name: str, chosen: bool) -> str:
    current = ' aria-current="page"' if chosen else ""
    return f'<a href="?days={value}"{current}>{name}</a>'


def _head(titles: Sequence[str], kind: str) -> str:
    cells = "".join(f"<th>{title}</th>" for title in titles)
    return f'<div class="card scroll {kind}" tabindex="0"><table><thead><tr>{cells}</tr></thead><tbody>'


def _cells(values: Sequence[str]) -> str:
    return "".join(f"<td>{escape(value)}</td>" for value in values)


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


PAGE = """<!doctype html>
<html lang="%(language)s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>%(title)s · LiveMind</title><link rel="stylesheet" href="static/history.css"></head><body>
<header><h1>%(title)s</h1><a href="./">%(back)s</a></header>
<nav aria-label="%(navigation)s">%(periods)s<span class="exports">
<a href="api/history/export?format=csv">CSV</a> <a href="api/history/export?format=json">JSON</a></span></nav>
<main><p>%(count)s</p>%(body)s</main>
</body></html>
"""
