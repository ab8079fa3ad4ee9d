"""Engines with everything that was trained for their models."""

from collections.abc import Mapping
from typing import Any

from livemind_app.config import Settings
from livemind_app.engine import loading
from livemind_app.engine.local import Abilities, Enable, Models
from livemind_app.engine.split import OwnedEngine
from livemind_app.llm_to_slm.loading import paired
from livemind_app.sentence_vae.generation.loading import compressing


def load_engine(
    *args: Any, adapter: str | None = None, sentence_vae: str | None = None, **options: Any
) -> OwnedEngine:
    """`livemind_app.engine.loading.load_engine`, with folders of what `livemind train` made for its models.

    None: what the package has for them.
    """
    return loading.load_engine(*args, enable=enabling(adapter, sentence_vae), **options)


def open_engine(settings: Settings) -> OwnedEngine:
    """What `load_engine` gives for the operator's settings."""
    return loading.open_engine(settings, enabling(settings.adapter, settings.sentence_vae))


def enabling(adapter: str | None = None, sentence_vae: str | None = None) -> Enable:
    def enable(models: Models) -> Abilities:
        guided: Mapping[Any, Any] = {("guide", "slm"): paired(models, adapter)}
        return {**guided, **compressing(models, sentence_vae)}

    return enable
