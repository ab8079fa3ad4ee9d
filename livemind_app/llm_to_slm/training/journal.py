"""JSON Lines on disk: what they were made with first, then a line for each thing that is done."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from livemind_app.errors import ConfigError


class Journal:
    """`rows` by id. A killed run leaves whole lines, and the next one goes on after them."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        """Raises ConfigError where the file was made with other settings."""
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = _whole_lines(path)
        first, *rows = [json.loads(line) for line in whole.split(b"\n")[:-1]] or [None]
        if first is not None and first != json.loads(json.dumps(settings)):
            raise ConfigError(f"{path} was made with {first}, not with {settings}; choose another folder")
        self.rows: dict[str, dict[str, Any]] = {row["id"]: row for row in rows}
        self._file = path.open("ab")
        self._file.truncate(len(whole))
        if first is None:
            self._write(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, row: dict[str, Any]) -> None:
        self.rows[row["id"]] = row
        self._write(row)

    def sync(self) -> None:
        """On disk, whatever happens now."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def _write(self, row: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self._file.flush()


def _whole_lines(path: Path) -> bytes:
    """What was written before a kill, without half a line."""
    data = path.read_bytes() if path.is_file() else b""
    return data[: data.rfind(b"\n") + 1]
