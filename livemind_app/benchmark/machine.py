"""What a run was made on and with, so that it can be made again."""

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from livemind_app import __version__

GIT = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """Versions, processor and commit."""
    versions = {"livemind": __version__, "python": platform.python_version()}
    return {
        "versions": {**versions, **{name: _version(name) for name in packages}},
        "cpu": {"model": _cpu(), "count": os.cpu_count()},
        "commit": COMMIT,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    """The processor's own name on Linux; elsewhere what the system calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n")
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _commit() -> str | None:
    """Of the checkout that the package is run from, `-dirty` where files were changed; None elsewhere."""
    folder = Path(__file__).parent
    try:
        done = subprocess.run(  # noqa: S603 - no part of the command comes from outside
            GIT, cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


COMMIT = _commit()  # when the code was loaded: a run takes hours, and others are made meanwhile
