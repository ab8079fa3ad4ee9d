"""What models of an engine can do with the checkpoints that fit them; read when they are first needed."""

import logging
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import get_args

from livemind_app.engine.cache import CachePool
from livemind_app.engine.local import Abilities, Method, Models
from livemind_app.engine.model import LoadedModel
from livemind_app.engine.scheduler import Generation
from livemind_app.errors import Coded, EngineError, ModelError
from livemind_app.protocol import Ability, Compression, Request, Role
from livemind_app.sentence_vae.bundle import open_hybrid, open_sllm
from livemind_app.sentence_vae.codec import drop_layers
from livemind_app.sentence_vae.files import CODEC, check_model, shipped
from livemind_app.sentence_vae.generation.hybrid import HybridMethod
from livemind_app.sentence_vae.generation.sllm import SllmMethod
from livemind_app.training import checkpoint, lora
from livemind_app.training.merged import merged

log = logging.getLogger(__name__)


def compressing(models: Models, folder: str | None = None) -> Abilities:
    """By the checkpoints of a folder, or else the package's own; a reason where they cannot be used."""
    made: dict[tuple[Compression, str], Method | str] = {}
    found: dict[tuple[Ability, Role], Method | str] = {}
    for role, model in models.items():
        for setting in get_args(Compression):
            key = setting, model.name
            made[key] = made.get(key) or _method(setting, model, folder)
            found[setting, role] = made[key]
    return found


def _method(setting: Compression, model: LoadedModel, folder: str | None) -> Method | str:
    """Not read yet: a base in fp32 is half a gigabyte, and few ask for it."""
    root = Path(folder) if folder else shipped(model.name)
    try:
        if root is None or not (folder or (root / setting / checkpoint.META).is_file()):
            raise ModelError(f"there is no SentenceVAE of this kind for {model.name}")
        for part in (CODEC, setting):
            base = checkpoint.read_meta(root / part).get("base")
            if base != model.name:
                raise ModelError(f"{root / part} was trained around {base}, not {model.name}")
        check_model(root / setting, setting, root / CODEC)
    except ModelError as error:
        return Coded("no_sentence_vae", f"{error}; {_advice(setting, model.name)}")
    return OpenedMethod(lambda: _opened(setting, model, root))


def _opened(setting: Compression, model: LoadedModel, root: Path) -> Method:
    if setting == "sllm":
        return SllmMethod(model, open_sllm(root))
    context = open_hybrid(root, merge=False)
    compressed = merged(model, lora.state(context.all_updates), alpha=2 * context.config.rank)
    drop_layers(context.base)
    return HybridMethod(compressed, context)


def _advice(setting: Compression, base: str) -> str:
    hybrid = " --setting hybrid" if setting == "hybrid" else ""
    return (
        f"train one with `livemind train sentence-vae --base {base}` and `livemind train sllm{hybrid}`, "
        "and serve with `--sentence-vae FOLDER`"
    )


class OpenedMethod:
    """Implements engine.local.Method, by one that is made at the first request."""

    def __init__(self, open: Callable[[], Method]) -> None:
        self._open = open

    def generation(self, pool: CachePool, request: Request) -> Generation:
        method = self._method
        if isinstance(method, ModelError):
            raise EngineError(str(method)) from method
        yield from method.generation(pool, request)

    @cached_property
    def _method(self) -> Method | ModelError:
        """What cannot be opened is not tried at every request."""
        try:
            return self._open()
        except ModelError as error:
            return error
