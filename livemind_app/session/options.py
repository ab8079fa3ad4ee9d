"""What a user may choose for a session, validated once."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from livemind_app.config import Mode
from livemind_app.errors import ConfigError
from livemind_app.protocol import Compression, Role, Sampling
from livemind_app.session.lanes import AHEAD_LANES, LANE_ROLE, LANES, LIVE_LANES, LaneName, Method

FormatName = Literal["append", "u-pi", "u-pli", "u-spi", "ua-pil", "ua-spi"]
Granularity = Literal["char", "word", "sentence", "clause"]
SentenceVAE = Literal["off", Compression]

CHOICES: dict[str, tuple[str, ...]] = {
    "mode": get_args(Mode),
    "format": ("append", "u-pi", "u-pli", "u-spi", "ua-pil", "ua-spi"),
    "granularity": ("char", "word", "sentence", "clause"),
    "lanes": LANES,
    "sentence_vae": ("off", *get_args(Compression)),
}
RANGES: dict[str, tuple[float, float]] = {
    "min_length": (1, 500),
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "top_k": (0, 1000),
    "max_tokens": (1, 4096),
    "note_tokens": (1, 512),
    "speculate_tokens": (0, 16384),
    "speculate_per_minute": (0, 100_000),
    "think_threshold": (0.0, 1.0),
    "draft_threshold": (0.0, 1.0),
    "repetition_penalty": (1.0, 2.0),
}
INTEGERS = (
    *("min_length", "top_k", "seed", "max_tokens"),
    *("note_tokens", "speculate_tokens", "speculate_per_minute"),
)
MAX_SEED = 2**63 - 1
METHODS: dict[Mode, Method] = {  # of the live lanes
    **{"infer": "notes", "draft": "draft"},
    **{"exact": "exact", "off": "none"},
}


@dataclass(frozen=True)
class Options:
    """Raises ConfigError naming the field, the value and what is allowed."""

    models: str = ""  # by the name of their pair, of those that the server offers
    mode: Mode = "draft"  # while the user types: draft; take notes; get the exact answer ready; nothing
    format: FormatName = "append"  # how prompt and notes are laid out for the model
    granularity: Granularity = "sentence"
    min_length: int = 10  # characters a segment has at least
    lanes: tuple[LaneName, ...] = ("live", "conventional", "slm")
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    max_tokens: int = 512  # of one answer
    note_tokens: int = 32  # of one note, at most
    speculate_tokens: int = 512  # of answers that nobody has asked for yet, for one prompt and lane; 0: none
    speculate_per_minute: int = 1500  # of all lanes
    think_threshold: float = 0.5  # least probability of thinking over waiting
    draft_threshold: float = 0.5  # least share of the likeliest token's probability, for a draft's to stay
    repetition_penalty: float = 1.0  # 1: none
    sentence_vae: SentenceVAE = "off"  # of lanes whose model has one (livemind_app/sentence_vae)
    lookahead: bool = True  # draft several tokens a forward; changes nothing that is said

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name))

    def changed(self, changes: Mapping[str, Any]) -> "Options":
        """A copy with `changes`; unknown names are refused, not dropped."""
        known = {field.name for field in fields(self)}
        if unknown := sorted(set(changes) - known):
            raise ConfigError(f"unknown option {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        values = dict(changes)
        if "lanes" in values:
            values["lanes"] = check_lanes(values["lanes"])
        return replace(self, **values)

    def method(self, lane: LaneName) -> Method:
        """What a lane does while the user types."""
        if self.mode == "off" or lane not in AHEAD_LANES:
            return "none"
        return METHODS[self.mode] if lane in LIVE_LANES else "exact"

    def begun_by(self, lane: LaneName) -> Role:
        """Whose answer is begun while the user types: drafts are the large model's in every lane."""
        return "llm" if self.method(lane) == "draft" else LANE_ROLE[lane]

    @property
    def takes_notes(self) -> bool:
        return any(self.method(lane) == "notes" for lane in self.lanes)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "lanes": list(self.lanes)}

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.temperature, self.top_p, self.top_k, self.seed, self.repetition_penalty)


def describe(defaults: Options, models: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What each option may be, as JSON-ready values: for whoever offers them to a user.

    `models`: the pairs that there are, by name, in words.
    """
    found = {name: {**_kind(name), "default": value} for name, value in defaults.to_dict().items()}
    found["models"] |= {"choices": list(models), "titles": dict(models)}
    return found


def _kind(name: str) -> dict[str, Any]:
    if name in CHOICES:
        return {"kind": "several" if name == "lanes" else "choice", "choices": list(CHOICES[name])}
    if name == "models":
        return {"kind": "choice"}
    if name == "seed":
        return {"kind": "integer", "low": 0, "high": MAX_SEED, "optional": True}
    if name in RANGES:
        low, high = RANGES[name]
        return {"kind": "integer" if name in INTEGERS else "number", "low": low, "high": high}
    return {"kind": "switch"}


def check_lanes(lanes: Any) -> tuple[LaneName, ...]:
    """The lanes in the order in which they run: live ones first.

    >>> check_lanes(["slm", "live"])
    ('live', 'slm')
    """
    if not isinstance(lanes, list | tuple) or not lanes or any(lane not in LANES for lane in lanes):
        raise ConfigError(f"lanes must be a list of one or more of {', '.join(LANES)}")
    return tuple(lane for lane in LANES if lane in lanes)


def _check(name: str, value: Any) -> None:
    check: Callable[[str, Any], None] = _check_range if name in RANGES else _check_choice
    if name == "seed":
        if value is not None and not (_is_integer(value) and 0 <= value <= MAX_SEED):
            raise ConfigError("seed must be an integer from 0 to 2^63 - 1, or null")
    elif name == "lanes":
        check_lanes(value)
    elif name == "models":
        if not isinstance(value, str):
            raise ConfigError("models must be the name of a pair that GET /api/options lists")
    elif name == "lookahead":
        if not isinstance(value, bool):
            raise ConfigError("lookahead must be true or false")
    else:
        check(name, value)


def _check_choice(name: str, value: Any) -> None:
    if value not in CHOICES[name]:
        raise ConfigError(f"{name} must be one of {', '.join(CHOICES[name])}")


def _check_range(name: str, value: Any) -> None:
    low, high = RANGES[name]
    number = _is_integer(value) or (isinstance(value, float) and name not in INTEGERS)
    if not number or not low <= value <= high:
        kind = "an integer" if name in INTEGERS else "a number"
        raise ConfigError(f"{name} must be {kind} from {low:g} to {high:g}")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
