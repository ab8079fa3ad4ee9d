"""Events folded into the state. Nothing else changes it."""

from collections.abc import Callable
from dataclasses import replace

from livemind_app.session.events import (
    Action,
    Answer,
    Event,
    Failure,
    Lane,
    Prepared,
    Retry,
    Segment,
    Segments,
    StateChanged,
    Turn,
)
from livemind_app.session.lanes import LaneName
from livemind_app.session.options import Options
from livemind_app.session.state import LaneState, Note, Preparation, Spent, State, TurnState, with_lane
from livemind_app.session.thoughts import holding

LaneChange = Callable[[LaneState], LaneState]
TurnChange = Callable[[TurnState], TurnState]


def apply(state: State, event: Event) -> State:
    """The state after `event`."""
    match event:
        case Segments():
            return _draft(state, event)
        case Action():
            return _action(state, event)
        case Prepared():
            return replace(state, prepared={**state.prepared, event.lane: _prepared(event)})
        case Turn(done=False):
            return _submit(state, event)
        case Turn():
            return _update_turn(state, event.id, lambda turn: replace(turn, done=True))
        case Answer():
            return _lane(state, event.turn, event.lane, lambda lane: _grown(lane, event))
        case Lane():
            return _lane(state, event.turn, event.lane, lambda lane: _lane_changed(lane, event))
        case Retry():
            return _update_turn(state, event.turn, lambda turn: _retried(turn, event.lane))
        case StateChanged(cleared=True):
            return _begun(state, event)
        case StateChanged():
            prepared = {lane: _forgotten(each) for lane, each in state.prepared.items()}
            return replace(state, options=Options().changed(event.options), prepared=prepared)
        case Failure():
            return state


def _begun(state: State, event: StateChanged) -> State:
    turns = tuple(_restored(number, event.at, *said) for number, said in enumerate(event.said, start=1))
    options = Options().changed(event.options)
    return State(options=options, revision=state.revision, pace=state.pace, turns=turns)


def _restored(number: int, at: float, prompt: str, answer: str) -> TurnState:
    lanes: dict[LaneName, LaneState] = {"live": LaneState("done", answer)}
    return TurnState(number, at, prompt, (), (), Spent(), {}, lanes, done=True, restored=True)


def _grown(lane: LaneState, event: Answer) -> LaneState:
    text = lane.text + event.delta
    lane = replace(lane, first_at=event.at if lane.first_at is None else lane.first_at)
    if not event.drafted:
        return replace(lane, text=text)
    start, before = len(lane.text), lane.drafted
    if before and before[-1][1] == start:
        start, before = before[-1][0], before[:-1]
    return replace(lane, text=text, drafted=(*before, (start, len(text))))


def kept_notes(notes: tuple[Note, ...], kept: int) -> tuple[Note, ...]:
    """The leading notes that lie wholly in the first `kept` segments."""
    return tuple(note for note in notes if note.index < kept)


def matching(old: tuple[Segment, ...], new: tuple[Segment, ...]) -> int:
    """How many leading segments are the same and finished in both.

    A note is about a finished segment, so an unfinished one in the new draft must not keep it.
    """
    count = 0
    for before, after in zip(old, new, strict=False):
        if before.text != after.text or not (before.finished and after.finished):
            break
        count += 1
    return count


def _draft(state: State, event: Segments) -> State:
    notes = kept_notes(state.notes, event.kept)
    dropped = state.notes[len(notes) :]
    running = sum(note.seconds for note in dropped if note.status == "running")
    running_tokens = sum(note.tokens for note in dropped if note.status == "running")
    spent = Spent(
        seconds=state.spent.seconds + running,
        tokens=state.spent.tokens + running_tokens,
        wasted=state.spent.wasted + sum(note.tokens for note in dropped if not note.wasted),
    )
    text = "".join(segment.text for segment in event.segments)
    return replace(
        state,
        revision=event.revision,
        segments=event.segments,
        notes=notes,
        spent=spent if event.segments else Spent(),
        prepared=state.prepared if text == state.text else _unready(state.prepared, state.text, text),
        pace=state.pace.keystroke(event.at, len(text) - len(state.text)),
    )


def _prepared(event: Prepared) -> Preparation:
    figures = (event.ready, event.done, event.tokens, event.seconds)
    return Preparation(*figures, event.draft, event.text, event.thoughts)


def _unready(prepared: dict[LaneName, Preparation], before: str, text: str) -> dict[LaneName, Preparation]:
    """What was ready answered another text. Its cost stays, until there is a new prompt; so do drafts."""
    return {lane: _unready_lane(p, before, text) for lane, p in prepared.items()} if text else {}


def _unready_lane(preparation: Preparation, before: str, text: str) -> Preparation:
    if preparation.draft:
        return replace(preparation, thoughts=holding(preparation.thoughts, before, text))
    return _forgotten(preparation)


def _forgotten(preparation: Preparation) -> Preparation:
    """Nothing is ready any more. What it cost stays."""
    return replace(preparation, ready=0, done=False, draft=False, text="", thoughts=())


def _action(state: State, event: Action) -> State:
    running = state.running_note
    if running is None or running.index != event.index:
        running = Note(event.first, event.index, event.kind, at=event.at)
        notes = state.notes
    else:
        notes = state.notes[:-1]
    note = replace(
        running,
        kind=event.kind,
        text=running.text + event.delta,
        status=event.status,
        tokens=event.tokens,
        seconds=event.seconds,
        probability=event.probability if event.probability is not None else running.probability,
    )
    spent = state.spent
    if event.done:
        dropped = event.tokens if event.kind == "wait" or event.status == "dropped" else 0
        spent = Spent(spent.seconds + event.seconds, spent.tokens + event.tokens, spent.wasted + dropped)
    kept = notes if event.status == "dropped" else (*notes, note)
    return replace(state, notes=kept, spent=spent)


def _submit(state: State, event: Turn) -> State:
    turn = TurnState(
        id=event.id,
        at=event.at,
        prompt=event.prompt,
        segments=state.segments,
        notes=state.notes,
        spent=state.spent,
        prepared=state.prepared,
        lanes={lane: LaneState() for lane in event.lanes},
    )
    return replace(state, turns=(*state.turns, turn), segments=(), notes=(), spent=Spent(), prepared={})


def _lane(state: State, turn_id: int, name: LaneName, change: LaneChange) -> State:
    return _update_turn(state, turn_id, lambda turn: with_lane(turn, name, change(turn.lanes[name])))


def _lane_changed(lane: LaneState, event: Lane) -> LaneState:
    started_at = lane.started_at if event.started_at is None else event.started_at
    metrics, models = event.metrics or lane.metrics, event.models or lane.models
    return replace(lane, status=event.status, started_at=started_at, metrics=metrics, models=models)


def _retried(turn: TurnState, name: LaneName) -> TurnState:
    """What was ready of the answer was shown the first time, and counts there."""
    attempt = turn.attempt + 1
    prepared = {lane: preparation for lane, preparation in turn.prepared.items() if lane != name}
    lane = LaneState(attempt=attempt)
    return replace(with_lane(turn, name, lane), attempt=attempt, prepared=prepared, done=False)


def _update_turn(state: State, turn_id: int, change: TurnChange) -> State:
    turns = tuple(change(turn) if turn.id == turn_id else turn for turn in state.turns)
    return replace(state, turns=turns)
