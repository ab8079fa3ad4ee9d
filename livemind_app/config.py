"""The operator's settings, read from the environment and the command line and validated once.

The command line wins over `LIVEMIND_*`, which wins over Gradio's own variables, which win over the defaults.
Where models are kept is for `engine/models/store.py` to say.
"""

import math
import os
import re
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from typing import Any, Literal, Self, cast, get_args

from livemind_app.errors import ConfigError

Preset = Literal["base", "small", "tiny"]
Dtype = Literal["auto", "bfloat16", "float32"]
Weights = Literal["auto", "float32", "bfloat16", "int8", "int4", "gguf"]
Prefill = Literal["plain", "packed"]
Drafts = Literal["own", "shared"]
Mode = Literal["draft", "infer", "exact", "off"]
Log = Literal["text", "json"]
Login = Literal["huggingface"]

VARIABLES: dict[str, tuple[str, ...]] = {
    "preset": ("LIVEMIND_PRESET",),
    "llm": ("LIVEMIND_LLM",),
    "slm": ("LIVEMIND_SLM",),
    "dtype": ("LIVEMIND_DTYPE",),
    "weights": ("LIVEMIND_WEIGHTS",),
    "prefill": ("LIVEMIND_PREFILL",),
    "mode": ("LIVEMIND_MODE",),
    "drafts": ("LIVEMIND_DRAFTS",),
    "draft_text": ("LIVEMIND_DRAFT_TEXT",),
    "adapter": ("LIVEMIND_ADAPTER",),
    "sentence_vae": ("LIVEMIND_SENTENCE_VAE",),
    "api_key": ("LIVEMIND_API_KEY",),
    "affinity_header": ("LIVEMIND_AFFINITY_HEADER",),
    "remote_connect_s": ("LIVEMIND_REMOTE_CONNECT_S",),
    "remote_alive_s": ("LIVEMIND_REMOTE_ALIVE_S",),
    "remote_first_token_s": ("LIVEMIND_REMOTE_FIRST_TOKEN_S",),
    "remote_between_tokens_s": ("LIVEMIND_REMOTE_BETWEEN_TOKENS_S",),
    "remote_speculations": ("LIVEMIND_REMOTE_SPECULATIONS",),
    "host": ("LIVEMIND_HOST", "GRADIO_SERVER_NAME"),
    "port": ("LIVEMIND_PORT", "GRADIO_SERVER_PORT"),
    "max_sessions": ("LIVEMIND_MAX_SESSIONS",),
    "max_text": ("LIVEMIND_MAX_TEXT",),
    "max_turns": ("LIVEMIND_MAX_TURNS",),
    "max_chat": ("LIVEMIND_MAX_CHAT",),
    "idle_s": ("LIVEMIND_IDLE_S",),
    "abandoned_s": ("LIVEMIND_ABANDONED_S",),
    "max_answers": ("LIVEMIND_MAX_ANSWERS",),
    "sessions_per_client": ("LIVEMIND_SESSIONS_PER_CLIENT",),
    "answers_per_client": ("LIVEMIND_ANSWERS_PER_CLIENT",),
    "drain_s": ("LIVEMIND_DRAIN_S",),
    "log": ("LIVEMIND_LOG",),
    "history": ("LIVEMIND_HISTORY",),
    "history_texts": ("LIVEMIND_HISTORY_TEXTS",),
    "max_connections": ("LIVEMIND_MAX_CONNECTIONS",),
    "connections_per_address": ("LIVEMIND_CONNECTIONS_PER_ADDRESS",),
    "rate": ("LIVEMIND_RATE",),
    "allow_origin": ("LIVEMIND_ALLOW_ORIGIN",),
    "framed_by": ("LIVEMIND_FRAMED_BY",),
    "proxies": ("LIVEMIND_PROXIES", "FORWARDED_ALLOW_IPS"),
    "password": ("LIVEMIND_PASSWORD",),
    "login": ("LIVEMIND_LOGIN",),
    "speculate_per_client": ("LIVEMIND_SPECULATE_PER_CLIENT",),
    "tokens_per_client": ("LIVEMIND_TOKENS_PER_CLIENT",),
    "place_header": ("LIVEMIND_PLACE_HEADER",),
    "replicas": ("LIVEMIND_REPLICAS",),
    "ray": ("LIVEMIND_RAY",),
}


@dataclass(frozen=True)
class Settings:
    """Raises ConfigError naming the setting, the value and what is allowed."""

    preset: Preset | None = None  # None: base, stepping down where memory or disk is short
    llm: str | None = None  # catalogue name, folder, hub id or a server's address; replaces the preset's
    slm: str | None = None
    dtype: Dtype = "auto"  # what is computed in
    weights: Weights = "auto"  # how weights lie in memory for a CPU
    prefill: Prefill = "plain"  # packed: drop the plain weights where packed ones decode
    mode: Mode | None = None  # of sessions that do not say; None: draft, or infer where models cannot draft
    drafts: Drafts = "own"  # shared: answers of one session are drafted in others
    draft_text: str | None = None  # a public file that lookahead drafts from
    adapter: str | None = None  # a folder of `livemind train llm-to-slm`; None: the package's own
    sentence_vae: str | None = None  # a folder with codec/, sllm/ and hybrid/; None: the package's own
    api_key: str | None = field(default=None, repr=False)  # of remote servers; never on a command line
    affinity_header: str | None = None  # by which a router before them keeps a session with one replica
    # Of servers that compute models; None leaves it to engine/remote/limits.py.
    remote_connect_s: float | None = None
    remote_alive_s: float | None = None  # that one may take to a small question when it writes nothing
    remote_first_token_s: float | None = None
    remote_between_tokens_s: float | None = None
    remote_speculations: int | None = None  # requests at once that nobody waits for
    host: str = "127.0.0.1"
    port: int = 7860  # 0: any free one
    # What one server allows; None leaves it to the session manager.
    max_sessions: int | None = None
    max_text: int | None = None  # characters of one prompt
    max_turns: int | None = None  # of one chat
    max_chat: int | None = None  # characters of one chat
    idle_s: float | None = None  # a session unused for so long expires
    abandoned_s: float | None = None  # after its last reader went, work for it ends; 0: never
    speculate_per_client: int | None = None  # tokens a minute before one client's submits; 0: any number
    tokens_per_client: int | None = None  # the same in its answers
    max_answers: int | None = None  # that users wait for at once
    sessions_per_client: int | None = None  # of them; None: half, 0: any number
    answers_per_client: int | None = None  # likewise
    drain_s: float = 30.0  # that running answers get at a SIGTERM
    log: Log = "text"  # json: a line for every request as well
    history: str | None = None  # a file, an SQLAlchemy URL or off; None: the usual place
    history_texts: bool = False  # keep questions and answers too
    # Who may come in.
    max_connections: int | None = None  # at once; None: as many as its sessions' browsers may open
    connections_per_address: int | None = None  # of them; None: a quarter, 0: any number
    rate: int = 100  # requests a second of one address; 0: any number
    allow_origin: tuple[str, ...] = ()  # other sites whose pages may use the API
    framed_by: tuple[str, ...] = ()  # other sites whose pages may show ours in a frame
    # Before this server, that say for whom they ask: how many every request passes, or their networks.
    proxies: int | tuple[str, ...] | None = None  # None: those on this machine
    password: str | None = field(default=None, repr=False)  # never on a command line
    login: Login | None = None  # huggingface: where a Space provides it
    # Several servers of one address.
    place_header: str | None = None  # by which a router placed the request that creates a session
    replicas: tuple[int, int] = (2, 2)  # of the app in a cluster: at least, at most
    ray: str | None = None  # the Ray cluster; None: one of this machine alone

    def __post_init__(self) -> None:
        for name, convert in _CONVERT.items():
            object.__setattr__(self, name, _converted(name, convert, getattr(self, name)))
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
        for name, variables in VARIABLES.items():
            labelled = [(_option(name), options.get(name)), *((v, environ.get(v)) for v in variables)]
            for label, raw in labelled:
                if raw:
                    values[name] = _converted(label, _CONVERT[name], raw.strip())
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


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _converted(label: str, convert: Callable[[Any], Any], value: Any) -> Any:
    try:
        return None if value is None else convert(value)
    except ValueError as error:
        raise ConfigError(f"{label} is {str(value)!r}, but must be {error}") from None


def _one_of(choices: tuple[str, ...]) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return cast(str, value)

    return convert


def _integer(low: int, high: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        expected = f"a whole number from {low} to {high}"
        try:
            number = int(str(value))
        except ValueError:
            raise ValueError(expected) from None
        if not low <= number <= high:
            raise ValueError(expected)
        return number

    return convert


def _seconds(value: Any) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError("a number of seconds above 0")
    return number


def _seconds_or_none(value: Any) -> float:
    """0 where something is not to happen at all."""
    return 0.0 if str(value) in ("0", "0.0") else _seconds(value)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("a name in printable characters")
    return value


def _switch(value: Any) -> bool:
    if value not in (True, False, "on", "off"):
        raise ValueError("on or off")
    return value in (True, "on")


def _origins(value: Any) -> tuple[str, ...]:
    origins = tuple(value.split(",")) if isinstance(value, str) else tuple(value)
    origins = tuple(origin.strip().rstrip("/") for origin in origins)
    if not all(re.fullmatch(r"https?://[^\s/,;'\"]+", origin) for origin in origins):
        raise ValueError("addresses of sites like https://example.org, with commas between")
    return origins


def _proxies(value: Any) -> int | tuple[str, ...]:
    """A number of them, or addresses and networks; `*`, as others write it, is whoever connects."""
    if str(value).isdecimal() or value == "*":
        return _integer(0, 20)(1 if value == "*" else value) or ()
    parts = value.split(",") if isinstance(value, str) else value
    try:
        return tuple(str(ip_network(part.strip())) for part in parts)
    except ValueError:
        raise ValueError("a number, or addresses and networks with commas between") from None


def _range(value: Any) -> tuple[int, int]:
    text = value if isinstance(value, str) else "-".join(str(number) for number in value)
    found = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= low <= high <= 10_000:
        raise ValueError("a number from 1 to 10000, or two of them like 2-8")
    return low, high


def _header(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9-]{1,64}", value):
        raise ValueError("the name of an HTTP header: letters, digits and hyphens")
    return value


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "preset": _one_of(get_args(Preset)),
    "llm": _name,
    "slm": _name,
    "dtype": _one_of(get_args(Dtype)),
    "weights": _one_of(get_args(Weights)),
    "prefill": _one_of(get_args(Prefill)),
    "mode": _one_of(get_args(Mode)),
    "drafts": _one_of(get_args(Drafts)),
    "draft_text": _name,
    "adapter": _name,
    "sentence_vae": _name,
    "api_key": _name,
    "affinity_header": _header,
    "remote_connect_s": _seconds,
    "remote_alive_s": _seconds,
    "remote_first_token_s": _seconds,
    "remote_between_tokens_s": _seconds,
    "remote_speculations": _integer(1, 10_000),
    "host": _name,
    "port": _integer(0, 65535),
    "max_sessions": _integer(1, 10_000),
    "max_text": _integer(1, 200_000),
    "max_turns": _integer(1, 10_000),
    "max_chat": _integer(1, 10_000_000),
    "idle_s": _seconds,
    "abandoned_s": _seconds_or_none,
    "max_answers": _integer(1, 10_000),
    "sessions_per_client": _integer(0, 10_000),
    "answers_per_client": _integer(0, 10_000),
    "drain_s": _seconds,
    "log": _one_of(get_args(Log)),
    "history": _name,
    "history_texts": _switch,
    "max_connections": _integer(1, 1_000_000),
    "connections_per_address": _integer(0, 1_000_000),
    "rate": _integer(0, 1_000_000),
    "allow_origin": _origins,
    "framed_by": _origins,
    "proxies": _proxies,
    "password": _name,
    "login": _one_of(get_args(Login)),
    "speculate_per_client": _integer(0, 10_000_000),
    "tokens_per_client": _integer(0, 10_000_000),
    "place_header": _header,
    "replicas": _range,
    "ray": _name,
}
assert set(_CONVERT) == set(VARIABLES) == {setting.name for setting in fields(Settings)}


def at_least(args: Namespace, **least: int) -> None:
    """Refuse numbers of a command line that are too small; those that were not given are None."""
    for name, bound in least.items():
        value = getattr(args, name)
        if value is not None and value < bound:
            option = f"--{name.replace('_', '-')}"
            raise ConfigError(f"{option} is {value}, but must be {bound} or more")
