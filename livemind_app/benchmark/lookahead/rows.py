"""What was measured, on disk as soon as it is known."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from livemind_app.errors import ConfigError


@dataclass(frozen=True)
class Row:
    """One answer by one arm."""

    prompt: str
    dataset: str
    arm: str
    warm: bool
    tokens: int
    seconds: float  # from the first token to the last
    forwards: int
    drafted: int
    draft_s: float  # of them, drafting
    diverged: int | None = None  # index of the first token that greedy decoding does not say
    margin: float | None = None  # of logits there

    @property
    def rate(self) -> float:
        """Tokens a second after the first; 0 where there is nothing to time."""
        return (self.tokens - 1) / self.seconds if self.tokens > 1 and self.seconds > 0 else 0.0


class Rows:
    """JSON Lines: the settings first, then for each prompt the rows of all arms on one line."""

    def __init__(self, path: Path, settings: Mapping[str, Any], *, resume: bool) -> None:
        """Raises ConfigError for rows of other settings, and where nothing can be written."""
        self.all: list[Row] = []
        try:
            lines = _whole_lines(path) if resume and path.exists() else []
            if lines and lines[0] != json.loads(json.dumps(settings)):
                raise ConfigError(f"--resume: {path} is of a run with other settings")
            for line in lines[1:]:
                self.all += [Row(**row) for row in line]
            self._file = path.open("w", encoding="utf-8", newline="\n")
            self._write(dict(settings))
            for line in lines[1:]:
                self._write(line)
        except OSError as error:
            raise ConfigError(f"--json: cannot write {path} ({type(error).__name__})") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def done(self) -> set[str]:
        return {row.prompt for row in self.all}

    def add(self, rows: Sequence[Row]) -> None:
        """All of one prompt."""
        self.all += rows
        self._write([asdict(row) for row in rows])

    def _write(self, value: Any) -> None:
        self._file.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _whole_lines(path: Path) -> list[Any]:
    """A last line that a kill cut short is left out."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
