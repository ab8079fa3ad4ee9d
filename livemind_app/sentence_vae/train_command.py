"""`livemind train sentence-vae`: the codec."""

import argparse
from dataclasses import asdict
from pathlib import Path

from livemind_app.config import at_least

CONFIGURATIONS = ("patches", "paper")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--base",
        default="smollm2-135m",
        metavar="MODEL",
        help="whose layers it begins from (default: smollm2-135m)",
    )
    add("--data", required=True, metavar="FILE[,…]", help="texts, JSON Lines or plain, gzip or not")
    add("--characters", type=int, metavar="N", help="read so many of each file at most")
    add("--out", required=True, type=Path, metavar="FOLDER", help="state, log, and at the end checkpoint/")
    add(
        "--configuration",
        choices=CONFIGURATIONS,
        default="patches",
        help="paper: one vector, sum + LayerNorm",
    )
    add("--steps", type=int, default=2000, metavar="N", help="default: 2000")
    add("--batch-tokens", type=int, default=1024, metavar="N", help="of a step, about (default: 1024)")
    add("--kl", type=float, default=0.0, metavar="W", help="weight of the clamped divergence (default: 0)")
    add(
        "--dtype", default="auto", metavar="auto|bfloat16|float32", help="of a step (default: the faster one)"
    )
    add("--seed", type=int, default=0, metavar="N")
    add("--minutes", type=float, metavar="N", help="stop after so long, to be resumed")
    add("--evaluate-every", type=int, default=250, metavar="STEPS", help="default: 250")
    add("--resume", action="store_true", help="go on with the run in --out")


def run(args: argparse.Namespace) -> int:
    """Train, and write the checkpoint when all steps are done."""
    at_least(args, steps=1, batch_tokens=1, evaluate_every=1)
    # Below are torch and transformers, which the arguments do without.
    import torch

    from livemind_app.engine.loading import device
    from livemind_app.engine.models.load import load
    from livemind_app.sentence_vae.codec import Codec, CodecConfig
    from livemind_app.sentence_vae.data import prepare
    from livemind_app.sentence_vae.files import save_codec
    from livemind_app.sentence_vae.train_codec import CodecTask, CodecTraining
    from livemind_app.training import checkpoint, texts
    from livemind_app.training.loop import Plan, train
    from livemind_app.training.precision import chosen

    network, tokenizer = load(args.base, "float32", device())
    network.requires_grad_(False)
    corpora = texts.read([Path(name) for name in args.data.split(",") if name])
    data = prepare(corpora, tokenizer, args.out / "data", args.characters)
    config = CodecConfig(pool="sum", focal=2.0) if args.configuration == "paper" else CodecConfig(kl=args.kl)
    torch.manual_seed(args.seed)
    codec = Codec(network, config).to(network.device).train()
    training = CodecTraining(steps=args.steps, batch_tokens=args.batch_tokens, seed=args.seed)
    settings = {"base": args.base, "config": config.json(), "training": asdict(training)}
    settings |= {"data": texts.hashes(corpora), "characters": args.characters}
    plan = Plan(
        args.steps, evaluate_every=args.evaluate_every, minutes=args.minutes, dtype=chosen(args.dtype)
    )
    if not train(CodecTask(codec, data, training), args.out, plan, settings, resume=args.resume):
        print(f"stopped; go on with --resume ({args.out})")
        return 0
    save_codec(
        args.out / "checkpoint", codec, {**settings, "command": checkpoint.command_line(args.arguments)}
    )
    print(f"wrote {args.out / 'checkpoint'}")
    return 0
