"""The order of a run. Arms take turns prompt by prompt; one is on disk as soon as all have answered it."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from livemind_app.benchmark.llm_to_slm.arms import Alone, Arm, Guided
from livemind_app.benchmark.llm_to_slm.command import ARMS
from livemind_app.benchmark.llm_to_slm.score import score
from livemind_app.benchmark.llm_to_slm.summary import summarize
from livemind_app.benchmark.machine import machine
from livemind_app.engine.loading import device, wrap
from livemind_app.engine.model import LoadedModel
from livemind_app.engine.models.catalogue import preset
from livemind_app.engine.models.load import load
from livemind_app.errors import ConfigError
from livemind_app.journal import Journal
from livemind_app.llm_to_slm import adapter
from livemind_app.llm_to_slm.training.features import states_of
from livemind_app.protocol import Role
from livemind_app.training import checkpoint
from livemind_app.training import prompts as sources
from livemind_app.training.prompts import Prompt

PACKAGES = ("torch", "transformers")
SETTINGS = ("pair", "limit", "tokens", "prompt_tokens", "weights", "seed")
MEAN_OF = 16  # prompts whose mean state is the constant one


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """The whole result. Raises ConfigError or ModelError before anything is loaded that is not needed."""
    pair = preset(args.pair)
    folders = {"ours": Path(args.adapter) if args.adapter else adapter.shipped(pair.llm, pair.slm)}
    folders["slm_lora"] = Path(args.control) if args.control else None
    names = _chosen(args.arms, folders, pair.llm, pair.slm)
    prompts, hashes = _prompts(args, [folder for folder in folders.values() if folder])
    path = args.json.with_suffix(".rows.jsonl")
    settings = {name: getattr(args, name) for name in SETTINGS} | {"arms": names, "data": hashes}
    settings |= {name: _commands(folder) for name, folder in folders.items() if folder}
    with Journal(path, settings, resume=args.resume) as journal:
        models = _models(args)
        fitting = [
            p for p in prompts if len(models["llm"].tokenizer.render(p.messages)) <= args.prompt_tokens
        ]
        known = {row["id"] for row in journal.lines}
        todo = [prompt for prompt in fitting if prompt.id not in known]
        if todo:
            _run(_arms(names, models, folders, fitting, args), models, fitting, todo, journal, args.tokens)
        rows = journal.lines
    return {
        "summary": summarize(rows),
        "meta": {"benchmark": "llm-to-slm", **settings, "threads": torch.get_num_threads()}
        | machine(PACKAGES),
    }


def _chosen(wanted: list[str] | None, folders: dict[str, Path | None], llm: str, slm: str) -> list[str]:
    """Arms in their order; those that an adapter is missing for are refused where they were asked for."""
    possible = [name for name in ARMS if folders.get(name.partition("_")[0]) or name in ("llm", "slm")]
    possible += ["slm_lora"] if folders["slm_lora"] else []
    chosen = wanted if wanted is not None else possible
    if "ours" not in possible and (wanted is None or any(name.startswith("ours") for name in chosen)):
        raise ConfigError(f"{adapter.missing(llm, slm)}; or measure the gap alone with --arms llm,slm")
    if "slm_lora" in chosen and not folders["slm_lora"]:
        raise ConfigError("the arm slm_lora takes --control FOLDER, of a training with --without-llm")
    return [name for name in ARMS if name in chosen]


def _prompts(args: argparse.Namespace, folders: Sequence[Path]) -> tuple[list[Prompt], dict[str, str]]:
    """`limit` of each file; of a file that adapter or control was trained on only what was held out."""
    data = (checkpoint.read_meta(folder)["settings"]["data"].values() for folder in folders)
    trained = {digest for digests in data for digest in digests}
    found: list[Prompt] = []
    hashes: dict[str, str] = {}
    for path in args.data:
        prompts, hash_ = sources.read([path])
        hashes |= hash_
        fresh = [p for p in prompts if p.held_out or not trained & set(hash_.values())]
        found += sources.sample(fresh, args.limit, args.seed)
    if not found:
        raise ConfigError("--data: everything in it was trained on; give files that were not")
    return found, hashes


def _commands(folder: Path) -> dict[str, Any]:
    meta = checkpoint.read_meta(folder)
    return {"command": meta.get("command"), "files": meta["files"]}


def _models(args: argparse.Namespace) -> dict[Role, LoadedModel]:
    names = preset(args.pair)
    return {"llm": _load(names.llm, args.weights), "slm": _load(names.slm, args.weights)}


def _load(name: str, weights: str) -> LoadedModel:
    network, tokenizer = load(name, device=device(), weights=None if weights == "plain" else weights)
    return wrap(name, network, tokenizer)


def _arms(
    names: Sequence[str],
    models: dict[Role, LoadedModel],
    folders: dict[str, Path | None],
    prompts: Sequence[Prompt],
    args: argparse.Namespace,
) -> list[Arm]:
    arms: dict[str, Arm] = {
        "llm": Alone("llm", models["llm"], "exact"),
        "slm": Alone("slm", models["slm"], "exact-slm"),
    }
    if "slm_lora" in names and (control := folders["slm_lora"]):
        arms["slm_lora"] = Alone("slm_lora", adapter.load(control).merged(models["slm"]), "exact-slm")
    if ours := folders["ours"]:
        arms |= _ours(ours, models, prompts)
    return [arms[name] for name in names]


def _ours(folder: Path, models: dict[Role, LoadedModel], prompts: Sequence[Prompt]) -> dict[str, Arm]:
    found = adapter.load(folder)
    writer = found.merged(models["slm"])
    pair: dict[Role, LoadedModel] = {"llm": models["llm"], "slm": writer}
    conditioner = found.conditioner.to(writer.model.device).eval()
    names = ("ours", "ours_shuffled", "ours_constant")
    arms: dict[str, Arm] = {name: Guided(name, pair, conditioner) for name in names}
    constant = arms["ours_constant"]
    assert isinstance(constant, Guided)
    constant.instead = _mean(models["llm"], prompts[:MEAN_OF])
    return {**arms, "ours_none": Alone("ours_none", writer, "exact-slm")}


def _mean(reader: LoadedModel, prompts: Sequence[Prompt]) -> Tensor:
    """[1, LAYERS, width]: one state for everything."""
    states = [states_of(reader, reader.tokenizer.render(prompt.messages)).float() for prompt in prompts]
    return torch.cat(states).mean(dim=0, keepdim=True)


def _run(
    arms: Sequence[Arm],
    models: dict[Role, LoadedModel],
    prompts: Sequence[Prompt],
    todo: Sequence[Prompt],
    journal: Journal,
    tokens: int,
) -> None:
    """Shuffled states are those of the next prompt, another one whatever is left to do."""
    following = dict(zip((p.id for p in prompts), [*prompts[1:], *prompts[:1]], strict=True))
    for arm in arms:
        arm.answer(todo[0], 2)  # what is only made once is made before the clock runs
    calm = 0.1 if sys.stderr.isatty() else 30.0
    for number, prompt in enumerate(tqdm(todo, unit="prompt", mininterval=calm)):
        for arm in arms:
            if isinstance(arm, Guided) and arm.name == "ours_shuffled":
                other = following[prompt.id].messages
                arm.instead = states_of(models["llm"], models["llm"].tokenizer.render(other))
        turn = number % len(arms)
        journal.add(_asked(prompt, [*arms[turn:], *arms[:turn]], models["slm"], tokens))


def _asked(prompt: Prompt, arms: Sequence[Arm], writer: LoadedModel, tokens: int) -> dict[str, Any]:
    """All arms on one prompt. The large model's answer is what the others are to say in its stead."""
    said = {arm.name: arm.answer(prompt, tokens) for arm in arms}
    reference = said["llm"]
    row: dict[str, Any] = {"id": prompt.id, "source": prompt.source, "arms": {}}
    row["tokens"] = len(writer.tokenizer.encode(reference.text)) + reference.ended
    row["reference_tokens"] = len(writer.tokenizer.encode(prompt.reference)) + 1 if prompt.reference else 0
    for arm in arms:
        one = said[arm.name]
        row["arms"][arm.name] = {
            **dict(_likelihoods(arm, prompt, reference.text, reference.ended)),
            "score": score(prompt, one.text),
            "tokens": one.tokens,
            "characters": len(one.text),
            "ttft": one.ttft,
            "seconds": one.seconds,
        }
    return row


def _likelihoods(arm: Arm, prompt: Prompt, answer: str, ended: bool) -> Iterator[tuple[str, float | None]]:
    yield "nats", arm.nats(prompt, answer, ended=ended) if answer.strip() else None
    yield "reference_nats", arm.nats(prompt, prompt.reference, ended=True) if prompt.reference else None
