"""The small model of an engine can write from the large one's states, where there is an adapter for both."""

import logging
from pathlib import Path

from livemind_app.engine.local import Method, Models
from livemind_app.engine.split import NO_STATES
from livemind_app.errors import ModelError
from livemind_app.llm_to_slm import adapter
from livemind_app.protocol import ROLES

log = logging.getLogger(__name__)


def paired(models: Models, folder: str | None = None) -> Method | str:
    """By the adapter of a folder, or else the package's own; a reason where neither can be used."""
    if not set(ROLES) <= models.keys():
        return NO_STATES
    llm, slm = models["llm"].name, models["slm"].name
    found = Path(folder) if folder else adapter.shipped(llm, slm)
    if found is None:
        return adapter.missing(llm, slm)
    try:
        return adapter.load(found).attach(models)
    except ModelError as error:
        log.warning("LLM-to-SLM is off: %s", error)
        return error.coded
