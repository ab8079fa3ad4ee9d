"""`livemind bench lookahead`: arguments, and the order of a run."""

import argparse
from pathlib import Path

from livemind_app.benchmark.figures import write_figures
from livemind_app.config import at_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--model", required=True, metavar="MODEL", help="catalogue name, local folder or hub id")
    add("--dtype", default="auto", metavar="auto|bfloat16|float32", help="of plain weights (default: auto)")
    add("--weights", default="plain", metavar="plain|int8|int4|gguf", help="default: plain")
    add(
        "--data",
        default="code-edits,corrections",
        metavar="FILE[,…]",
        help="questions as of `livemind bench typing`; notes:FILE: as the live lanes' output stage has them, "
        "behind the model's notes; code-edits, corrections: made of Python's library",
    )
    add("--limit", type=int, default=20, metavar="N", help="prompts of each set (default: 20)")
    add("--warm", type=int, default=0, metavar="N", help="others of each set, answered before the warm arms")
    add("--tokens", type=int, default=160, metavar="N", help="of an answer at most (default: 160)")
    add("--strategy", choices=("hier", "par", "one"), default="hier", help="of the original's policy")
    add("--seed", type=int, default=0, metavar="N", help="of the sample (default: 0)")
    add("--resume", action="store_true", help="go on with the rows of an earlier run; --limit may grow")
    add("--json", required=True, type=Path, metavar="OUT", help="where to write the figures; rows go beside")


def run(args: argparse.Namespace) -> int:
    """Measure, write the figures and print them."""
    at_least(args, limit=1, warm=0, tokens=2)
    args.data = [name for name in args.data.split(",") if name]
    # Below are torch and transformers, which the arguments do without.
    from livemind_app.benchmark.lookahead.job import measure
    from livemind_app.benchmark.lookahead.report import report

    result = measure(args)
    write_figures(args.json, result)
    print(report(result["summary"]))
    return 0
