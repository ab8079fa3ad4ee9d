"""An engine from names: which models take which role, fetched and loaded in the background."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from livemind_app.config import Settings
from livemind_app.engine.chat import ChatTokenizer
from livemind_app.engine.local import CACHE_BYTES, Enable, LocalEngine, Report, plain
from livemind_app.engine.lookahead import read_draft_text, shared_drafts, with_lookahead
from livemind_app.engine.model import LoadedModel
from livemind_app.engine.models.catalogue import preset as named
from livemind_app.engine.models.fit import fit
from livemind_app.engine.models.load import load, resolve_dtype, resolve_weights
from livemind_app.engine.models.prepare import prepare
from livemind_app.engine.models.progress import Progress
from livemind_app.engine.remote.address import is_address, parse
from livemind_app.engine.remote.limits import USUAL, RemoteLimits
from livemind_app.engine.split import OwnedEngine, SplitEngine
from livemind_app.errors import Coded
from livemind_app.protocol import ROLES, ModelStatus, Role

Read = Callable[[str], LoadedModel]  # by its name

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """The model of each role, and why it is not a larger one."""

    names: Mapping[Role, str]
    reason: str = ""


def load_engine(
    preset: str | None = None,
    llm: str | None = None,
    slm: str | None = None,
    dtype: str = "auto",
    *,
    weights: str = "auto",
    prefill: str = "plain",
    drafts: str = "own",
    draft_text: str | None = None,
    cache_bytes: int = CACHE_BYTES,
    api_key: str = "",
    affinity_header: str | None = None,
    remote_limits: RemoteLimits = USUAL,
    enable: Enable = plain,
) -> OwnedEngine:
    """An engine that begins to fetch and load at once; `await engine.ready()` or `engine.wait()` for it.

    `preset` None is `base`, stepping down where memory or disk is short. `llm` and `slm` replace the
    preset's models: a catalogue name, a local folder, a hub id, or a server's address,
    `http://host:port/v1#model`, which `api_key` opens and which a router before it keeps sessions apart
    by `affinity_header`; `remote_limits` say how long it is waited for. `weights` and `prefill` as in `load`.
    Lookahead drafts from a session's own text; `drafts="shared"` adds everybody's answers, `draft_text`
    a file. `enable` adds what models can do with what was trained for them (livemind_app/loading.py).
    """
    public = read_draft_text(draft_text) if draft_text else ""

    def read(name: str) -> LoadedModel:
        network, tokenizer = load(name, dtype=dtype, device=device(), weights=weights, prefill=prefill)
        model = wrap(name, network, tokenizer)
        return with_lookahead(model, shared_drafts(model, public, open=drafts == "shared"))

    def load_all(report: Report) -> dict[Role, LoadedModel]:
        choice = choose(preset, llm, slm, dtype, weights)
        if choice.reason:
            log.warning("a smaller preset was chosen: %s", choice.reason)
        return _load_all(choice, local, read, report)

    named: dict[Role, str | None] = {"llm": llm, "slm": slm}
    remote = {role: name for role, name in named.items() if name and is_address(name)}
    local = [role for role in ROLES if role not in remote]
    engines = _remote_engines(remote, api_key, affinity_header, remote_limits)
    if local:
        engine = LocalEngine(load_all, cache_bytes, local, enable)
        engines.update(dict.fromkeys(local, engine))
    return SplitEngine(engines) if remote else engines["llm"]


def _remote_engines(
    names: Mapping[Role, str], key: str, affinity: str | None, limits: RemoteLimits
) -> dict[Role, OwnedEngine]:
    """One for each address, whatever roles it has."""
    from livemind_app.engine.remote.remote import AFFINITY, RemoteEngine

    engines: dict[Role, OwnedEngine] = {}
    for name in dict.fromkeys(names.values()):
        roles = [role for role in ROLES if names.get(role) == name]
        engine = RemoteEngine(parse(name), roles, key=key, affinity=affinity or AFFINITY, limits=limits)
        engines.update(dict.fromkeys(roles, engine))
    return engines


def open_engine(settings: Settings, enable: Enable = plain) -> OwnedEngine:
    """What `load_engine` gives for the operator's settings."""
    return load_engine(
        settings.preset,
        settings.llm,
        settings.slm,
        settings.dtype,
        weights=settings.weights,
        prefill=settings.prefill,
        drafts=settings.drafts,
        draft_text=settings.draft_text,
        api_key=settings.api_key or "",
        affinity_header=settings.affinity_header,
        remote_limits=RemoteLimits(**settings.remote_limits),
        enable=enable,
    )


def choose(preset: str | None, llm: str | None, slm: str | None, dtype: str, weights: str = "auto") -> Choice:
    """Names for the roles. Raises ConfigError or UnknownModel for names that do not exist."""
    if llm and slm:
        return Choice({"llm": llm, "slm": slm})
    if preset:
        chosen = named(preset)
        return Choice({"llm": llm or chosen.llm, "slm": slm or chosen.slm})
    packed = resolve_weights(weights, "", dtype, device())
    fitting = fit(weight_bytes=2 if packed else resolve_dtype(dtype, device(), weights).itemsize)
    chosen = fitting.preset
    return Choice(
        {"llm": llm or chosen.llm, "slm": slm or chosen.slm},
        Coded("smaller_preset", "; ".join(fitting.reasons)),
    )


def device() -> str:
    """The accelerator, when there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _load_all(choice: Choice, wanted: Sequence[Role], read: Read, report: Report) -> dict[Role, LoadedModel]:
    """Each distinct model once; a model in both roles is shared."""
    loaded: dict[str, LoadedModel] = {}
    for role in wanted:
        report(ModelStatus(role, choice.names[role], "missing", detail=choice.reason))
    for name in dict.fromkeys(choice.names[role] for role in wanted):
        roles = [role for role in wanted if choice.names[role] == name]
        loaded[name] = _load_one(name, roles, read, report)
        for role in roles:
            report(ModelStatus(role, name, "ready", detail=choice.reason))
    return {role: loaded[choice.names[role]] for role in wanted}


def _load_one(name: str, roles: list[Role], read: Read, report: Report) -> LoadedModel:
    def progress(step: Progress) -> None:
        for role in roles:
            report(ModelStatus(role, name, "fetching", step.fraction, step.what))

    prepare(name, progress)
    for role in roles:
        report(ModelStatus(role, name, "loading"))
    return read(name)


def wrap(name: str, network: Any, tokenizer: Any) -> LoadedModel:
    """A transformers model and its tokenizer as the engine computes on them."""
    context = network.config.get_text_config().max_position_embeddings
    chat = ChatTokenizer(tokenizer, context)
    return LoadedModel(
        name=name,
        model=network.eval(),
        tokenizer=chat,
        end_ids=chat.end_ids(network.generation_config.eos_token_id),
        context=context,
    )
