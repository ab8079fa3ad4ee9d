"""A command line, checked and with its files read, and what a run of it gives."""

import argparse
import asyncio
import os
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from livemind_app.benchmark.typing.arguments import FILES, MODELS
from livemind_app.benchmark.typing.clock import Clock, RealClock, VirtualClock
from livemind_app.benchmark.typing.datasets import Question, Source, choose, load
from livemind_app.benchmark.typing.hub import located
from livemind_app.benchmark.typing.lanes import BenchLane
from livemind_app.benchmark.typing.meta import data_of, facts, fingerprints
from livemind_app.benchmark.typing.progress import Bar
from livemind_app.benchmark.typing.records import Record, Records
from livemind_app.benchmark.typing.run import Bench, measure
from livemind_app.benchmark.typing.summary import summarize
from livemind_app.benchmark.typing.typists import Replay, typist
from livemind_app.config import Mode, Settings, at_least
from livemind_app.engine.loading import device
from livemind_app.engine.models.load import resolve_dtype, resolve_weights
from livemind_app.engine.remote.address import is_address
from livemind_app.errors import ConfigError
from livemind_app.loading import models_of, open_engine
from livemind_app.protocol import Engine
from livemind_app.session.options import Options

UNTOLD = ("arguments", "run", "json", "resume", "report", "set")  # in a report
CLOCKS: Mapping[str, type[Clock]] = {"virtual": VirtualClock, "real": RealClock}


@dataclass(frozen=True)
class Job:
    name: str  # of the benchmark
    settings: Settings
    sources: Sequence[Source]
    bench: Bench
    args: argparse.Namespace

    def identity(self) -> dict[str, Any]:
        """What must be the same for a run to be resumed. More questions may be: `--limit` is not in it."""
        lanes = {lane.name: lane.options(self.bench.defaults).to_dict() for lane in self.bench.lanes}
        for options in lanes.values():
            del options["models"]  # which a server's user chooses; here they are the run's own
        return {
            **{name: getattr(self.settings, name) for name in MODELS},
            **fingerprints(self.settings),
            "models": models_of(self.settings),
            "trace": self.bench.typist.sha256 if isinstance(self.bench.typist, Replay) else None,
            **{name: getattr(self.args, name) for name in ("seed", "half", "min_sentences", "clock")},
            "typist": _unplaced(self.args.typist),
            "data": {source.label: source.sha256 for source in self.sources},
            "lanes": lanes,
        }

    def command(self) -> str:
        """The command line with files by their last names: folders are this machine's."""
        given = {name: value for name, value in vars(self.args).items() if name not in UNTOLD}
        given |= {name: getattr(self.settings, name) for name in MODELS}
        given |= {name: Path(given[name]).name for name in FILES if given[name]}
        given |= {"typist": _unplaced(self.args.typist)}
        if self.args.data:
            given |= {"data": ",".join(source.label for source in self.sources)}
        told = [(name, value) for name, value in given.items() if value not in (None, "")]
        told += [("set", pair) for pair in self.args.set]
        words = (f"--{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in told)
        return " ".join([f"livemind bench {self.name}", *words])


@dataclass(frozen=True)
class Result:
    summary: Mapping[str, Any]
    meta: Mapping[str, Any]
    records: Sequence[Record]

    def to_json(self) -> dict[str, Any]:
        records = [asdict(record) for record in self.records]
        return {"summary": self.summary, "meta": self.meta, "records": records}


def job_of(name: str, args: argparse.Namespace, lanes: Sequence[BenchLane]) -> Job:
    """Raises ConfigError for what cannot work, before a model is loaded."""
    at_least(args, limit=1)
    settings = Settings.from_env(os.environ, {option: getattr(args, option) for option in MODELS})
    sources = load([located(name) for name in args.data.split(",") if name])
    labels = [source.label for source in sources]
    if len(set(labels)) < len(labels):
        raise ConfigError("--data: two files end in the same folder and name")
    defaults = Options(mode=args.mode or _mode(settings), seed=args.seed)
    for lane in lanes:
        lane.options(defaults)  # raises for options out of range
    clock = CLOCKS[args.clock]()
    bench = Bench(_questions(args, sources), lanes, typist(args.typist), clock, args.seed, defaults)
    return Job(name, settings, sources, bench, args)


def measure_job(job: Job, out: Path, *, resume: bool) -> Result:
    """Measure what the journal beside `out` does not have yet."""
    began = time.perf_counter()
    with Records(journal_path(out), job.identity(), resume=resume) as journal:
        engine = open_engine(job.settings)
        try:
            with Bar(len(job.bench), len(journal.records)) as bar:
                asyncio.run(measure(engine, job.bench, journal, bar))
            return result_of(job, journal, engine, time.perf_counter() - began)
        finally:
            engine.close()


def result_of(job: Job, journal: Records, engine: Engine, seconds: float) -> Result:
    """What a journal that has everything gives; `seconds` is how long this run took."""
    records = [journal.records[question.id, lane.name] for question, lane in job.bench.schedule()]
    made_with = facts(engine)
    meta = {
        **_meta(job),
        **made_with,
        **_formats(job.settings, made_with["models"]),
        "seconds": round(seconds, 1),
    }
    return Result(summarize(records, [lane.name for lane in job.bench.lanes]), meta, records)


def journal_path(out: Path) -> Path:
    """
    >>> journal_path(Path("a/run.json")).name
    'run.journal.jsonl'
    """
    return out.with_name(out.stem + ".journal.jsonl")


def _formats(settings: Settings, models: Mapping[str, str]) -> dict[str, Any]:
    """What `auto` came to."""
    chosen, place = settings.weights, device()
    packed = {role: resolve_weights(chosen, name, settings.dtype, place) for role, name in models.items()}
    kind = resolve_dtype(settings.dtype, place, packed["llm"] or chosen)
    return {
        "dtype": str(kind).removeprefix("torch."),
        "weights": {role: weights or "plain" for role, weights in packed.items()},
    }


def _unplaced(typist: str) -> str:
    """
    >>> _unplaced("trace:some/folder/traces.jsonl.gz#first")
    'trace:traces.jsonl.gz#first'
    """
    kind, colon, rest = typist.partition(":")
    return kind + colon + Path(rest).name


def _mode(settings: Settings) -> Mode:
    """The app's own for these models: a server gives no odds to read drafts by."""
    return "infer" if is_address(settings.llm or "") else "draft"


def _questions(args: argparse.Namespace, sources: Sequence[Source]) -> list[Question]:
    chosen = [
        question
        for source in sources
        for question in choose(source, args.limit, args.seed, half=args.half, sentences=args.min_sentences)
    ]
    if not chosen:
        raise ConfigError("no question is left; check --half and --min-sentences")
    return chosen


def _meta(job: Job) -> dict[str, Any]:
    return {
        "benchmark": job.name,
        "command": job.command(),
        "questions": len(job.bench.questions),
        "limit": job.args.limit,
        **job.identity(),
        "data": data_of(job.sources),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
