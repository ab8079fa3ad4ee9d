"""`livemind bench engine`: arguments, and the order of a run."""

import argparse
from pathlib import Path

from livemind_app.benchmark.figures import write_figures
from livemind_app.config import at_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--model", required=True, metavar="MODEL", help="catalogue name, local folder or hub id")
    add("--weights", default="auto", metavar="W[,W]", help="formats, as of `livemind serve` (default: auto)")
    add("--prefill", choices=("auto", "plain", "packed"), default="auto", help="as of `livemind serve`")
    add("--data", type=Path, metavar="FILE", help="a text, gzip or not, for perplexity")
    add("--windows", type=int, default=8, metavar="N", help="of 512 tokens, read of it (default: 8)")
    add("--rounds", type=int, default=5, metavar="N", help="of every timing; 0: none (default: 5)")
    add("--tokens", type=int, default=32, metavar="N", help="decoded each time (default: 32)")
    add("--threads", type=int, metavar="N", help="default: torch's")
    add("--no-memory", action="store_true", help="do without the process of its own for each format")
    add("--llama-server", type=Path, metavar="PATH", help="measure this program on the model's GGUF file too")
    add("--report", type=Path, metavar="FOLDER", help="write the tables with plots there")
    add("--json", required=True, type=Path, metavar="OUT", help="where to write the figures")


def run(args: argparse.Namespace) -> int:
    """Measure, write the figures as soon as they are known, and print them."""
    at_least(args, rounds=0, windows=0, tokens=2, threads=1)
    # Below are torch and transformers, which the arguments do without.
    from livemind_app.benchmark.engine.job import measure
    from livemind_app.benchmark.engine.report import report, write_report

    for result in measure(args):
        write_figures(args.json, result)
    print(report(result["summary"]["formats"]))
    if args.report:
        write_report(args.report, result["summary"]["formats"], args.model)
    return 0
