"""The four pictures of a report."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from random import Random
from statistics import quantiles
from typing import Any

from livemind_app.benchmark import svg
from livemind_app.benchmark.svg import COLORS, Axis
from livemind_app.benchmark.typing.records import Record

WIDTH, ROW = 760, 46
NAMES, LEGEND = 150, 170  # pixels for the names of lanes, on the left and on the right
Figures = Mapping[str, Any]


def plots(summary: Figures, records: Sequence[Record]) -> dict[str, str]:
    """File name → SVG; a picture that has nothing to show is left out."""
    lanes: Figures = {name: figures for name, figures in summary["lanes"].items() if figures["n"]}
    colors = dict(zip(summary["lanes"], COLORS * len(summary["lanes"]), strict=False))
    keyed = {name: figures for name, figures in lanes.items() if figures["accuracy"] is not None}
    made = {}
    if lanes:
        made["latency.svg"] = latency(lanes, records, colors)
        made["latency_by_sentences.svg"] = latency_by_sentences(summary["buckets"], lanes, colors)
    if keyed:
        made["accuracy.svg"] = accuracy(keyed, colors)
        made["accuracy_latency.svg"] = accuracy_against_latency(keyed, colors)
    return made


def latency(lanes: Figures, records: Sequence[Record], colors: Mapping[str, str]) -> str:
    """Every question a dot; the box holds the middle half, its line is the median."""
    values = {name: [r.latency for r in records if r.lane == name and r.latency] for name in lanes}
    base, names = 50 + ROW * len(lanes), _names(lanes)
    axis = svg.log_axis([value for each in values.values() for value in each], names, WIDTH - 30)
    marks = svg.bottom(axis, 44, base, "seconds from submit to the last token")
    for row, (name, each) in enumerate(values.items()):
        marks += _distribution(each, axis, 50 + ROW * (row + 0.5), colors[name])
        marks.append(svg.text(names - 12, 54 + ROW * (row + 0.5), name, anchor="end"))
    return svg.picture(WIDTH, base + 54, "Latency of every question", marks)


def _names(lanes: Figures) -> float:
    """Pixels that the longest name takes on the left."""
    return max(NAMES, 24 + 7.5 * max(map(len, lanes)))


def _distribution(values: Sequence[float], axis: Axis, y: float, color: str) -> Iterator[str]:
    random = Random(0)  # noqa: S311 - spreads dots
    for value in values:
        yield svg.dot(axis(value), y + random.uniform(-13, 13), color, radius=2.5, opacity=0.45)
    if len(values) > 1:
        low, middle, high = quantiles(values, n=4, method="inclusive")
        yield svg.box(axis(low), y - 15, axis(high) - axis(low), 30, color)
        yield svg.line(axis(middle), y - 15, axis(middle), y + 15, color, 3)


def latency_by_sentences(buckets: Figures, lanes: Figures, colors: Mapping[str, str]) -> str:
    """Mean latency and its interval for every number of sentences."""
    intervals = [f["latency_mean_ci"] for bucket in buckets.values() for f in bucket.values() if f["n"]]
    right, base = WIDTH - LEGEND, 330
    axis = svg.log_axis([end for interval in intervals for end in interval], base, 64)
    marks = svg.left(axis, 60, right, "seconds, mean")
    step = (right - 60) / len(buckets)
    for column, name in enumerate(buckets):
        questions = max(figures["n"] for figures in buckets[name].values())
        label = f"{name} (n = {questions})"
        marks.append(svg.text(60 + step * (column + 0.5), base + 20, label, anchor="middle", size=12))
    marks.append(svg.text((60 + right) / 2, base + 42, "sentences of the question", anchor="middle"))
    marks += _legend(lanes, colors)
    for row, name in enumerate(lanes):
        shift = (row - (len(lanes) - 1) / 2) * 9
        points = _points(buckets, name, axis, 60 + step / 2 + shift, step)
        marks += _curve(points, colors[name])
    return svg.picture(WIDTH, base + 56, "Latency by length of the question", marks)


def _legend(lanes: Figures, colors: Mapping[str, str]) -> Iterator[str]:
    for row, name in enumerate(lanes):
        yield svg.dot(WIDTH - LEGEND + 22, 70 + 22 * row, colors[name])
        yield svg.text(WIDTH - LEGEND + 34, 74 + 22 * row, name)


Point = tuple[float, float, float, float]  # x, y, lowest and highest y


def _points(buckets: Figures, lane: str, axis: Axis, first: float, step: float) -> list[Point]:
    points = []
    for column, bucket in enumerate(buckets.values()):
        if bucket.get(lane, {}).get("n"):
            low, high = bucket[lane]["latency_mean_ci"]
            mean = axis(bucket[lane]["latency_mean"])
            points.append((first + step * column, mean, axis(low), axis(high)))
    return points


def _curve(points: Sequence[Point], color: str) -> Iterator[str]:
    for (x1, y1, _, _), (x2, y2, _, _) in pairwise(points):
        yield svg.line(x1, y1, x2, y2, color, 1)
    for x, y, low, high in points:
        yield svg.line(x, low, x, high, color, 2)
        yield svg.dot(x, y, color)


def accuracy(lanes: Figures, colors: Mapping[str, str]) -> str:
    base, names = 50 + ROW * len(lanes), _names(lanes)
    axis = Axis(0, 1, names, WIDTH - 40)
    marks = svg.bottom(axis, 44, base, "right answers, with 95 % intervals", percent=True)
    for row, (name, figures) in enumerate(lanes.items()):
        y, (low, high) = 50 + ROW * (row + 0.5), figures["accuracy_ci"]
        marks.append(svg.text(names - 12, y + 4, name, anchor="end"))
        marks.append(svg.line(axis(low), y, axis(high), y, colors[name], 3))
        marks.append(svg.dot(axis(figures["accuracy"]), y, colors[name], radius=6))
    return svg.picture(WIDTH, base + 54, "Accuracy", marks)


def accuracy_against_latency(lanes: Figures, colors: Mapping[str, str]) -> str:
    """Up and to the left is better."""
    base, ends = 360, [end for figures in lanes.values() for end in figures["latency_mean_ci"]]
    across = svg.log_axis(ends, 70, WIDTH - LEGEND)
    highest = max(figures["accuracy_ci"][1] for figures in lanes.values())
    up = Axis(0, min(1.0, -(-highest // 0.2) * 0.2), base, 64)
    marks = [*svg.left(up, 70, WIDTH - LEGEND, "right answers", percent=True), *_legend(lanes, colors)]
    marks += svg.bottom(across, 64, base, "seconds from submit to the last token, mean")
    for name, figures in lanes.items():
        x, y = across(figures["latency_mean"]), up(figures["accuracy"])
        (left, right), (low, high) = figures["latency_mean_ci"], figures["accuracy_ci"]
        marks.append(svg.line(across(left), y, across(right), y, colors[name]))
        marks.append(svg.line(x, up(low), x, up(high), colors[name]))
        marks.append(svg.dot(x, y, colors[name], radius=6))
    return svg.picture(WIDTH, base + 54, "Accuracy against latency", marks)
