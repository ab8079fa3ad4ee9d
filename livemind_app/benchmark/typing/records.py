"""What was measured, one record a question and lane, and the journal that survives a kill.

The journal is JSON Lines: the run's settings first, then a record as soon as it is known. It is only
appended to. A last line that a kill cut short is dropped when the journal is opened again.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self, TextIO

from livemind_app.errors import ConfigError


@dataclass(frozen=True)
class Record:
    """Times are seconds from submit; None where there is none."""

    question: str
    kind: str
    sentences: int
    lane: str
    status: str  # of the session's lane
    ttft: float | None = None
    latency: float | None = None
    overhead: float = 0.0  # submit waiting for what was computing
    tokens_before: int = 0  # generated before submit
    tokens_after: int = 0
    ready: int = 0  # of the answer's tokens, there at submit
    wasted: int = 0  # of tokens_before, thrown away
    prompt_tokens: int = 0
    prefilled_after: int = 0  # of prompt_tokens, computed after submit
    thinking_s: float = 0.0  # computed before submit
    typing_s: float = 0.0  # the typist's time
    notes: tuple[str, ...] = ()
    waits: int = 0  # steps of thinking that made no note
    answer: str = ""
    extracted: str | None = None
    correct: bool | None = None  # None: there is no key

    @property
    def measured(self) -> bool:
        return self.latency is not None


class Journal:
    """Owned by one run; `records` holds what it knows, by question and lane."""

    def __init__(self, path: Path, settings: Mapping[str, Any], *, resume: bool) -> None:
        """Raises ConfigError for a run with other settings, and where nothing can be written."""
        self.records: dict[tuple[str, str], Record] = {}
        try:
            self._file = self._open(path, settings, resume=resume)
        except OSError as error:
            raise ConfigError(f"--json: cannot write {path} ({type(error).__name__})") from error
        if self._file.tell() == 0:
            self._write({"settings": dict(settings)})

    def _open(self, path: Path, settings: Mapping[str, Any], *, resume: bool) -> TextIO:
        if path.exists() and resume:
            os.truncate(path, self._read(path, settings))
        elif path.exists():
            path.replace(path.with_suffix(".old" + path.suffix))  # of a run that may have been killed
        return path.open("a", encoding="utf-8", newline="\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, record: Record) -> None:
        self._write(asdict(record))
        self.records[record.question, record.lane] = record

    def _write(self, value: dict[str, Any]) -> None:
        """On disk when this returns."""
        self._file.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self, path: Path, settings: Mapping[str, Any]) -> int:
        """Take what is there; returns the length in bytes of its whole lines."""
        lines = path.read_bytes().split(b"\n")[:-1]
        if lines:
            _same_run(json.loads(lines[0])["settings"], json.loads(json.dumps(dict(settings))))
        for line in lines[1:]:
            record = _record(json.loads(line))
            if record.measured:  # what failed is asked again
                self.records[record.question, record.lane] = record
        return sum(len(line) + 1 for line in lines)


def _same_run(before: dict[str, Any], now: dict[str, Any]) -> None:
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if names:
        raise ConfigError(f"--resume: the run began with other {', '.join(names)}; leave --resume out")


def _record(values: dict[str, Any]) -> Record:
    known = {field.name for field in fields(Record)}
    return Record(**{name: value for name, value in values.items() if name in known} | _notes(values))


def _notes(values: dict[str, Any]) -> dict[str, Any]:
    return {"notes": tuple(values.get("notes", ()))}
