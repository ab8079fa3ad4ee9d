"""What many users who type need: replicas, network and money. Writes the tables of docs/scale.md.

    .venv/bin/python scripts/simulate_scale.py                        # from the costs in docs/scale.json
    .venv/bin/python scripts/simulate_scale.py --measure --write      # measured here, into docs/
    .venv/bin/python scripts/simulate_scale.py --users 500 --engine-tokens-per-s 400 --engine-hour 1.99

Costs of events are measured on a server of our own on the scripted engine (Linux), by `--measure`; how many
users share a replica is simulated with them; everything else is an option, with what is assumed by default.
Engines: `vllm bench serve` has the tokens a second of yours, `livemind bench typing` those of a prompt.
"""

import argparse
import json
import sys
from dataclasses import asdict, fields
from importlib.resources import files
from pathlib import Path

from livemind_app.benchmark.figures import write_figures
from livemind_app.benchmark.scale.assumptions import NAMES, Assumptions, option
from livemind_app.benchmark.scale.costs import Costs, measure
from livemind_app.benchmark.scale.report import report, rewritten

DOCS = Path(__file__).parent.parent / "docs"
USERS = (1000, 100_000, 10_000_000)


def main() -> None:
    args = parser().parse_args()
    costs_file = Path(args.costs)
    if args.measure:
        costs = measure(texts(), args.rounds)
        write_figures(costs_file, asdict(costs))
    else:
        costs = Costs.load(json.loads(costs_file.read_text("utf-8")))
    try:
        text = report(costs, Assumptions(**{name: getattr(args, name) for name in NAMES}), args.users)
    except ValueError as error:
        sys.exit(str(error))
    print(text)
    if args.write:
        document = DOCS / "scale.md"
        document.write_text(rewritten(document.read_text("utf-8"), text), "utf-8")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add = made.add_argument
    add("--users", type=int, nargs="+", default=USERS, metavar="N", help="who type at a moment")
    add("--measure", action="store_true", help="measure the costs of events here, for minutes")
    add("--rounds", type=int, default=5, metavar="N", help="times that each text is typed (default: 5)")
    add(
        "--costs", default=str(DOCS / "scale.json"), metavar="FILE", help="of measured costs, read or written"
    )
    add("--write", action="store_true", help="write the tables into docs/scale.md")
    for each in fields(Assumptions):
        help = f"{each.metadata['what']} (default: {each.default:g})"
        add(option(each.name), type=float, default=each.default, metavar="X", help=help)
    return made


def texts() -> list[str]:
    """The packaged questions, as `livemind bench load` types them."""
    lines = files("livemind_app.benchmark").joinpath("prompts.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["question"] for line in lines]


if __name__ == "__main__":
    main()
