"""The order of a run: a window is measured by everything, and its row is on disk before the next."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
from tqdm import tqdm

from livemind_app.benchmark.machine import machine
from livemind_app.benchmark.sentence_vae.memory import occupied, position_bytes
from livemind_app.benchmark.sentence_vae.quality import nats, returned
from livemind_app.benchmark.sentence_vae.speed import written
from livemind_app.benchmark.sentence_vae.summary import summarize
from livemind_app.engine.loading import device
from livemind_app.errors import ConfigError
from livemind_app.journal import Journal
from livemind_app.sentence_vae import sentences
from livemind_app.sentence_vae.bundle import Bundle, open_bundle
from livemind_app.sentence_vae.decoder import Ids
from livemind_app.training import checkpoint, texts

PACKAGES = ("torch", "transformers")
PARTS = ("codec", "sllm", "hybrid")
SETTINGS = ("window", "returned", "tokens", "speed", "seed")
PIECE = 20_000  # characters that are cut at once


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """The whole result."""
    bundle = open_bundle(args.models, device())
    corpora = texts.read([Path(name) for name in args.data.split(",") if name])
    chosen = windows(corpora, bundle.tokenizer, args.window, args.limit, args.seed)
    settings = {name: getattr(args, name) for name in SETTINGS} | {"data": texts.hashes(corpora)}
    settings["models"] = _checkpoints(args.models)
    with Journal(args.json.with_suffix(".rows.jsonl"), settings, resume=args.resume) as journal:
        done = len(journal.lines)
        for number, window in enumerate(tqdm(chosen[done:], unit="window", mininterval=_calm()), start=done):
            coded = args.returned is None or number < args.returned
            tokens = args.tokens if number < args.speed else 0
            journal.add(_row(bundle, window, tokens, turn=number, coded=coded))
        rows = journal.lines[: len(chosen)]
    return {
        "summary": summarize(rows, position_bytes(bundle), bundle.tokenizer),
        "meta": {"benchmark": "sentence-vae", **settings, "dtype": str(bundle.base.dtype)}
        | {"threads": torch.get_num_threads(), "limit": args.limit}
        | machine(PACKAGES),
    }


def _checkpoints(folder: Path) -> dict[str, Any]:
    """Of each part that is there the command that made it, and the hashes of its files."""
    parts = [part for part in PARTS if (folder / part / checkpoint.META).is_file()]
    metas = {part: checkpoint.read_meta(folder / part) for part in parts}
    return {part: {"command": meta.get("command"), "files": meta["files"]} for part, meta in metas.items()}


def windows(
    corpora: Sequence[texts.Corpus], tokenizer: Any, size: int, limit: int, seed: int
) -> list[list[Ids]]:
    """Runs of `size` sentences of the texts, in the seed's order, so that a longer run contains a shorter."""
    found: list[list[Ids]] = []
    for corpus in corpora:
        for text in corpus.texts:
            for at in range(0, len(text), PIECE):
                cut: list[Ids] = list(sentences.cut(text[at : at + PIECE], tokenizer))
                found += [cut[start : start + size] for start in range(0, len(cut) - size + 1, size)]
    if not found:
        raise ConfigError(f"--data: no text has {size} sentences; lower --window")
    Random(seed).shuffle(found)  # noqa: S311 - a sample, no secret
    return found[:limit]


def _row(bundle: Bundle, window: Sequence[Ids], tokens: int, *, turn: int, coded: bool) -> dict[str, Any]:
    return {
        "returned": returned(bundle.codec, window) if coded else [],
        "tokens": len(window[-1]),
        "nats": nats(bundle, window),
        "positions": occupied(bundle, window),
        "written": written(bundle, window[:-1], tokens, turn=turn) if tokens else {},
    }


def _calm() -> float:
    return 0.1 if sys.stderr.isatty() else 30.0
