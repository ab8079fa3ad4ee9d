"""`livemind train sllm`: a model on top of a trained codec."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livemind_app.config import at_least

if TYPE_CHECKING:
    from livemind_app.sentence_vae.files import Model
    from livemind_app.sentence_vae.train_models import ModelTraining, Windows
    from livemind_app.training.loop import Task

SETTINGS = ("sllm", "hybrid")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--codec",
        required=True,
        type=Path,
        metavar="FOLDER",
        help="a checkpoint of `livemind train sentence-vae`",
    )
    add("--setting", choices=SETTINGS, default="sllm", help="sllm: next sentence; hybrid: compressed context")
    add("--data", required=True, metavar="FILE[,…]", help="texts, JSON Lines or plain, gzip or not")
    add(
        "--begin",
        type=Path,
        metavar="CHECKPOINT",
        help="of the same setting, with what it has learned already",
    )
    add("--characters", type=int, metavar="N", help="read so many of each file at most")
    add("--out", required=True, type=Path, metavar="FOLDER", help="state, log, and at the end checkpoint/")
    add("--steps", type=int, default=1000, metavar="N", help="default: 1000")
    add("--window", type=int, default=16, metavar="N", help="sentences of an example (default: 16)")
    add("--documents", type=int, default=4, metavar="N", help="examples of a step (default: 4)")
    add("--rate", type=float, default=1e-3, metavar="R", help="learning rate (default: 1e-3)")
    add(
        "--dtype", default="auto", metavar="auto|bfloat16|float32", help="of a step (default: the faster one)"
    )
    add("--seed", type=int, default=0, metavar="N")
    add("--minutes", type=float, metavar="N", help="stop after so long, to be resumed")
    add("--evaluate-every", type=int, default=100, metavar="STEPS", help="default: 100")
    add("--resume", action="store_true", help="go on with the run in --out")


def run(args: argparse.Namespace) -> int:
    """Train, and write the checkpoint when all steps are done."""
    at_least(args, steps=1, window=4, documents=1, evaluate_every=1)
    # Below are torch and transformers, which the arguments do without.
    import torch

    from livemind_app.engine.loading import device
    from livemind_app.engine.models.load import load
    from livemind_app.sentence_vae.data import prepare
    from livemind_app.sentence_vae.files import load_codec, new_model, restore_model, save_model
    from livemind_app.sentence_vae.train_models import ModelTraining, Windows
    from livemind_app.training import checkpoint, texts
    from livemind_app.training.loop import Plan, train
    from livemind_app.training.precision import chosen

    meta = checkpoint.read_meta(args.codec)
    network, tokenizer = load(meta["base"], "float32", device())
    network.requires_grad_(False)
    corpora = texts.read([Path(name) for name in args.data.split(",") if name])
    data = prepare(corpora, tokenizer, args.out / "data", args.characters)
    torch.manual_seed(args.seed)
    codec = load_codec(args.codec, network)
    model = new_model(args.setting, network, codec).to(network.device).train()
    training = ModelTraining(args.steps, args.window, args.documents, args.rate, seed=args.seed)
    settings = {"base": meta["base"], "codec": meta["files"], "config": model.config.json()}
    settings |= {"training": asdict(training), "data": texts.hashes(corpora)}
    settings["characters"] = args.characters
    if args.begin:
        settings["begin"] = checkpoint.read_meta(args.begin)["files"]
    plan = Plan(
        args.steps, evaluate_every=args.evaluate_every, minutes=args.minutes, dtype=chosen(args.dtype)
    )
    task = _task(model, Windows(data, training), training, tokenizer)
    if args.begin:
        restore_model(args.begin, args.setting, model, args.codec)
    if not train(task, args.out, plan, settings, resume=args.resume):
        print(f"stopped; go on with --resume ({args.out})")
        return 0
    save_model(
        args.out / "checkpoint",
        args.setting,
        model,
        {**settings, "command": checkpoint.command_line(args.arguments)},
    )
    print(f"wrote {args.out / 'checkpoint'}")
    return 0


def _task(model: "Model", windows: "Windows", training: "ModelTraining", tokenizer: Any) -> "Task":
    from livemind_app.engine.chat import ChatTokenizer
    from livemind_app.sentence_vae.sllm import SentenceModel
    from livemind_app.sentence_vae.train_hybrid import Frame, HybridTask
    from livemind_app.sentence_vae.train_models import SllmTask

    if isinstance(model, SentenceModel):
        return SllmTask(model, windows, training.rate)
    model.begin_as(tokenizer.encode("\n", add_special_tokens=False)[0])
    frame = Frame.of(ChatTokenizer(tokenizer)) if tokenizer.chat_template else None
    return HybridTask(model, windows, training.rate, frame)
