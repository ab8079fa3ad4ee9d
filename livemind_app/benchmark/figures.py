"""The file that a benchmark's `--json` names."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livemind_app.errors import ConfigError


def write_figures(path: Path, result: Mapping[str, Any]) -> None:
    """A run's result: the whole file or none of it. Raises ConfigError where it cannot be written."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise ConfigError(f"--json: cannot write {path} ({type(error).__name__})") from error
