"""From a name to a folder that can be loaded, doing whatever is still missing."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from livemind_app.engine.models import sources, store
from livemind_app.engine.models.catalogue import CATALOGUE, Entry, entry
from livemind_app.engine.models.hub import snapshot
from livemind_app.engine.models.progress import Progress, Report, silent
from livemind_app.errors import Coded, ModelError, UnknownModel

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def prepare(name: str, report: Report = silent) -> Path:
    """The folder of a catalogue name, a local folder or a hub id; fetched and converted if need be."""
    if name in CATALOGUE:
        with _cache_in_use():
            return _catalogued(entry(name), report)
    if (folder := Path(name).expanduser()).is_dir():
        return _checked(folder)
    if HUB_ID.fullmatch(name):
        return _checked(snapshot(name, report))
    known = ", ".join(CATALOGUE)
    raise UnknownModel(f"{name!r} is no catalogue name ({known}), no local folder and no hub id (owner/name)")


def fetch(name: str, report: Report = silent) -> Path:
    """The published GGUF file of a catalogue model, for what needs its 4-bit blocks."""
    model = entry(name)
    with _cache_in_use(), store.lock(model):
        return sources.fetch(model, report)


@contextmanager
def _cache_in_use() -> Iterator[None]:
    """What the disk refuses is told in words: no right to write, no space, no such device."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelError(
            f"{store.models_dir()} cannot be used ({reason}); free some space, or set LIVEMIND_CACHE to a "
            "folder that can be written"
        ) from error


def _catalogued(model: Entry, report: Report) -> Path:
    if ready := store.converted(model):
        return ready
    report(Progress(0, model.bytes, Coded("waiting", f"{model.name}: waiting for its turn")))
    with store.lock(model):
        return store.converted(model) or _fetch_and_convert(model, report)


def _fetch_and_convert(model: Entry, report: Report) -> Path:
    from livemind_app.engine.models.convert import convert

    file = sources.fetch(model, report)
    store.drop_partial(model)
    store.require_space(model.name)
    return convert(model, file, report)


def _checked(folder: Path) -> Path:
    """The folder if it holds a model in safetensors; a clear refusal if not."""
    if not (folder / "config.json").is_file():
        raise UnknownModel(f"{folder} holds no model: it has no config.json")
    if any(folder.glob("*.safetensors")):
        return folder
    if any(file for pattern in PICKLES for file in folder.glob(pattern)):
        raise ModelError(
            f"{folder} has only pickled weights, which can run code; save it as safetensors first"
        )
    raise ModelError(f"{folder} has no safetensors weights")
