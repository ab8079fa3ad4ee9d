"""The operator's settings, read from the environment and the command line and validated once.

The command line wins over `LIVEMIND_*`, which wins over Gradio's own variables, which win over the defaults.
Where models are kept is for `engine/models/store.py` to say.
"""

import os
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self, get_type_hints

from livemind_app.errors import ConfigError
from livemind_app.values import (
    Amount,
    AmountOrAny,
    Count,
    CountOrAny,
    HeaderName,
    Name,
    Offered,
    Origins,
    Proxies,
    Range,
    Reader,
    Seconds,
    SecondsOrNever,
    Switch,
    TokensOrAny,
    integer,
    reader,
)

Preset = Literal["base", "small", "tiny"]
Dtype = Literal["auto", "bfloat16", "float32"]
Weights = Literal["auto", "float32", "bfloat16", "int8", "int4", "gguf"]
Prefill = Literal["auto", "plain", "packed"]
Drafts = Literal["own", "shared"]
Mode = Literal["draft", "infer", "exact", "off"]
Log = Literal["text", "json"]
Login = Literal["huggingface"]

OTHERS = {"host": "GRADIO_SERVER_NAME", "port": "GRADIO_SERVER_PORT", "proxies": "FORWARDED_ALLOW_IPS"}


@dataclass(frozen=True)
class Settings:
    """Raises ConfigError naming the setting, the value and what is allowed."""

    preset: Preset | None = None  # None: base, stepping down where memory or disk is short
    llm: Name | None = None  # catalogue name, folder, hub id or a server's address; replaces the preset's
    slm: Name | None = None
    offer: Offered | None = None  # others for users to choose; None: smaller presets than the server's own
    dtype: Dtype = "auto"  # what is computed in
    weights: Weights = "auto"  # how weights lie in memory for a CPU
    prefill: Prefill = "auto"  # what prompts are read with, beside packed weights that decode
    mode: Mode | None = None  # of sessions that do not say; None: draft, or infer where models cannot draft
    drafts: Drafts = "own"  # shared: answers of one session are drafted in others
    draft_text: Name | None = None  # a public file that lookahead drafts from
    adapter: Name | None = None  # a folder of `livemind train llm-to-slm`; None: the package's own
    sentence_vae: Name | None = None  # a folder with codec/, sllm/ and hybrid/; None: the package's own
    api_key: Name | None = field(default=None, repr=False)  # of remote servers; never on a command line
    affinity_header: HeaderName | None = None  # by which a router keeps a session with one replica
    # Of servers that compute models; None leaves it to engine/remote/limits.py.
    remote_connect_s: Seconds | None = None
    remote_alive_s: Seconds | None = None  # that one may take to a small question when it writes nothing
    remote_first_token_s: Seconds | None = None
    remote_between_tokens_s: Seconds | None = None
    remote_speculations: Count | None = None  # requests at once that nobody waits for
    host: Name = "127.0.0.1"
    port: Annotated[int, integer(0, 65535)] = 7860  # 0: any free one
    # What one server allows; None leaves it to the session manager.
    max_sessions: Count | None = None
    max_text: Annotated[int, integer(1, 200_000)] | None = None  # characters of one prompt
    max_turns: Count | None = None  # of one chat
    max_chat: Annotated[int, integer(1, 10_000_000)] | None = None  # characters of one chat
    idle_s: Seconds | None = None  # a session unused for so long expires
    abandoned_s: SecondsOrNever | None = None  # after its last reader went, work for it ends; 0: never
    speculate_per_client: TokensOrAny | None = None  # a minute before one client's submits; 0: any
    tokens_per_client: TokensOrAny | None = None  # the same in its answers
    max_answers: Count | None = None  # that users wait for at once
    sessions_per_client: CountOrAny | None = None  # of them; None: half, 0: any number
    answers_per_client: CountOrAny | None = None  # likewise
    drain_s: Seconds = 30.0  # that running answers get at a SIGTERM
    log: Log = "text"  # json: a line for every request as well
    history: Name | None = None  # a file, an SQLAlchemy URL or off; None: the usual place
    history_texts: Switch = False  # keep questions and answers too
    # Who may come in.
    max_connections: Amount | None = None  # at once; None: as many as its sessions' browsers may open
    connections_per_address: AmountOrAny | None = None  # of them; None: a quarter, 0: any number
    rate: AmountOrAny = 100  # requests a second of one address; 0: any number
    allow_origin: Origins = ()  # other sites whose pages may use the API
    framed_by: Origins = ()  # other sites whose pages may show ours in a frame
    # Before this server, that say for whom they ask: how many every request passes, or their networks.
    proxies: Proxies | None = None  # None: those on this machine
    password: Name | None = field(default=None, repr=False)  # never on a command line
    login: Login | None = None  # huggingface: where a Space provides it
    # Several servers of one address.
    place_header: HeaderName | None = None  # by which a router placed the request that creates a session
    replicas: Range = (2, 2)  # of the app in a cluster: at least, at most
    ray: Name | None = None  # the Ray cluster; None: one of this machine alone

    def __post_init__(self) -> None:
        for name, read in READERS.items():
            object.__setattr__(self, name, _read(name, read, getattr(self, name)))
        if self.login and self.password:
            raise ConfigError(
                "--login and LIVEMIND_PASSWORD do not go together: users or one password for all"
            )

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] = os.environ, options: Mapping[str, str | None] | None = None
    ) -> Self:
        """Settings of an environment; `options` are those of the command line, None where not given.

        An empty variable counts as not set.

        >>> Settings.from_env({"LIVEMIND_PORT": "8000"}, {"host": "::1"}).port
        8000
        """
        options = options or {}
        values: dict[str, Any] = {}
        if environ.get("SPACE_ID"):
            values["host"] = "0.0.0.0"  # noqa: S104 - a Space is reached from outside its container
            values["framed_by"] = ("https://huggingface.co",)
            values["proxies"] = 1  # a Space is reached through the hub's only
        for name, read in READERS.items():
            labelled = [(_option(name), options.get(name)), *((v, environ.get(v)) for v in variables(name))]
            for label, raw in labelled:
                if raw:
                    values[name] = _read(label, read, raw.strip())
                    break
        return cls(**values)

    @property
    def limits(self) -> dict[str, Any]:
        """The session limits that were set."""
        names = (
            *("max_sessions", "max_text", "max_turns", "max_chat", "idle_s", "abandoned_s", "max_answers"),
            *("sessions_per_client", "answers_per_client"),
            *("speculate_per_client", "tokens_per_client"),
        )
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    @property
    def remote_limits(self) -> dict[str, Any]:
        """Those of remote servers that were set, by their names in engine/remote/limits.py."""
        names = (
            *("remote_connect_s", "remote_alive_s", "remote_first_token_s", "remote_between_tokens_s"),
            "remote_speculations",
        )
        values = {name.removeprefix("remote_"): getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


READERS: dict[str, Reader] = {
    name: reader(hint) for name, hint in get_type_hints(Settings, include_extras=True).items()
}


def variables(name: str) -> tuple[str, ...]:
    """Of the environment, that a setting is read from: the first one that is set."""
    return (f"LIVEMIND_{name.upper()}", *((OTHERS[name],) if name in OTHERS else ()))


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _read(label: str, read: Reader, value: Any) -> Any:
    try:
        return None if value is None else read(value)
    except ValueError as error:
        raise ConfigError(f"{label} is {str(value)!r}, but must be {error}") from None


def at_least(args: Namespace, **least: int) -> None:
    """Refuse numbers of a command line that are too small; those that were not given are None."""
    for name, bound in least.items():
        value = getattr(args, name)
        if value is not None and value < bound:
            raise ConfigError(f"{_option(name)} is {value}, but must be {bound} or more")
