"""A session's state: frozen values; what follows from them is a property, never stored twice."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from livemind_app.protocol import Message
from livemind_app.session.events import (
    ActionKind,
    ActionStatus,
    LaneStatus,
    Metrics,
    Segment,
    Thought,
)
from livemind_app.session.lanes import AHEAD_LANES, LaneName
from livemind_app.session.options import Options
from livemind_app.session.pace import Pace

Phase = Literal["idle", "thinking", "answering"]
FINAL: tuple[LaneStatus, ...] = ("done", "interrupted", "stopped", "failed")


@dataclass(frozen=True)
class Note:
    """What the model made of segments first..index: an inference, or a decision to wait."""

    first: int
    index: int
    kind: ActionKind
    text: str = ""
    status: ActionStatus = "running"
    tokens: int = 0
    seconds: float = 0.0
    probability: float | None = None
    at: float = 0.0  # when it was begun, on the session's clock

    @property
    def wasted(self) -> bool:
        """Whether its tokens were counted as thrown away when it ended."""
        return self.kind == "wait" and self.status != "running"

    @property
    def inference(self) -> str:
        """The text that later prompts show the model; waiting says nothing."""
        return self.text.strip() if self.kind == "inference" else ""


@dataclass(frozen=True)
class Spent:
    """What thinking about the present draft has cost so far, thrown-away notes included."""

    seconds: float = 0.0
    tokens: int = 0
    wasted: int = 0


@dataclass(frozen=True)
class Preparation:
    """What a lane has ready of the answer to the present draft, and what that and earlier tries cost."""

    ready: int = 0  # tokens
    done: bool = False
    tokens: int = 0
    seconds: float = 0.0
    draft: bool = False  # which goes along with the text
    text: str = ""  # as far as it is ready
    thoughts: tuple[Thought, ...] = ()  # by the parts of the draft


@dataclass(frozen=True)
class LaneState:
    status: LaneStatus = "queued"
    text: str = ""
    started_at: float | None = None  # its own submit, on the session's clock
    first_at: float | None = None  # when its answer began to show
    metrics: Metrics | None = None
    drafted: tuple[tuple[int, int], ...] = ()  # from and to: characters that lookahead drafted
    attempt: int = 0  # the turn's attempt in which it ran
    models: str | None = None  # that answered


@dataclass(frozen=True)
class TurnState:
    """A submitted prompt, what had been thought about it, and its lanes in running order."""

    id: int
    at: float  # of the submit, on the session's clock
    prompt: str
    segments: tuple[Segment, ...]
    notes: tuple[Note, ...]
    spent: Spent
    prepared: dict[LaneName, Preparation]
    lanes: dict[LaneName, LaneState]
    done: bool = False
    restored: bool = False  # said in another session: only prompt and answer are known
    attempt: int = 0  # grows with every lane that is answered anew

    @property
    def answer(self) -> str:
        """The answer that goes on as history: that of the first lane."""
        return next(iter(self.lanes.values())).text

    @property
    def answered(self) -> bool:
        return next(iter(self.lanes.values())).status in FINAL

    @property
    def live_running(self) -> bool:
        first, *rest = self.lanes.items()
        live = [first, *(item for item in rest if item[0] in AHEAD_LANES)]
        return any(lane.status not in FINAL for _, lane in live)


@dataclass(frozen=True)
class State:
    options: Options = field(default_factory=Options)
    revision: int = -1
    segments: tuple[Segment, ...] = ()
    notes: tuple[Note, ...] = ()
    spent: Spent = Spent()
    prepared: dict[LaneName, Preparation] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    turns: tuple[TurnState, ...] = ()

    @property
    def text(self) -> str:
        return "".join(segment.text for segment in self.segments)

    @property
    def finished(self) -> int:
        """How many leading segments are finished."""
        return sum(segment.finished for segment in self.segments)

    @property
    def finished_text(self) -> str:
        return "".join(segment.text for segment in self.segments[: self.finished])

    @property
    def read(self) -> int:
        """How many leading segments have been thought about."""
        return self.notes[-1].index + 1 if self.notes else 0

    @property
    def running_note(self) -> Note | None:
        return self.notes[-1] if self.notes and self.notes[-1].status == "running" else None

    @property
    def turn(self) -> TurnState | None:
        """The newest turn."""
        return self.turns[-1] if self.turns else None

    @property
    def phase(self) -> Phase:
        if self.turn and not self.turn.done:
            return "answering"
        return "thinking" if self.running_note else "idle"


def history(turns: tuple[TurnState, ...]) -> list[Message]:
    """Earlier turns as chat messages; a turn without an answer is left out."""
    messages: list[Message] = []
    for turn in turns:
        if turn.answer.strip():
            messages.append({"role": "user", "content": turn.prompt})
            messages.append({"role": "assistant", "content": turn.answer})
    return messages


def snapshot(state: State) -> dict[str, Any]:
    """The whole picture for a reader that holds nothing: the body of a `state` event."""
    return {
        "type": "state",
        "revision": state.revision,
        "text": state.text,
        "segments": [vars(segment) for segment in state.segments],
        "actions": [vars(note) for note in state.notes],
        "prepared": _prepared_wire(state.prepared),
        "turns": [_turn_wire(turn) for turn in state.turns],
        "options": state.options.to_dict(),
        "phase": state.phase,
    }


def _prepared_wire(prepared: dict[LaneName, Preparation]) -> dict[str, Any]:
    return {
        lane: vars(p) | {"thoughts": [vars(thought) for thought in p.thoughts]}
        for lane, p in prepared.items()
    }


def _turn_wire(turn: TurnState) -> dict[str, Any]:
    lanes = {
        name: {**vars(lane), "metrics": vars(lane.metrics) if lane.metrics else None}
        for name, lane in turn.lanes.items()
    }
    return {
        "id": turn.id,
        "at": turn.at,
        "prompt": turn.prompt,
        "done": turn.done,
        "restored": turn.restored,
        "segments": [vars(segment) for segment in turn.segments],
        "actions": [vars(note) for note in turn.notes],
        "prepared": _prepared_wire(turn.prepared),
        "lanes": lanes,
    }


def with_lane(turn: TurnState, name: LaneName, lane: LaneState) -> TurnState:
    return replace(turn, lanes={**turn.lanes, name: lane})
