"""`livemind bench llm-to-slm`: arguments, and what is written."""

import argparse
from pathlib import Path

from livemind_app.benchmark.figures import write_figures
from livemind_app.config import at_least
from livemind_app.errors import ConfigError

ARMS = ("llm", "slm", "slm_lora", "ours", "ours_shuffled", "ours_constant", "ours_none")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--pair", default="small", metavar="base|small", help="models of this preset (default: small)")
    add("--data", required=True, metavar="FILE[,…]", help="prompts; docs/llm_to_slm.md says which fields")
    add("--limit", type=int, default=50, metavar="N", help="prompts of each file (default: 50)")
    add("--adapter", metavar="FOLDER", help="of `livemind train llm-to-slm` (default: the package's own)")
    add("--control", metavar="FOLDER", help="the same LoRA trained --without-llm, for the arm slm_lora")
    add(
        "--arms",
        metavar="ARM[,…]",
        help=f"of {', '.join(ARMS)}; llm,slm measures the gap before there is an adapter (default: all that "
        "--adapter and --control allow)",
    )
    add("--tokens", type=int, default=256, metavar="N", help="of an answer at most (default: 256)")
    add(
        "--prompt-tokens",
        type=int,
        default=1024,
        metavar="N",
        help="longer prompts are left out (default: 1024)",
    )
    add("--weights", default="auto", metavar="auto|plain|int8|int4|gguf", help="default: auto")
    add("--seed", type=int, default=0, metavar="N", help="of the sample (default: 0)")
    add("--resume", action="store_true", help="go on with the rows of a run that was stopped")
    add("--json", required=True, type=Path, metavar="OUT", help="where to write the figures; rows go beside")


def run(args: argparse.Namespace) -> int:
    """Measure, write the figures and print them."""
    at_least(args, limit=1, tokens=2, prompt_tokens=16)
    args.data = [Path(name) for name in args.data.split(",") if name]
    args.arms = [name for name in args.arms.split(",") if name] if args.arms else None
    if args.arms is not None and (unknown := sorted(set(args.arms) - set(ARMS))):
        raise ConfigError(f"--arms: {', '.join(unknown)}; there are {', '.join(ARMS)}")
    if args.arms is not None and "llm" not in args.arms:
        raise ConfigError("--arms: llm has to be among them: its answers are what the others are measured on")
    # Below are torch and transformers, which the arguments do without.
    from livemind_app.benchmark.llm_to_slm.job import measure
    from livemind_app.benchmark.llm_to_slm.report import report

    result = measure(args)
    write_figures(args.json, result)
    print(report(result["summary"]))
    return 0
