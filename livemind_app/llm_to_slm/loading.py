"""An engine whose small model can write from the large one's states, where there is an adapter for both."""

import logging
from pathlib import Path
from typing import Any

from livemind_app.config import Settings
from livemind_app.engine import loading
from livemind_app.engine.local import Guided, Models, Pair
from livemind_app.engine.split import OwnedEngine
from livemind_app.errors import ModelError
from livemind_app.llm_to_slm import adapter

log = logging.getLogger(__name__)


def paired(folder: str | None) -> Pair:
    """The adapter of a folder, or else the package's own; a reason where neither can be used."""

    def pair(models: Models) -> Guided | str:
        llm, slm = models["llm"].name, models["slm"].name
        found = Path(folder) if folder else adapter.shipped(llm, slm)
        if found is None:
            return adapter.missing(llm, slm)
        try:
            return adapter.load(found).attach(models)
        except ModelError as error:
            log.warning("LLM-to-SLM is off: %s", error)
            return str(error)

    return pair


def load_engine(*args: Any, adapter: str | None = None, **options: Any) -> OwnedEngine:
    """`livemind_app.engine.loading.load_engine`, and `adapter`, a folder, for its pair of models."""
    return loading.load_engine(*args, pair=paired(adapter), **options)


def open_engine(settings: Settings) -> OwnedEngine:
    """What `load_engine` gives for the operator's settings."""
    return loading.open_engine(settings, paired(settings.adapter))
