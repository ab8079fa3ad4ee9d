"""What a run was made with, so that it can be made again."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livemind_app.benchmark.machine import machine
from livemind_app.benchmark.typing.arguments import FILES
from livemind_app.benchmark.typing.datasets import Source
from livemind_app.config import Settings
from livemind_app.errors import ConfigError
from livemind_app.protocol import Engine
from livemind_app.training.checkpoint import META

PACKAGES = ("torch", "transformers", "numpy")


def data_of(sources: Sequence[Source]) -> dict[str, dict[str, Any]]:
    """Hash and number of questions by file."""
    return {source.label: {"sha256": source.sha256, "questions": len(source.questions)} for source in sources}


def facts(engine: Engine) -> dict[str, Any]:
    """Models, versions, processor and commit."""
    return {"models": {status.role: status.name for status in engine.status()}, **machine(PACKAGES)}


def fingerprints(settings: Settings) -> dict[str, str]:
    """What is in the files that settings name: they may be other ones when a run is resumed."""
    given = {name: getattr(settings, name) for name in FILES}
    return {name: _sha256(name, Path(path)) for name, path in given.items() if path}


def _sha256(name: str, path: Path) -> str:
    """Of a file, or of the descriptions of a folder's checkpoints, which have the hash of every part."""
    option = "--" + name.replace("_", "-")
    files = sorted(path.rglob(META)) if path.is_dir() else [path]
    if not files:
        raise ConfigError(f"{option}: {path} holds no checkpoint")
    digest = hashlib.sha256()
    try:
        for file in files:
            digest.update(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{option}: cannot read {path} ({type(error).__name__})") from error
    return digest.hexdigest()
