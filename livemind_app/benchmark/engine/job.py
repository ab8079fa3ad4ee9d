"""The order of a run: memory first, then all formats loaded side by side and measured in turn."""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from importlib import resources
from typing import Any

import torch
from tqdm import tqdm
from transformers import AutoConfig

from livemind_app.benchmark.engine import quality, speed, summary
from livemind_app.benchmark.engine.footprint import Footprint, footprint
from livemind_app.benchmark.engine.llama import LlamaServer, llama_server
from livemind_app.benchmark.engine.quality import Text
from livemind_app.benchmark.engine.speed import PROMPT, Answering, Samples
from livemind_app.benchmark.engine.subjects import REFERENCE, Subject, format_of, ours, reference
from livemind_app.benchmark.machine import machine
from livemind_app.engine.models.catalogue import CATALOGUE
from livemind_app.engine.models.prepare import fetch, prepare
from livemind_app.engine.models.pretrained import SAFE, read_tokenizer
from livemind_app.errors import ConfigError

PACKAGES = ("torch", "transformers", "gguf", "safetensors")


def measure(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """What was measured so far, as it is written: times first, then with text quality and llama-server."""
    names = formats(args)
    text = quality.read(args.data) if args.data else None
    with tqdm(total=0 if args.no_memory else len(names) + 1, unit="step", mininterval=_calm()) as bar:
        job = Job(args, text, bar)
        footprints = {} if args.no_memory else job.footprints(names)
        subjects: list[Subject] = [reference(args.model), *(ours(args.model, w, args.prefill) for w in names)]
        parts = quality.windows(job.ids, args.windows, subjects[0].context) if text else []
        timed = len(subjects) + bool(args.llama_server and args.rounds)
        bar.total += len(parts) + speed.units(timed, subjects[0].context, args.rounds)
        samples = job.speed(subjects)
        held = {subject.name: subject.bytes for subject in subjects}
        yield job.result(summary.formats(samples, {}, footprints, held, len(job.prompt)), samples)
        found = quality.measure(subjects, parts, job.tick) if parts else {}
    yield job.result(summary.formats(samples, found, footprints, held, len(job.prompt)), samples)


class Job:
    """One command line: its prompt, its threads, its clock and its progress."""

    def __init__(self, args: argparse.Namespace, text: Text | None, bar: Any) -> None:
        self._began = time.perf_counter()
        self._args = args
        self._text = text
        self._bar = bar
        self._threads = args.threads or torch.get_num_threads()
        torch.set_num_threads(self._threads)
        tokenizer = read_tokenizer(prepare(args.model))
        self.ids = _ids(tokenizer, text)
        config = AutoConfig.from_pretrained(prepare(args.model), **SAFE)
        context = config.get_text_config().max_position_embeddings
        self.prompt = self.ids[: min(PROMPT, context - args.tokens)]

    def tick(self, what: str) -> None:
        self._bar.set_postfix_str(what, refresh=False)
        self._bar.update()

    def footprints(self, names: Sequence[str]) -> dict[str, Footprint]:
        """Of the reference too."""
        found = {}
        for name in (REFERENCE, *names):
            options = self._args.model, name, self._args.prefill
            found[name] = footprint(*options, self.prompt[: PROMPT // 2], self._threads)
            self.tick(f"{name}: memory")
        return found

    def speed(self, subjects: Sequence[Subject]) -> dict[str, Samples]:
        if not self._args.rounds:
            return {subject.name: Samples() for subject in subjects}
        run = self._args.tokens, self._args.rounds, self.tick
        with ExitStack() as stack:
            servers = [stack.enter_context(server) for server in self._llama()]
            answering: list[Answering] = [*subjects, *servers]
            samples = speed.answers(answering, self.prompt, *run)
        return speed.steps(subjects, samples, *run[1:])

    def _llama(self) -> Iterator[AbstractContextManager[LlamaServer]]:
        program = self._args.llama_server
        if program and self._args.rounds:
            context = len(self.prompt) + self._args.tokens + 8
            yield llama_server(program, fetch(self._args.model), self._threads, context)

    def result(self, rows: dict[str, summary.Figures], samples: dict[str, Samples]) -> dict[str, Any]:
        return {"summary": {"formats": rows}, "meta": self._meta(), "samples": _raw(samples)}

    def _meta(self) -> dict[str, Any]:
        args, text = self._args, self._text
        return {
            "benchmark": "engine",
            **{name: getattr(args, name) for name in ("model", "prefill", "rounds", "tokens")},
            "prompt_tokens": len(self.prompt),
            "threads": self._threads,
            "data": {"file": text.name, "sha256": text.sha256} if text else None,
            "seconds": round(time.perf_counter() - self._began, 1),
            **machine(PACKAGES),
        }


def _calm() -> float:
    """Seconds between two lines of progress; a log takes fewer."""
    return 0.1 if sys.stderr.isatty() else 30.0


def formats(args: argparse.Namespace) -> list[str]:
    """By their own names, each once."""
    names = [format_of(args.model, name) for name in args.weights.split(",") if name]
    if not names:
        raise ConfigError("--weights names no format")
    if args.llama_server and args.model not in CATALOGUE:
        raise ConfigError(f"--llama-server: {args.model} did not come as a GGUF file")
    return list(dict.fromkeys(names))


def _ids(tokenizer: Any, text: Text | None) -> list[int]:
    """Of the text, or of the package's own prompts over and over."""
    if text:
        return list(tokenizer(text.text, add_special_tokens=False, verbose=False)["input_ids"])
    own = resources.files("livemind_app.benchmark").joinpath("prompts.jsonl").read_text(encoding="utf-8")
    said = "\n".join(json.loads(line)["question"] for line in own.split("\n") if line)
    ids = list(tokenizer(said, add_special_tokens=False, verbose=False)["input_ids"])
    return ids * (PROMPT // len(ids) + 1)


def _raw(samples: dict[str, Samples]) -> dict[str, Any]:
    """Every single timing."""
    return {
        name: {
            "answers": [asdict(answer) for answer in own.answers],
            "steps": [{"tokens": k, "context": n, "s": s} for (k, n), s in own.steps.items()],
        }
        for name, own in samples.items()
    }
