"""`livemind train answers`: what a model itself says to prompts, as texts to train on."""

import argparse
from pathlib import Path

from livemind_app.config import at_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--model", required=True, metavar="MODEL", help="catalogue name, local folder or hub id")
    add("--data", required=True, metavar="FILE[,…]", help="prompts; docs/llm_to_slm.md says which fields")
    add("--out", required=True, type=Path, metavar="FILE", help="JSON Lines with prompt and answer")
    add("--limit", type=int, default=1000, metavar="N", help="prompts (default: 1000)")
    add("--tokens", type=int, default=256, metavar="N", help="of an answer at most (default: 256)")
    add("--prompt-tokens", type=int, default=384, metavar="N", help="longer ones are left out (default: 384)")
    add("--batch", type=int, default=32, metavar="N", help="prompts answered together (default: 32)")
    add("--seed", type=int, default=0, metavar="N", help="of the sample (default: 0)")


def run(args: argparse.Namespace) -> int:
    """Answer what has no answer yet: a run that was killed goes on by itself, and a greater limit adds."""
    at_least(args, limit=1, tokens=1, prompt_tokens=1, batch=1)
    # Below are torch and transformers, which the arguments do without.
    from livemind_app.engine.loading import device, wrap
    from livemind_app.engine.models.load import load
    from livemind_app.journal import Table
    from livemind_app.training import prompts
    from livemind_app.training.answers import answer

    found, _ = prompts.read([Path(name) for name in args.data.split(",") if name])
    model = wrap(args.model, *load(args.model, device=device(), weights="auto"))
    fitting = [p for p in found if len(model.tokenizer.render(p.messages)) <= args.prompt_tokens]
    chosen = prompts.sample(fitting, args.limit, args.seed)
    settings = {"model": args.model, "tokens": args.tokens, "system": prompts.SYSTEM}
    with Table(args.out, settings) as answers:
        answer(model, chosen, answers, tokens=args.tokens, batch=args.batch)
        print(f"{len(answers.rows)} answers in {args.out}")
    return 0
