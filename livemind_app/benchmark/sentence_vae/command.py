"""`livemind bench sentence-vae`: arguments, and the order of a run."""

import argparse
from pathlib import Path

from livemind_app.benchmark.figures import write_figures
from livemind_app.config import at_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--models", required=True, type=Path, metavar="FOLDER", help="codec/, and sllm/, hybrid/ or both")
    add("--data", required=True, metavar="FILE[,…]", help="texts that nothing was trained on")
    add("--limit", type=int, default=40, metavar="N", help="windows of text (default: 40)")
    add("--window", type=int, default=16, metavar="N", help="sentences of a window (default: 16)")
    add(
        "--returned",
        type=int,
        metavar="N",
        help="windows whose sentences go through the codec (default: all)",
    )
    add("--tokens", type=int, default=64, metavar="N", help="to write after each window, about (default: 64)")
    add("--speed", type=int, default=8, metavar="N", help="windows that are written on, 0: none (default: 8)")
    add("--seed", type=int, default=0, metavar="N", help="of the sample (default: 0)")
    add("--resume", action="store_true", help="go on with the rows of a run that was stopped")
    add("--json", required=True, type=Path, metavar="OUT", help="where to write the figures; rows go beside")


def run(args: argparse.Namespace) -> int:
    """Measure, write the figures and print them."""
    at_least(args, limit=1, window=4, tokens=8, speed=0, **({} if args.returned is None else {"returned": 1}))
    # Below are torch and transformers, which the arguments do without.
    from livemind_app.benchmark.sentence_vae.job import measure
    from livemind_app.benchmark.sentence_vae.report import report

    result = measure(args)
    write_figures(args.json, result)
    print(report(result["summary"]))
    return 0
