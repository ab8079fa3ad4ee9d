"""What was measured, on disk as soon as it is known, in a file that survives a kill.

JSON Lines: the run's settings first, then whatever is added. It is only appended to. A last line that a kill
cut short is dropped when the journal is opened again; a run that begins anew puts an older one aside.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TextIO

from livemind_app.errors import ConfigError


class Journal:
    """Owned by one run. `lines`: what was added by this run or by the one that it goes on with."""

    def __init__(self, path: Path, settings: Mapping[str, Any], *, resume: bool) -> None:
        """Raises ConfigError for a run with other settings, and where nothing can be written."""
        self.lines: list[Any] = []
        try:
            self._file = self._open(path, settings, resume=resume)
        except OSError as error:
            raise ConfigError(f"--json: cannot write {path} ({type(error).__name__})") from error
        if self._file.tell() == 0:
            self._write({"settings": dict(settings)})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, line: Any) -> None:
        """Anything that JSON can say; on disk when this returns."""
        self._write(line)
        self.lines.append(line)

    def _open(self, path: Path, settings: Mapping[str, Any], *, resume: bool) -> TextIO:
        if path.exists() and resume:
            os.truncate(path, self._read(path, settings))
        elif path.exists():
            path.replace(path.with_suffix(".old" + path.suffix))  # of a run that may have been killed
        return path.open("a", encoding="utf-8", newline="\n")

    def _read(self, path: Path, settings: Mapping[str, Any]) -> int:
        """Take what is there; returns the length in bytes of its whole lines."""
        lines = path.read_bytes().split(b"\n")[:-1]
        if lines:
            _same_run(json.loads(lines[0])["settings"], json.loads(json.dumps(dict(settings))))
        self.lines = [json.loads(line) for line in lines[1:]]
        return sum(len(line) + 1 for line in lines)

    def _write(self, value: Any) -> None:
        self._file.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def write_figures(path: Path, result: Mapping[str, Any]) -> None:
    """A run's result, in `--json`. Raises ConfigError where it cannot be written."""
    try:
        path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--json: cannot write {path} ({type(error).__name__})") from error


def _same_run(before: dict[str, Any], now: dict[str, Any]) -> None:
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if names:
        raise ConfigError(f"--resume: the run began with other {', '.join(names)}; leave --resume out")
