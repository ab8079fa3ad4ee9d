"""What the run history says over time and by the length of a question, lane by lane."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, get_args

from livemind_app.session.lanes import LaneName

BINS = 16
LANES: tuple[str, ...] = get_args(LaneName)
Row = Mapping[str, Any]
Series = dict[str, list["Bin"]]


@dataclass(frozen=True)
class Bin:
    """Some runs of a lane that lie together."""

    x: float  # mean of what they are sorted by
    y: float  # median, or a share
    low: float  # of the runs
    high: float
    runs: int


@dataclass(frozen=True)
class Figures:
    """Of all runs of a lane; times are medians in seconds."""

    lane: str
    runs: int
    latency: float
    slow: float  # latency that nine of ten stay below
    ttft: float | None
    reduction: float | None  # median
    wasted: float | None  # share of the tokens generated before a submit that were thrown away


@dataclass(frozen=True)
class Trends:
    figures: list[Figures]
    latency_by_time: Series
    latency_by_length: Series
    reduction_by_time: Series
    wasted_by_time: Series


def trends(rows: Sequence[Row]) -> Trends:
    """Of finished runs, in any order."""
    lanes = {
        lane: [row for row in rows if row["lane"] == lane and row["latency"] is not None] for lane in LANES
    }
    lanes = {lane: found for lane, found in lanes.items() if found}
    reduced = {lane: [row for row in found if row["reduction"] is not None] for lane, found in lanes.items()}
    ahead = {lane: [row for row in found if row["thinking_tokens"]] for lane, found in lanes.items()}
    return Trends(
        [_figures(lane, found) for lane, found in lanes.items()],
        _series(lanes, _time, lambda row: row["latency"]),
        _series(lanes, lambda row: row["question_chars"], lambda row: row["latency"]),
        _series(reduced, _time, lambda row: row["reduction"]),
        _series(ahead, _time, lambda row: row["wasted_tokens"] / row["thinking_tokens"]),
    )


def bins(points: Iterable[tuple[float, float]], count: int = BINS) -> list[Bin]:
    """Points in ranges of x of the same width, those that hold any.

    >>> bins([(0, 1), (1, 3), (9, 4), (10, 2)], count=2)
    [Bin(x=0.5, y=2.0, low=1, high=3, runs=2), Bin(x=9.5, y=3.0, low=2, high=4, runs=2)]
    """
    points = sorted(points)
    if not points:
        return []
    first, width = points[0][0], (points[-1][0] - points[0][0]) / count or 1.0
    edges = [first + width * number for number in range(1, count)]
    groups: list[list[tuple[float, float]]] = [[] for _ in range(count)]
    for point in points:
        groups[bisect_right(edges, point[0])].append(point)
    return [_bin(group) for group in groups if group]


def _bin(points: Sequence[tuple[float, float]]) -> Bin:
    xs, ys = zip(*points, strict=True)
    return Bin(sum(xs) / len(xs), float(median(ys)), min(ys), max(ys), len(ys))


def _series(lanes: Mapping[str, list[Row]], x: Callable[[Row], float], y: Callable[[Row], float]) -> Series:
    return {lane: bins((x(row), y(row)) for row in rows) for lane, rows in lanes.items() if rows}


def _time(row: Row) -> float:
    return datetime.fromisoformat(row["at"]).timestamp()


def _figures(lane: str, rows: Sequence[Row]) -> Figures:
    latencies = sorted(row["latency"] for row in rows)
    ttfts = [row["ttft"] for row in rows if row["ttft"] is not None]
    reductions = [row["reduction"] for row in rows if row["reduction"] is not None]
    thought = sum(row["thinking_tokens"] or 0 for row in rows)
    wasted = sum(row["wasted_tokens"] or 0 for row in rows)
    return Figures(
        lane,
        len(rows),
        median(latencies),
        latencies[min(int(0.9 * len(latencies)), len(latencies) - 1)],
        median(ttfts) if ttfts else None,
        median(reductions) if reductions else None,
        wasted / thought if thought else None,
    )
