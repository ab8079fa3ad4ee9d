"""`livemind bench sweep`: formats × granularities × thresholds × note budgets, in one table.

Every combination is a live lane, run as `bench typing` runs them, beside the conventional way. Tune on
one half of the records (`--half even`), report on the other.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from livemind_app.benchmark.figures import write_figures
from livemind_app.benchmark.typing.arguments import add_common, options_of
from livemind_app.benchmark.typing.lanes import BenchLane, lanes
from livemind_app.errors import ConfigError
from livemind_app.session.formats import FORMATS
from livemind_app.session.lanes import LIVE_LANES
from livemind_app.session.options import Options

# Option → its flag on the command line, and what reads one value.
SWEPT: dict[str, tuple[str, Callable[[str], Any]]] = {
    "format": ("--formats", str),
    "granularity": ("--granularities", str),
    "think_threshold": ("--thresholds", float),
    "note_tokens": ("--note-tokens", int),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    parser.set_defaults(mode=None)  # its lanes take notes
    for option, (flag, _) in SWEPT.items():
        default = str(getattr(Options(), option))
        help_ = f"values of {option} (default: {default}, the app's)"
        parser.add_argument(flag, default=default, metavar="VALUE[,VALUE]", help=help_)
    parser.add_argument("--answered-by", choices=LIVE_LANES, default="live", help="the lane that is swept")


def run(args: argparse.Namespace) -> int:
    chosen = swept(args)
    from livemind_app.benchmark.typing.job import job_of, measure_job
    from livemind_app.benchmark.typing.report import lane_table, write_report

    out = Path(args.json)
    result = measure_job(job_of("sweep", args, chosen), out, resume=args.resume)
    write_figures(out, result.to_json())
    print(lane_table(result.summary["lanes"]))
    if args.report:
        write_report(args.report, result.summary, result.meta, result.records)
        print(f"\nThe report is in {args.report / 'report.md'}")
    return 0


def swept(args: argparse.Namespace) -> list[BenchLane]:
    """The conventional way, and one lane for every combination that makes a difference."""
    common = options_of(args.set)
    if twice := sorted(set(common) & set(SWEPT)):
        raise ConfigError(f"--set: {', '.join(twice)} is swept; use {SWEPT[twice[0]][0]}")
    control = lanes(["conventional"], common)
    values = [_values(args, option) for option in SWEPT]
    combinations = dict.fromkeys(
        _effective(dict(zip(SWEPT, chosen, strict=True))) for chosen in product(*values)
    )
    common |= {"mode": "infer"}
    live = [
        BenchLane("/".join(str(value) for _, value in options), args.answered_by, {**common, **dict(options)})
        for options in combinations
    ]
    return [*control, *live]


def _effective(options: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Without the threshold where the format lets the model name its action in words."""
    layout = FORMATS.get(options["format"])
    return tuple((k, v) for k, v in options.items() if k != "think_threshold" or not layout or layout.gate)


def _values(args: argparse.Namespace, option: str) -> Sequence[Any]:
    flag, convert = SWEPT[option]
    raw: str = getattr(args, flag.removeprefix("--").replace("-", "_"))
    return list(_converted(flag, raw, convert))


def _converted(flag: str, raw: str, convert: Callable[[str], Any]) -> Iterator[Any]:
    for value in raw.split(","):
        try:
            yield convert(value)
        except ValueError:
            raise ConfigError(f"{flag} has {value!r}, but takes numbers") from None
