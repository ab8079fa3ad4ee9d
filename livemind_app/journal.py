"""What was measured or made, on disk as soon as it is known, in a file that survives a kill.

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

    remedy = "leave --resume out"  # where the settings are others

    def __init__(self, path: Path, settings: Mapping[str, Any], *, resume: bool) -> None:
        """Raises ConfigError for a run with other settings, and where nothing can be written."""
        self.lines: list[Any] = []
        try:
            self._file = self._open(path, settings, resume=resume)
        except OSError as error:
            raise ConfigError(f"cannot write {path} ({type(error).__name__})") from error
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
            self._same_run(path, _settings(path, lines[0]), json.loads(json.dumps(dict(settings))))
        self.lines = [json.loads(line) for line in lines[1:]]
        return sum(len(line) + 1 for line in lines)

    def _same_run(self, path: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
        names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        if names:
            raise ConfigError(f"{path} was begun with other {', '.join(names)}; {self.remedy}")

    def _write(self, value: Any) -> None:
        self._file.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _settings(path: Path, line: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(line)["settings"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is another kind of file; choose another name") from error


class Table(Journal):
    """Rows by their `id`. It always goes on where it was, and makes its folder."""

    remedy = "choose another folder"

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, settings, resume=True)
        self.rows: dict[str, dict[str, Any]] = {row["id"]: row for row in self.lines}

    def add(self, line: dict[str, Any]) -> None:
        super().add(line)
        self.rows[line["id"]] = line
