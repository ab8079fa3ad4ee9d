"""Everything that can happen to a session, as frozen values.

The same values are folded into the state (`apply.py`), kept in the event ring (`ring.py`) and sent to
the page. `at` is in seconds since the session began, on the server's clock.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from livemind_app.protocol import Compression
from livemind_app.session.lanes import LaneName

ActionKind = Literal["inference", "wait"]
ActionStatus = Literal["running", "done", "cut", "dropped"]
LaneStatus = Literal["queued", "running", "done", "interrupted", "stopped", "failed"]


@dataclass(frozen=True)
class Segment:
    """A piece of the draft; a finished one no longer changes when text is appended."""

    text: str
    finished: bool


@dataclass(frozen=True)
class Metrics:
    """What one lane cost. Times are seconds from the lane's own submit."""

    ttft: float | None  # to the first answer token; None when there was none
    latency: float  # to the last answer token
    tokens: int
    tokens_per_s: float
    prompt_tokens: int
    prefilled_after_submit: int
    ready_tokens: int = 0  # of the answer, there when it was submitted
    kept_tokens: int = 0  # of the answer, from drafts of it that were read again
    thinking_s: float = 0.0  # computed before submit for notes and answers; reading ahead is not in it
    thinking_tokens: int = 0  # generated before submit
    wasted_tokens: int = 0  # of these, thrown away
    forwards: int = 0  # that wrote the answer; fewer than tokens where lookahead drafted
    drafted_tokens: int = 0  # that lookahead had the model look at
    overhead_s: float = 0.0  # submit waiting for a running inference to stop
    positions: int = 0  # that the model's cache held at the end; without compression about one a token
    kv_bytes: int = 0  # of their keys and values
    compression: Compression | None = None  # by SentenceVAE
    reduction: float | None = None  # 1 - latency / conventional latency


@dataclass(frozen=True)
class Segments:
    """The draft was replaced: its segments, and how many leading ones keep what was thought."""

    type: ClassVar[str] = "segments"
    at: float
    revision: int
    segments: tuple[Segment, ...]
    kept: int


@dataclass(frozen=True)
class Action:
    """A step of thinking about segments first..index grew by `delta` or ended."""

    type: ClassVar[str] = "action"
    at: float
    first: int
    index: int
    kind: ActionKind
    delta: str = ""
    done: bool = False
    status: ActionStatus = "running"
    tokens: int = 0  # generated so far
    seconds: float = 0.0  # computed so far
    probability: float | None = None  # of thinking over waiting, where the format asks for it


@dataclass(frozen=True)
class Thought:
    """What one part of the draft gave to the answer that is begun on it.

    The answer's text from `begin` to where the next thought begins, or to `end`, is its share.
    """

    index: int  # of the last segment that was read
    upto: int  # characters of the draft
    begin: int  # characters of the answer that were there before and hold
    tokens: int  # generated
    seconds: float
    running: bool
    end: int | None = None  # of the last thought, where the share began that an edit took back


@dataclass(frozen=True)
class Prepared:
    """A lane has more ready of an answer that nobody has asked for yet."""

    type: ClassVar[str] = "prepared"
    at: float
    lane: LaneName
    ready: int  # tokens of the answer to the present draft
    done: bool  # whether that is all of it
    tokens: int  # generated for this draft and what it was before
    seconds: float  # that took
    draft: bool = False  # it goes along with the text: more of that makes it no less ready
    text: str = ""  # of the answer, as far as it is ready
    thoughts: tuple[Thought, ...] = ()  # in the order of the draft


@dataclass(frozen=True)
class Turn:
    """A turn began (done=False: prompt and lanes are those submitted) or ended."""

    type: ClassVar[str] = "turn"
    at: float
    id: int
    done: bool
    prompt: str = ""
    lanes: tuple[LaneName, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A lane's answer grew."""

    type: ClassVar[str] = "answer"
    at: float
    turn: int
    lane: LaneName
    delta: str
    drafted: bool = False  # by lookahead, and the model agreed
    tokens: int = 0  # written after the submit; 0 of what was there before it


@dataclass(frozen=True)
class Lane:
    """A lane changed its status; metrics come with the last one."""

    type: ClassVar[str] = "lane"
    at: float
    turn: int
    lane: LaneName
    status: LaneStatus
    metrics: Metrics | None = None
    started_at: float | None = None  # its own submit, when it is `running`: from there its times count
    models: str | None = None  # that answer, when it is `running`


@dataclass(frozen=True)
class Retry:
    """A lane of a turn that had ended is answered anew; what it said is gone."""

    type: ClassVar[str] = "retry"
    at: float
    turn: int
    lane: LaneName


@dataclass(frozen=True)
class StateChanged:
    """Options changed, or a chat was begun (`cleared`), maybe one that goes on after what was `said`."""

    type: ClassVar[str] = "state"
    at: float
    options: dict[str, Any]
    cleared: bool = False
    said: tuple[tuple[str, str], ...] = ()  # prompts and their answers


@dataclass(frozen=True)
class Failure:
    """Something failed after the request for it was accepted."""

    type: ClassVar[str] = "error"
    at: float
    code: str
    message: str
    lane: LaneName | None = None


Event = Segments | Action | Prepared | Turn | Answer | Lane | Retry | StateChanged | Failure


def to_wire(event: Event) -> dict[str, Any]:
    """The event as JSON-ready values, its type included."""
    wire: dict[str, Any] = {"type": event.type, **vars(event)}
    match event:  # by hand: `asdict` copies deeply, and this is done for every keystroke and token
        case Segments():
            wire["segments"] = [vars(segment) for segment in event.segments]
        case Prepared():
            wire["thoughts"] = [vars(thought) for thought in event.thoughts]
        case Lane(metrics=Metrics() as metrics):
            wire["metrics"] = vars(metrics)
    return wire
