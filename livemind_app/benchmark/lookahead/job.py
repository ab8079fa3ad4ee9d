"""The order of a run. Arms take turns prompt by prompt; a row is on disk as soon as it is measured."""

import argparse
import resource
import sys
from collections.abc import Sequence
from typing import Any

import torch
from tqdm import tqdm

from livemind_app.benchmark.lookahead import arms as policies
from livemind_app.benchmark.lookahead import prompts
from livemind_app.benchmark.lookahead.arms import GREEDY, Arm, Said
from livemind_app.benchmark.lookahead.noted import chat
from livemind_app.benchmark.lookahead.prompts import Prompt
from livemind_app.benchmark.lookahead.rows import Row, Rows
from livemind_app.benchmark.lookahead.summary import summarize
from livemind_app.benchmark.machine import machine
from livemind_app.engine.cache import KVCache
from livemind_app.engine.loading import device, wrap
from livemind_app.engine.lookahead import with_lookahead
from livemind_app.engine.model import LoadedModel
from livemind_app.engine.models.load import load
from livemind_app.errors import ConfigError

PACKAGES = ("torch", "transformers")
SETTINGS = ("model", "dtype", "weights", "warm", "tokens", "strategy", "seed")


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """The whole result."""
    model, plain = _models(args)
    measured, learned = prompts.load(args.data, args.limit, args.warm, args.seed)
    settings = {name: getattr(args, name) for name in SETTINGS} | {"data": prompts.hashes(args.data)}
    with Rows(args.json.with_suffix(".rows.jsonl"), settings, resume=args.resume) as rows:
        todo = [prompt for prompt in measured if prompt.id not in rows.done]
        if todo:
            _run(args, model, plain, todo, learned, rows)
        assert model.lookahead
        wanted = {prompt.id for prompt in measured}
        return {
            "summary": summarize([row for row in rows.all if row.prompt in wanted])
            | {"cost": model.lookahead.costs.curves},
            "meta": {
                "benchmark": "lookahead",
                **settings,
                "limit": args.limit,
                "threads": torch.get_num_threads(),
            }
            | {"peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
            | machine(PACKAGES),
        }


def _models(args: argparse.Namespace) -> tuple[LoadedModel, Any]:
    """Ours, and what `generate` runs on: the same network unless that is packed."""
    where = device()
    weights = None if args.weights == "plain" else args.weights
    network, tokenizer = load(args.model, args.dtype, where, weights=weights)
    model = with_lookahead(wrap(args.model, network, tokenizer))
    if model.lookahead is None:
        raise ConfigError(f"{args.model} cannot look ahead: its attention takes no tree")
    plain = network if weights is None else load(args.model, "auto", where)[0]
    return model, plain


def _run(
    args: argparse.Namespace,
    model: LoadedModel,
    plain: Any,
    todo: Sequence[Prompt],
    learned: Sequence[Prompt],
    rows: Rows,
) -> None:
    cold = policies.cold(model, plain, args.strategy)
    seen = tqdm([_ids(model, p) for p in learned], desc="learning", unit="prompt", mininterval=_calm())
    warm = policies.warm(model, seen, args.tokens, args.strategy) if learned else []
    turns: list[tuple[Arm, bool]] = [*((arm, False) for arm in cold), *((arm, True) for arm in warm)]
    for arm, _ in turns:
        arm.answer(_ids(model, todo[0])[:32], 4)  # what is only made once is made before the clock runs
    for number, prompt in enumerate(tqdm(todo, unit="prompt", mininterval=_calm())):
        rows.add_rows(
            _asked(model, prompt, turns[number % len(turns) :] + turns[: number % len(turns)], args.tokens)
        )


def _asked(model: LoadedModel, prompt: Prompt, turns: Sequence[tuple[Arm, bool]], tokens: int) -> list[Row]:
    """All arms on one prompt."""
    ids = _ids(model, prompt)
    said = {(arm.name, warm): arm.answer(ids, tokens) for arm, warm in turns}
    reference = said[GREEDY, False]
    return [
        Row(prompt.id, prompt.dataset, *key, len(answer.ids), answer.seconds, answer.forwards, answer.drafted,
            answer.draft_s, *_difference(model, ids, reference, answer))
        for key, answer in said.items()
    ]  # fmt: skip


def _difference(
    model: LoadedModel, ids: Sequence[int], reference: Said, answer: Said
) -> tuple[int | None, float | None]:
    """Index of the first token that differs, and how far ahead the reference's was; None if none does."""
    if answer.ids == reference.ids:
        return None, None
    pairs = zip(answer.ids, reference.ids, strict=False)
    shorter = min(len(answer.ids), len(reference.ids))
    index = next((at for at, (a, b) in enumerate(pairs) if a != b), shorter)
    cache = KVCache()
    model.prefill([*ids, *reference.ids[:index]], cache)
    assert cache.logits is not None
    best, second = cache.logits.float().topk(2).values.tolist()
    return index, best - second


def _ids(model: LoadedModel, prompt: Prompt) -> tuple[int, ...]:
    return model.tokenizer.render(chat(model, prompt))


def _calm() -> float:
    """Seconds between two lines of progress; a log takes fewer."""
    return 0.1 if sys.stderr.isatty() else 30.0
