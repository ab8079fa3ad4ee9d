"""Packed weights on disk, mapped at the next start.

    <cache>/models/<name>/packed/<weights>-<machine>-<format>.safetensors     of a catalogue model
    <cache>/packed/<fingerprint>/…                                            of a folder or a hub model

The machine is a hash of torch's version and the processor's instructions: they decide on forms and layouts.
"""

import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import torch
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from livemind_app.engine.models.catalogue import CATALOGUE, entry
from livemind_app.engine.models.store import models_dir, publish

log = logging.getLogger(__name__)

Packed = Literal["int8", "int4", "gguf"]
FORMAT = 8  # raise it when weights packed today must be packed again


def load_or_pack(
    name: str, source: Path, weights: Packed, pack: Callable[[], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """The packed tensors of a model whose plain weights lie in `source`."""
    file = path(name, source, weights)
    if (
        kept := _read(file)
    ) is not None:  # it got its name in one step: no lock, which a read-only disk has none of
        return kept
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file.with_suffix(".lock")).acquire()
    except OSError as error:
        _not_kept(weights, error)
        return pack()
    with lock:
        return _read(file) or _packed(file, weights, pack)


def _read(file: Path) -> dict[str, Tensor] | None:
    """None if there is no such file, or one that a full disk or a crash has damaged."""
    if not file.is_file():
        return None
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        log.warning("%s is damaged and is packed again: %s", file, error)
        return None


def _packed(file: Path, weights: Packed, pack: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Packed now and, if the disk takes them, mapped from there."""
    tensors = pack()
    partial = file.with_suffix(".partial")
    try:
        save_file(tensors, partial)
        publish(partial, file)
        _drop_outdated(file.parent)
        return load_file(file)
    except (OSError, SafetensorError) as error:
        _not_kept(weights, error)
        partial.unlink(missing_ok=True)
        return tensors


def _drop_outdated(folder: Path) -> None:
    """What earlier versions of this program packed, some GB that nobody would read again."""
    for file in folder.iterdir():
        version = file.stem.rpartition("-")[2]
        if version.isdecimal() and int(version) < FORMAT:
            with suppress(OSError):  # a process of that version has it open, where that matters
                file.unlink()


def _not_kept(weights: Packed, error: Exception) -> None:
    log.warning("%s weights are packed again at every start: %s", weights, error)


def path(name: str, source: Path, weights: Packed) -> Path:
    """Where they are, or will be."""
    return _folder(name, source) / f"{weights}-{_machine()}-{FORMAT}.safetensors"


def _machine() -> str:
    facts = (torch.__version__, torch.backends.cpu.get_cpu_capability(), torch.cpu.get_capabilities())
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:8]


def _folder(name: str, source: Path) -> Path:
    if name in CATALOGUE:
        return models_dir() / entry(name).name / "packed"
    return models_dir().parent / "packed" / _fingerprint(source)


def _fingerprint(source: Path) -> str:
    """Of the weight files by name, size and time; their bytes would take too long to read."""
    files = sorted(source.glob("*.safetensors"))
    facts = [str(source.resolve()), *(f"{f.name} {f.stat().st_size} {f.stat().st_mtime_ns}" for f in files)]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
