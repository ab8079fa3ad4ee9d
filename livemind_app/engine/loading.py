"""An engine from names: which models take which role, fetched and loaded in the background."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from livemind_app.engine.chat import ChatTokenizer
from livemind_app.engine.local import CACHE_BYTES, Enable, LocalEngine, Report, plain
from livemind_app.engine.lookahead import read_draft_text, shared_drafts, with_lookahead
from livemind_app.engine.model import LoadedModel
from livemind_app.engine.models.catalogue import preset as named
from livemind_app.engine.models.fit import fit, shortage
from livemind_app.engine.models.load import load, resolve_dtype, resolve_weights
from livemind_app.engine.models.prepare import prepare
from livemind_app.engine.models.progress import Progress
from livemind_app.engine.remote.address import is_address, parse
from livemind_app.engine.remote.limits import USUAL, RemoteLimits
from livemind_app.engine.scheduler import Worker
from livemind_app.engine.split import OwnedEngine, SplitEngine
from livemind_app.errors import Coded
from livemind_app.protocol import ROLES, ModelStatus, Role

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
    prefill: str = "auto",
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
    shelf = Shelf(
        dtype,
        weights=weights,
        prefill=prefill,
        shared_drafts=drafts == "shared",
        public=read_draft_text(draft_text) if draft_text else "",
    )
    servers = Servers(api_key, affinity_header, remote_limits)
    return open_pair(choose(preset, llm, slm, dtype, weights), shelf, servers, enable, cache_bytes)


class Shelf:
    """Models that were loaded, by name: each once, whoever wants it."""

    def __init__(
        self,
        dtype: str = "auto",
        *,
        weights: str = "auto",
        prefill: str = "auto",
        shared_drafts: bool = False,
        public: str = "",  # text that lookahead drafts from
    ) -> None:
        self._dtype, self._weights, self._prefill = dtype, weights, prefill
        self._shared_drafts = shared_drafts
        self._public = public
        self._models: dict[str, LoadedModel] = {}
        self._one_at_a_time = threading.Lock()

    def short_of(self, choice: Choice) -> str:
        """What this machine has too little of for those that are not here yet."""
        missing = [name for name in dict.fromkeys(choice.names.values()) if name not in self._models]
        return shortage(missing, _weight_bytes(self._dtype, self._weights))

    def take(self, name: str) -> LoadedModel:
        """What is prepared. Raises ModelError."""
        with self._one_at_a_time:
            if name not in self._models:
                self._models[name] = self._read(name)
            return self._models[name]

    def _read(self, name: str) -> LoadedModel:
        network, tokenizer = load(name, self._dtype, device(), weights=self._weights, prefill=self._prefill)
        model = wrap(name, network, tokenizer)
        return with_lookahead(model, shared_drafts(model, self._public, open=self._shared_drafts))


@dataclass(frozen=True)
class Servers:
    """How those are spoken to that compute models elsewhere."""

    api_key: str = ""
    affinity_header: str | None = None
    limits: RemoteLimits = USUAL


def open_pair(
    choice: Choice,
    shelf: Shelf,
    servers: Servers,
    enable: Enable = plain,
    cache_bytes: int = CACHE_BYTES,
    worker: Worker | None = None,
) -> OwnedEngine:
    """An engine of the two models of a choice, each where it is; `worker` as of LocalEngine."""

    def load_all(report: Report) -> dict[Role, LoadedModel]:
        if choice.reason:
            log.warning("a smaller preset was chosen: %s", choice.reason)
        return _load_all(choice, local, shelf, report)

    remote = {role: name for role, name in choice.names.items() if is_address(name)}
    local = [role for role in ROLES if role not in remote]
    engines = _remote_engines(remote, servers)
    if local:
        engine = LocalEngine(load_all, cache_bytes, local, enable, worker)
        engines.update(dict.fromkeys(local, engine))
    return SplitEngine(engines) if remote else engines["llm"]


def _remote_engines(names: Mapping[Role, str], servers: Servers) -> dict[Role, OwnedEngine]:
    """One for each address, whatever roles it has."""
    from livemind_app.engine.remote.remote import AFFINITY, RemoteEngine

    engines: dict[Role, OwnedEngine] = {}
    for name in dict.fromkeys(names.values()):
        roles = [role for role in ROLES if names.get(role) == name]
        affinity = servers.affinity_header or AFFINITY
        engine = RemoteEngine(
            parse(name), roles, key=servers.api_key, affinity=affinity, limits=servers.limits
        )
        engines.update(dict.fromkeys(roles, engine))
    return engines


def choose(preset: str | None, llm: str | None, slm: str | None, dtype: str, weights: str = "auto") -> Choice:
    """Names for the roles. Raises ConfigError or UnknownModel for names that do not exist."""
    if llm and slm:
        return Choice({"llm": llm, "slm": slm})
    given: dict[Role, str] = {role: name for role, name in zip(ROLES, (llm, slm), strict=True) if name}
    if preset:
        return Choice({**named(preset).names, **given})
    fitting = fit(weight_bytes=_weight_bytes(dtype, weights), instead=given)
    reasons = "; ".join(fitting.reasons)
    return Choice({**fitting.preset.names, **given}, Coded("smaller_preset", reasons))


def _weight_bytes(dtype: str, weights: str) -> int:
    packed = resolve_weights(weights, "", dtype, device())
    return 2 if packed else resolve_dtype(dtype, device(), weights).itemsize


def device() -> str:
    """The accelerator, when there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _load_all(
    choice: Choice, wanted: Sequence[Role], shelf: Shelf, report: Report
) -> dict[Role, LoadedModel]:
    """Each distinct model once; a model in both roles is shared."""
    loaded: dict[str, LoadedModel] = {}
    for role in wanted:
        report(ModelStatus(role, choice.names[role], "missing", detail=choice.reason))
    for name in dict.fromkeys(choice.names[role] for role in wanted):
        roles = [role for role in wanted if choice.names[role] == name]
        loaded[name] = _load_one(name, roles, shelf, report)
        for role in roles:
            report(ModelStatus(role, name, "ready", detail=choice.reason))
    return {role: loaded[choice.names[role]] for role in wanted}


def _load_one(name: str, roles: list[Role], shelf: Shelf, report: Report) -> LoadedModel:
    def progress(step: Progress) -> None:
        for role in roles:
            report(ModelStatus(role, name, "fetching", step.fraction, step.what))

    prepare(name, progress)
    for role in roles:
        report(ModelStatus(role, name, "loading"))
    return shelf.take(name)


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
