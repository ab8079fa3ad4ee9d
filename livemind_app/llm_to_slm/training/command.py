"""`livemind train llm-to-slm`: arguments, and the order of a run.

    OUT/cache/answers.jsonl        what the large model says
    OUT/cache/states.f16, .jsonl   its states of the prompts
    OUT/run/                       state.pt and log.jsonl of the training
    OUT/adapter/                   what is served

A run that was killed goes on: with answers and states by itself, with the training by --resume.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livemind_app.config import at_least
from livemind_app.errors import ConfigError

if TYPE_CHECKING:
    from livemind_app.engine.model import LoadedModel
    from livemind_app.journal import Table
    from livemind_app.llm_to_slm.training.examples import Example
    from livemind_app.llm_to_slm.training.features import Features
    from livemind_app.protocol import Tokenizer
    from livemind_app.training.prompts import Prompt

LEAST = {"limit": 2, "tokens": 1, "prompt_tokens": 16, "batch": 1, "answer_batch": 1, "steps": 1}
LEAST |= {"alone": 0, "rank": 1, "summary": 1, "held_out": 1, "evaluate_every": 1}
SETTINGS = (
    *("llm", "slm", "limit", "tokens", "prompt_tokens", "batch", "steps", "alone", "rank", "lora"),
    *("summary", "held_out", "seed", "without_llm"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--llm", required=True, metavar="MODEL", help="that reads: catalogue name, local folder or hub id")
    add("--slm", required=True, metavar="MODEL", help="that writes")
    add("--data", required=True, metavar="FILE[,…]", help="prompts; docs/llm_to_slm.md says which fields")
    add("--out", required=True, type=Path, metavar="FOLDER", help="cache, state of the run, and adapter")
    add(
        "--cache",
        type=Path,
        metavar="FOLDER",
        help="of another run's answers and states (default: OUT/cache)",
    )
    add("--limit", type=int, default=8000, metavar="N", help="prompts (default: 8000)")
    add("--tokens", type=int, default=256, metavar="N", help="of an answer at most (default: 256)")
    add(
        "--prompt-tokens",
        type=int,
        default=384,
        metavar="N",
        help="longer prompts are left out (default: 384)",
    )
    add("--steps", type=int, default=2000, metavar="N", help="default: 2000")
    add("--alone", type=int, default=300, metavar="N", help="of them, the projector alone (default: 300)")
    add("--batch", type=int, default=8, metavar="N", help="examples a step (default: 8)")
    add("--answer-batch", type=int, default=32, metavar="N", help="prompts answered together (default: 32)")
    add("--rank", type=int, default=32, metavar="N", help="of LoRA (default: 32)")
    add(
        "--lora",
        default="q_proj,o_proj,down_proj",
        metavar="NAME[,…]",
        help="projections that get it; each costs training and memory (default: q_proj,o_proj,down_proj)",
    )
    add(
        "--summary", type=int, default=12, metavar="N", help="tokens that the resampler adds to (default: 12)"
    )
    add("--held-out", type=int, default=96, metavar="N", help="examples evaluated (default: 96)")
    add("--evaluate-every", type=int, default=250, metavar="N", help="steps (default: 250)")
    add("--without-llm", action="store_true", help="the control: the same LoRA, no states")
    add("--minutes", type=float, metavar="M", help="of training, then stop, to go on with --resume")
    add("--dtype", default="auto", metavar="auto|bfloat16|float32", help="of the frozen weights")
    add("--seed", type=int, default=0, metavar="N", help="default: 0")
    add("--resume", action="store_true", help="go on with a training that was stopped")


def run(args: argparse.Namespace) -> int:
    """Answers, states, training, adapter; each goes on where it was."""
    at_least(args, **LEAST)
    # Below are torch and transformers, which the arguments do without.
    from livemind_app.journal import Table
    from livemind_app.training import prompts as sources

    paths = [Path(name) for name in args.data.split(",") if name]
    prompts, hashes = sources.read(paths)
    chosen = sources.sample(prompts, args.limit, args.seed)
    cache = args.cache or args.out / "cache"
    settings = {"llm": args.llm, "tokens": args.tokens, "system": sources.SYSTEM}
    with Table(cache / "answers.jsonl", settings) as answers:
        reading = _read(args, cache, chosen, answers)
        with reading.features:
            done = _train(args, reading, answers, hashes)
    return 0 if done else 3


@dataclass(frozen=True)
class Reading:
    """What training needs of the large model, which need not stay in memory for it."""

    tokenizer: "Tokenizer"
    config: Any
    features: "Features"
    prompts: "list[Prompt]"  # that are not too long


def _load(name: str, dtype: str, *, packed: bool = False) -> "LoadedModel":
    """`packed`: as it is served. Else `auto` is fp32 on a CPU: with many rows it is ahead of bf16."""
    from livemind_app.engine.loading import device, wrap
    from livemind_app.engine.models.load import load

    weights = "auto" if packed and dtype == "auto" else None
    kind = "float32" if dtype == "auto" and device() == "cpu" and not packed else dtype
    return wrap(name, *load(name, dtype=kind, device=device(), weights=weights))


def _read(args: argparse.Namespace, cache: Path, prompts: "list[Prompt]", answers: "Table") -> Reading:
    """Everything that takes the large model."""
    from livemind_app.llm_to_slm.training.features import Features
    from livemind_app.training.answers import answer

    reader = _load(args.llm, args.dtype, packed=True)
    fitting = [p for p in prompts if len(reader.tokenizer.render(p.messages)) <= args.prompt_tokens]
    held_out = sum(p.held_out for p in fitting)
    if held_out < 2 or held_out == len(fitting):  # of one alone no other's states can be tried
        raise ConfigError(
            f"{len(fitting)} of {len(prompts)} prompts have {args.prompt_tokens} tokens or fewer, too few to "
            "train on some and hold others out; give more --data or raise --prompt-tokens or --limit"
        )
    answer(reader, fitting, answers, tokens=args.tokens, batch=args.answer_batch)
    features = Features(cache, args.llm, reader.model.config)
    features.compute(reader, fitting)
    return Reading(reader.tokenizer, reader.model.config, features, fitting)


def _train(args: argparse.Namespace, reading: Reading, answers: "Table", hashes: dict[str, str]) -> bool:
    """The adapter is saved whether all steps are done or not; its JSON says which."""
    import torch

    from livemind_app.llm_to_slm import adapter
    from livemind_app.llm_to_slm.conditioner import Conditioner, Shape, size_of
    from livemind_app.llm_to_slm.training.task import Recipe, Training
    from livemind_app.training import checkpoint, loop, lora

    writer = _load(args.slm, args.dtype)
    examples, held_out = _examples(reading, writer, answers)
    torch.manual_seed(args.seed)
    network = writer.model
    names = [name for name in args.lora.split(",") if name]
    shape = Shape.for_models(reading.config, network.config, args.summary)
    conditioner = Conditioner(shape, size_of(network.get_input_embeddings().weight)).to(network.device)
    updates = [update.to(network.device) for update in lora.add_lora(network, args.rank, names=names)]
    recipe = Recipe(args.batch, args.alone, seed=args.seed, guided=not args.without_llm)
    task = Training(
        network, updates, conditioner, reading.features, examples, held_out[: args.held_out], recipe
    )
    settings: dict[str, Any] = {name: getattr(args, name) for name in SETTINGS} | {"data": hashes}
    plan = loop.Plan(args.steps, evaluate_every=args.evaluate_every, minutes=args.minutes, dtype=None)
    done = loop.train(task, args.out / "run", plan, settings, resume=args.resume)
    meta = {
        "llm": args.llm,
        "slm": args.slm,
        "alpha": 2.0 * args.rank,
        "names": names,
        "done": done,
        "held_out": task.evaluate(),
        "examples": len(examples),
        "settings": settings,
        "command": checkpoint.command_line(args.arguments),
    }
    adapter.save(args.out / "adapter", conditioner, updates, meta)
    print(f"{args.out / 'adapter'}: held-out nats a token {meta['held_out']}", flush=True)
    return done


def _examples(
    reading: Reading, writer: "LoadedModel", answers: "Table"
) -> "tuple[list[Example], list[Example]]":
    """To train on, and held out. An answer of nothing teaches nothing."""
    from livemind_app.llm_to_slm.training.examples import answer_ids, example

    found: dict[bool, list[Example]] = {False: [], True: []}
    for prompt in reading.prompts:
        row = answers.rows[prompt.id]
        ids = answer_ids(writer, row["answer"], ended=row["ended"])
        if row["answer"].strip():
            made = example(prompt.id, prompt.messages, ids, reading.tokenizer, writer.tokenizer)
            found[prompt.held_out].append(made)
    return found[False], found[True]
