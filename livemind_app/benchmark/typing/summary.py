"""Records as the figures of the JSON file: docs/benchmarks.md says what each field means."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from livemind_app.benchmark.typing import statistics
from livemind_app.benchmark.typing.records import Record
from livemind_app.benchmark.typing.statistics import Estimate

BUCKETS: dict[str, range] = {
    "1-2": range(3),
    "3-5": range(3, 6),
    "6-11": range(6, 12),
    "12-20": range(12, 21),
    "21+": range(21, 1_000_000),
}
BASELINE = "conventional"
SAME_AS = {"exact": "conventional", "exact-slm": "slm", "prefill": "conventional"}  # what they must say
Figures = dict[str, Any]
Lanes = dict[str, dict[str, Record]]  # lane → question → record


def summarize(records: Iterable[Record], lanes: Sequence[str]) -> Figures:
    """Per lane over all questions, and over those of each number of sentences and each kind."""
    everything = list(records)
    return {
        "lanes": _lanes(everything, lanes),
        "buckets": _groups(everything, lanes, lambda record: bucket(record.sentences), BUCKETS),
        "datasets": _groups(everything, lanes, lambda record: record.kind),
    }


def _groups(
    records: Sequence[Record],
    lanes: Sequence[str],
    key: Callable[[Record], str],
    order: Iterable[str] = (),
) -> dict[str, dict[str, Figures]]:
    """The figures of each group that has a record; those named in `order` first."""
    groups: dict[str, list[Record]] = {name: [] for name in order}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return {name: _lanes(members, lanes) for name, members in groups.items() if members}


def bucket(sentences: int) -> str:
    """
    >>> bucket(7)
    '6-11'
    """
    return next(name for name, span in BUCKETS.items() if sentences in span)


def _lanes(records: Sequence[Record], names: Sequence[str]) -> dict[str, Figures]:
    lanes: Lanes = {name: {} for name in names}
    for record in records:
        lanes[record.lane][record.question] = record
    return {name: _figures(lanes, name) for name in names if lanes[name]}


def _figures(lanes: Lanes, name: str) -> Figures:
    measured = [record for record in lanes[name].values() if record.measured]
    figures: Figures = {"n": len(measured), "failed": len(lanes[name]) - len(measured)}
    if not measured:
        return figures
    return {
        **figures,
        **_times(measured),
        **_reduction(lanes, name),
        **_accuracy(measured),
        **_delta("accuracy_delta", lanes, name, BASELINE),
        **_delta("accuracy_delta_slm", lanes, name, "slm"),
        **_means(measured),
        **_differing(lanes, name),
    }


def _differing(lanes: Lanes, name: str) -> Figures:
    """Answers of a lane that promises another's, and are not."""
    if name not in SAME_AS:
        return {}
    pairs = _pairs(lanes, name, SAME_AS[name], lambda record: record.answer if record.measured else None)
    return {"differing": sum(a != b for a, b in zip(*pairs, strict=True)) if pairs else None}


def _times(records: Sequence[Record]) -> Figures:
    latencies = [record.latency for record in records if record.latency is not None]
    firsts = [record.ttft for record in records if record.ttft is not None]
    return {
        **_with_interval("latency_mean", statistics.mean(latencies)),
        **_with_interval("latency_p50", statistics.quantile(latencies, 0.5)),
        **_with_interval("latency_p95", statistics.quantile(latencies, 0.95)),
        **_with_interval("ttft_p50", statistics.quantile(firsts, 0.5) if firsts else None),
    }


def _reduction(lanes: Lanes, name: str) -> Figures:
    pairs = _pairs(lanes, name, BASELINE, lambda record: record.latency)
    means = statistics.ratio_of_means(*pairs) if pairs else None
    ratios = statistics.mean_of_ratios(*pairs) if pairs else None
    return {
        **_with_interval("reduction", means),
        **_with_interval("reduction_mean_of_ratios", ratios),
    }


def _accuracy(records: Sequence[Record]) -> Figures:
    marks = [record.correct for record in records if record.correct is not None]
    return {"keyed": len(marks), **_with_interval("accuracy", statistics.share(marks) if marks else None)}


def _delta(field: str, lanes: Lanes, name: str, other: str) -> Figures:
    pairs = _pairs(lanes, name, other, lambda record: record.correct)
    if pairs and name == other:
        return _with_interval(field, Estimate(0.0, 0.0, 0.0))
    return _with_interval(field, statistics.paired_difference(*pairs) if pairs else None)


def _pairs(
    lanes: Lanes, name: str, other: str, value: Callable[[Record], Any]
) -> tuple[list[Any], list[Any]] | None:
    """The values of two lanes, of the questions that have one in both."""
    theirs = lanes.get(other, {})
    both = [(value(record), value(theirs[key])) for key, record in lanes[name].items() if key in theirs]
    known = [(a, b) for a, b in both if a is not None and b is not None]
    return ([a for a, _ in known], [b for _, b in known]) if known else None


def _means(records: Sequence[Record]) -> Figures:
    """Of what has no interval: means over questions."""
    values: Mapping[str, Callable[[Record], float]] = {
        "tokens_before": lambda record: record.tokens_before,
        "tokens_after": lambda record: record.tokens_after,
        "wasted": lambda record: record.wasted,
        "notes": lambda record: len(record.notes),
        "waits": lambda record: record.waits,
        "overhead": lambda record: record.overhead,
        "prefilled_after": lambda record: record.prefilled_after,
        "thinking_s": lambda record: record.thinking_s,
    }
    return {name: sum(map(value, records)) / len(records) for name, value in values.items()}


def _with_interval(name: str, estimate: Estimate | None) -> Figures:
    if estimate is None:
        return {name: None, f"{name}_ci": None}
    return {name: estimate.value, f"{name}_ci": estimate.interval}
