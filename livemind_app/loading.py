"""Engines with everything that was trained for their models."""

from collections.abc import Mapping
from typing import Any

from livemind_app.config import Settings
from livemind_app.engine import loading
from livemind_app.engine.local import Abilities, Enable, Models
from livemind_app.engine.scripted import ScriptedEngine, default_script
from livemind_app.engine.split import OwnedEngine
from livemind_app.errors import ConfigError
from livemind_app.llm_to_slm.loading import paired
from livemind_app.sentence_vae.generation.loading import compressing

SCRIPTED = "scripted"  # [:WORDS:SECONDS], for load tests: what is measured then is the server
SCRIPTED_TOKEN_S = 0.002


def load_engine(
    *args: Any, adapter: str | None = None, sentence_vae: str | None = None, **options: Any
) -> OwnedEngine:
    """`livemind_app.engine.loading.load_engine`, with folders of what `livemind train` made for its models.

    None: what the package has for them.
    """
    return loading.load_engine(*args, enable=enabling(adapter, sentence_vae), **options)


def open_engine(settings: Settings) -> OwnedEngine:
    """What `load_engine` gives for the operator's settings; `--llm scripted` needs no model."""
    if settings.llm and settings.llm.partition(":")[0] == SCRIPTED:
        return _scripted(settings.llm)
    return loading.open_engine(settings, enabling(settings.adapter, settings.sentence_vae))


def _scripted(name: str) -> OwnedEngine:
    """`scripted` answers in a sentence; `scripted:WORDS:SECONDS` so many words, one in so many seconds."""
    _, words, seconds = (*name.split(":"), "", "")[:3]
    try:
        count, token_s = int(words or 0), float(seconds or SCRIPTED_TOKEN_S)
    except ValueError:
        raise ConfigError(f"--llm {name}: write {SCRIPTED}:WORDS:SECONDS, both numbers") from None
    reply = " ".join(f"word{number}" for number in range(count))
    return ScriptedEngine(
        lambda role, prompt: reply or default_script(role, prompt),
        token_s=token_s,
        recorded=False,  # hours of load would fill the memory
    )


def enabling(adapter: str | None = None, sentence_vae: str | None = None) -> Enable:
    def enable(models: Models) -> Abilities:
        guided: Mapping[Any, Any] = {("guide", "slm"): paired(models, adapter)}
        return {**guided, **compressing(models, sentence_vae)}

    return enable
