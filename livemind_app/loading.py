"""Engines with everything that was trained for their models."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from livemind_app.config import Preset, Settings
from livemind_app.engine import loading
from livemind_app.engine.later import LaterEngine
from livemind_app.engine.local import Abilities, Enable, Models
from livemind_app.engine.lookahead import read_draft_text
from livemind_app.engine.models.catalogue import PRESETS
from livemind_app.engine.remote.address import is_address, parse
from livemind_app.engine.remote.limits import RemoteLimits
from livemind_app.engine.scheduler import Worker
from livemind_app.engine.scripted import ScriptedEngine, default_script
from livemind_app.engine.split import OwnedEngine
from livemind_app.errors import ConfigError
from livemind_app.llm_to_slm.loading import paired
from livemind_app.protocol import ROLES
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
    """The server's own models alone, which begin to load at once; `--llm scripted` needs none."""
    if _is_scripted(settings):
        return _scripted(settings.llm or "")
    return Opener(settings).open(_chosen(settings))


def models_of(settings: Settings) -> dict[str, str]:
    """By role, what `open_engine` takes on this machine."""
    if _is_scripted(settings):
        return dict.fromkeys(ROLES, SCRIPTED)
    return {role: short_name(name) for role, name in _chosen(settings).names.items()}


@dataclass(frozen=True)
class Offer:
    """Pairs of models that users choose among, by name; the first is the server's own."""

    engines: Mapping[str, OwnedEngine]
    worker: Worker

    def close(self) -> None:
        self.worker.close()
        for engine in self.engines.values():
            engine.close()


def open_offer(settings: Settings) -> Offer:
    """The server's own models, which begin to load at once, and others, which do when somebody chooses them.

    All that are computed here share one thread, and each model is loaded once, whatever pairs it is in.
    """
    worker = Worker()
    if _is_scripted(settings):
        return Offer({SCRIPTED: open_engine(settings)}, worker)
    own = _chosen(settings)
    opener = Opener(settings, worker)
    others = {name: opener.later(_chosen(pair)) for name, pair in _others(settings, own).items()}
    return Offer({_name_of(settings, own): opener.open(own), **others}, worker)


def settings_of(settings: Settings, name: str) -> Settings:
    """With which a server has the pair of this name as its own."""
    return next((_pair(settings, each) for each in _offered(settings) if pair_name(each) == name), settings)


class Opener:
    """Engines of pairs of models; with a `worker` on its one thread."""

    def __init__(self, settings: Settings, worker: Worker | None = None) -> None:
        public = read_draft_text(settings.draft_text) if settings.draft_text else ""
        self._shelf = loading.Shelf(
            settings.dtype,
            weights=settings.weights,
            prefill=settings.prefill,
            shared_drafts=settings.drafts == "shared",
            public=public,
        )
        limits = RemoteLimits(**settings.remote_limits)
        self._servers = loading.Servers(settings.api_key or "", settings.affinity_header, limits)
        self._enable = enabling(settings.adapter, settings.sentence_vae)
        self._worker = worker

    def open(self, choice: loading.Choice) -> OwnedEngine:
        return loading.open_pair(choice, self._shelf, self._servers, self._enable, worker=self._worker)

    def later(self, choice: loading.Choice) -> LaterEngine:
        names = {role: short_name(name) for role, name in choice.names.items()}
        remote = [role for role, name in choice.names.items() if is_address(name)]
        return LaterEngine(names, lambda: self.open(choice), lambda: self._shelf.short_of(choice), remote)


def pair_name(written: str) -> str:
    """What users see of a preset or LLM+SLM: not where a server or a folder is.

    >>> pair_name("small"), pair_name("http://10.0.0.5:8000/v1#qwen3+/srv/models/smol")
    ('small', 'qwen3+smol')
    """
    return "+".join(short_name(model) for model in written.split("+"))


def short_name(model: str) -> str:
    """
    >>> short_name("Qwen/Qwen3-0.6B")
    'Qwen3-0.6B'
    """
    if is_address(model):
        return parse(model).model or "server"
    return model.rstrip("/").rpartition("/")[2]


def _chosen(settings: Settings) -> loading.Choice:
    return loading.choose(settings.preset, settings.llm, settings.slm, settings.dtype, settings.weights)


def _name_of(settings: Settings, own: loading.Choice) -> str:
    if settings.llm or settings.slm:
        return pair_name("+".join(own.names[role] for role in ROLES))
    return next(preset.name for preset in PRESETS.values() if preset.names == own.names)


def _others(settings: Settings, own: loading.Choice) -> dict[str, Settings]:
    """By name: what the operator offers; or presets that are smaller than the server's own."""
    name = _name_of(settings, own)
    offered = _offered(settings)
    if settings.offer is None:
        offered = offered[offered.index(name) :] if name in offered else ()
    names = [pair_name(each) for each in offered]
    if twice := [each for each in dict.fromkeys(names) if names.count(each) > 1]:
        raise ConfigError(f"--offer names {twice[0]} twice, as users see it; leave one of them out")
    return {pair_name(each): _pair(settings, each) for each in offered if pair_name(each) != name}


def _offered(settings: Settings) -> tuple[str, ...]:
    return tuple(PRESETS) if settings.offer is None else settings.offer


def _pair(settings: Settings, written: str) -> Settings:
    if written in get_args(Preset):
        return replace(settings, preset=cast("Preset", written), llm=None, slm=None)
    llm, _, slm = written.partition("+")
    return replace(settings, llm=llm, slm=slm or llm)


def _is_scripted(settings: Settings) -> bool:
    return (settings.llm or "").partition(":")[0] == SCRIPTED


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
