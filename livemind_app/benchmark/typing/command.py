"""`livemind bench typing`: what a typing user gets, in every lane."""

import argparse
from pathlib import Path
from typing import get_args

from livemind_app.benchmark.figures import write_figures
from livemind_app.benchmark.typing.arguments import add_common, options_of
from livemind_app.benchmark.typing.lanes import LANES, lanes
from livemind_app.config import Mode

DEFAULT = "live,live-slm,conventional,slm"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add = parser.add_argument
    add("--lanes", default=DEFAULT, metavar="LANE[,LANE]", help=f"of {', '.join(LANES)} (default: {DEFAULT})")
    what = "what live and live-slm do while the user types (default: as in the app)"
    add("--mode", choices=get_args(Mode), help=what)


def run(args: argparse.Namespace) -> int:
    chosen = lanes([name for name in args.lanes.split(",") if name], options_of(args.set))
    # Below are torch and numpy, which the arguments do without.
    from livemind_app.benchmark.typing.job import job_of, measure_job
    from livemind_app.benchmark.typing.report import lane_table, write_report

    out = Path(args.json)
    result = measure_job(job_of("typing", args, chosen), out, resume=args.resume)
    write_figures(out, result.to_json())
    print(lane_table(result.summary["lanes"]))
    if args.report:
        write_report(args.report, result.summary, result.meta, result.records)
        print(f"\nThe report is in {args.report / 'report.md'}")
    return 0
