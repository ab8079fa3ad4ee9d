"""The typing benchmark on a user's own prompts, on the engine of a running server."""

import argparse
import asyncio
import io
import json
import logging
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from livemind_app.benchmark.typing.arguments import MODELS, options_of
from livemind_app.benchmark.typing.command import add_arguments
from livemind_app.benchmark.typing.lanes import lanes
from livemind_app.benchmark.typing.records import Record, Records
from livemind_app.config import Settings
from livemind_app.errors import BenchmarkRunning, Coded, LiveMindError, where_raised
from livemind_app.loading import settings_of
from livemind_app.session.manager import SessionManager
from livemind_app.session.options import Options
from livemind_app.session.requests import chosen

State = Literal["idle", "running", "done", "cancelled", "failed"]
NOT_FOR_LANES = ("models", "lanes", "mode", "seed")  # what a benchmark's lanes and arguments say themselves
FAILED = Coded("benchmark_failed", "the benchmark failed; the server's log says where")

log = logging.getLogger(__name__)


class OwnPrompts:
    """One run at a time; it lives on the server's event loop, and the last one's report is kept."""

    def __init__(self, manager: SessionManager, settings: Settings) -> None:
        self._manager = manager
        self._settings = settings
        self._task: asyncio.Task[None] | None = None
        self._forget()

    def start(self, prompts: Sequence[str], options: Mapping[str, Any], typist: str) -> None:
        """Type each of the prompts in every lane of `options`. Raises BenchmarkRunning or ConfigError."""
        if self.state == "running":
            raise BenchmarkRunning("a benchmark is running on this server; wait for it or cancel it first")
        wanted = chosen(self._manager.engines, self._manager.defaults, options)
        checked = Options().changed(options)
        lanes(checked.lanes, _changes(checked))
        self._forget()
        self._total = len(prompts) * len(checked.lanes)
        self._task = asyncio.create_task(
            self._run(list(prompts), replace(checked, models=wanted.models), typist)
        )

    async def cancel(self) -> None:
        """End the run that there is; there will be no report of it."""
        if self._task and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def close(self) -> None:
        await self.cancel()

    @property
    def state(self) -> State:
        if self._task is None:
            return "idle"
        if not self._task.done():
            return "running"
        if self._error:
            return "failed"
        return "done" if self.report else "cancelled"

    @property
    def status(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "done": self._done,
            "total": self._total,
            "error": self._error,
            "code": self._error.code if self._error else None,
            "lanes": self._lanes,
        }

    def _forget(self) -> None:
        self.report = b""  # a ZIP file
        self._error: Coded | None = None
        self._done = self._total = 0
        self._lanes: Mapping[str, Any] = {}

    async def _run(self, prompts: list[str], options: Options, typist: str) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="livemind-") as folder:
                await self._measure(Path(folder), prompts, options, typist)
        except LiveMindError as error:
            self._error = error.coded
        except Exception as error:  # told to whoever asks; no prompt goes into the log
            log.error("The benchmark of a user's prompts failed.\n%s", where_raised(error))
            self._error = FAILED

    async def _measure(self, folder: Path, prompts: list[str], options: Options, typist: str) -> None:
        # Below are torch and numpy, which a server that is asked for no benchmark does without.
        from livemind_app.benchmark.typing.job import job_of, result_of
        from livemind_app.benchmark.typing.run import measure

        engine = self._manager.engines[options.models]
        await engine.ready()
        data = folder / "own" / "prompts.jsonl"
        data.parent.mkdir()
        data.write_text(
            "".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts), encoding="utf-8"
        )
        args = self._arguments(data, options, typist)
        began = time.perf_counter()
        job = job_of("typing", args, lanes(options.lanes, options_of(args.set)))
        with Records(folder / "journal.jsonl", job.identity(), resume=False) as journal:
            await measure(engine, job.bench, journal, self._count)
            seconds = time.perf_counter() - began
            result = await asyncio.to_thread(result_of, job, journal, engine, seconds)
        self.report = await asyncio.to_thread(_packed, folder / "report", data, result)
        self._lanes = result.summary["lanes"]

    def _count(self, record: Record) -> None:
        self._done += 1

    def _arguments(self, data: Path, options: Options, typist: str) -> argparse.Namespace:
        """Those of the command that repeats this run, on the server's own models."""
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        settings = settings_of(self._settings, options.models)
        given = {name: getattr(settings, name) for name in MODELS}
        given |= {"lanes": ",".join(options.lanes), "mode": options.mode, "typist": typist}
        given |= {"data": str(data), "json": "figures.json"}
        pairs = [f"--set={name}={json.dumps(value)}" for name, value in _changes(options).items()]
        told = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
        known = [f"--{name}={value}" for name, value in told.items()]
        return parser.parse_args([*known, *pairs])


def _changes(options: Options) -> dict[str, Any]:
    usual = asdict(Options())
    chosen = {name: value for name, value in asdict(options).items() if name not in NOT_FOR_LANES}
    return {name: value for name, value in chosen.items() if value != usual[name]}


def _packed(folder: Path, data: Path, result: Any) -> bytes:
    """Report, pictures, figures and the prompts themselves."""
    from livemind_app.benchmark.figures import write_figures
    from livemind_app.benchmark.typing.report import write_report

    write_report(folder, result.summary, result.meta, result.records)
    write_figures(folder / "figures.json", result.to_json())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
        archive.write(data, f"{data.parent.name}/{data.name}")  # as the report's command names it
    return packed.getvalue()
