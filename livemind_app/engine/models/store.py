"""Where models lie on disk, and in which state.

    <cache>/models/<name>/<file>.gguf           the published file, checked; kept after the conversion
                         wheels/                parts of a fetch under way
                         hub.partial/           a hub download under way
                         bf16/                  the conversion; livemind.json inside says that it is complete
                         bf16.partial/          a conversion under way

<cache> is LIVEMIND_CACHE, or else the user's cache folder. A folder named by LIVEMIND_MODELS is looked at
first and never written to; it holds published files, converted folders, or a copy of <cache>/models.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Literal

from filelock import FileLock
from platformdirs import user_cache_dir

from livemind_app.engine.models.catalogue import Entry, entry
from livemind_app.engine.models.progress import sizes
from livemind_app.errors import InsufficientSpace

State = Literal["missing", "fetched", "converted"]
MANIFEST = "livemind.json"
FORMAT = 2  # raise it when a conversion of today must be done again


def models_dir() -> Path:
    """The folder of all models in the cache."""
    cache = os.environ.get("LIVEMIND_CACHE") or user_cache_dir("livemind", appauthor=False)
    return Path(cache).expanduser() / "models"


def own_dir() -> Path | None:
    """The user's own folder of models, which we only read."""
    own = os.environ.get("LIVEMIND_MODELS")
    return Path(own).expanduser() if own else None


def folder(model: Entry) -> Path:
    """Everything of one model in the cache, made if need be."""
    path = models_dir() / model.name
    path.mkdir(parents=True, exist_ok=True)
    return path


def partial(model: Entry) -> Path:
    """Where it is converted to, until it is whole."""
    return models_dir() / model.name / "bf16.partial"


def drop_partial(model: Entry) -> None:
    """What a conversion left that was killed, or ran out of disk. The caller holds the lock."""
    shutil.rmtree(partial(model), ignore_errors=True)


def lock(model: Entry) -> FileLock:
    """Held by whoever fetches or converts a model; another process waits, then finds the work done."""
    return FileLock(folder(model) / ".lock")


def own_file(model: Entry) -> Path | None:
    """The published file in the user's folder; its checksum is not known yet."""
    own = own_dir()
    candidates = (own / model.file, own / model.name / model.file) if own else ()
    return next((path for path in candidates if path.is_file()), None)


def kept_file(model: Entry) -> Path | None:
    """The published file in the cache; it was checked before it got its name."""
    path = models_dir() / model.name / model.file
    return path if path.is_file() and path.stat().st_size == model.bytes else None


def converted(model: Entry) -> Path | None:
    """The folder that a model is loaded from, if there is one."""
    own = own_dir()
    for path in (own / model.name, own / model.name / "bf16") if own else ():
        if (path / "config.json").is_file() and any(path.glob("*.safetensors")):
            return path
    path = models_dir() / model.name / "bf16"
    return path if _complete(path, model) else None


def _complete(path: Path, model: Entry) -> bool:
    try:
        manifest = json.loads((path / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(manifest.get("format") == FORMAT and manifest.get("sha256") == model.sha256)


def state(name: str) -> State:
    """How far a catalogue model has come."""
    model = entry(name)
    if converted(model):
        return "converted"
    return "fetched" if own_file(model) or kept_file(model) else "missing"


def path(name: str) -> Path | None:
    """The converted folder, or else the published file, or None."""
    model = entry(name)
    return converted(model) or own_file(model) or kept_file(model)


def disk_needed(name: str) -> int:
    """Bytes still to be free before a model can be fetched and converted."""
    model = entry(name)
    if state(name) == "missing":
        return max(model.peak_bytes - sum(sizes(models_dir() / name)), model.converted_bytes)
    return 0 if converted(model) else max(0, model.converted_bytes - sum(sizes(partial(model))))


def free_disk() -> int:
    """Bytes free where the cache is, or will be."""
    nearest = models_dir().absolute()
    while not os.path.exists(nearest):  # Path's fails where a folder may not be looked into
        nearest = nearest.parent
    return shutil.disk_usage(nearest).free


def require_space(name: str) -> None:
    """Refuse early what would fill the disk halfway."""
    needed, free = disk_needed(name), free_disk()
    if needed > free:
        raise InsufficientSpace(
            f"{name} needs {needed} bytes for its file and its conversion; {models_dir()} has {free} bytes "
            "free. Free some space, set LIVEMIND_CACHE to another disk, or choose a smaller preset."
        )


def publish(partial: Path, final: Path) -> None:
    """Give finished work its name in one step; before it, a crash leaves only the partial."""
    for item in (partial, *partial.rglob("*")) if partial.is_dir() else (partial,):
        _fsync(item)
    if final.is_dir():
        shutil.rmtree(final)
    os.replace(partial, final)
    _fsync(final.parent)


def _fsync(item: Path) -> None:
    if item.is_dir() and os.name == "nt":
        return  # Windows cannot open folders
    handle = os.open(item, os.O_RDONLY if item.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
