"""The one next thing to do, read off the state."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from livemind_app.session.lanes import AHEAD_LANES, LaneName
from livemind_app.session.state import Preparation, State
from livemind_app.text.complete import asks, looks_complete, whole_words

LIKELY_END = 0.3  # probability of the end of the user's turn at which an answer is tried
SENTENCE_SHARE = 1 / 4  # of the tokens left, for a guess after a whole sentence
PAUSE_SHARE = 1 / 16  # and for one inside a sentence
SLICE = 32  # tokens that a draft goes on before it is looked at again, with the words typed meanwhile


@dataclass(frozen=True)
class Think:
    """Make a note on the unread finished segments first..index."""

    first: int
    index: int


@dataclass(frozen=True)
class RunLane:
    """Answer the newest turn in this lane."""

    lane: LaneName


def plan_thinking(state: State) -> Think | None:
    """What to do for the draft: all finished segments that were not thought about, as one step."""
    if not state.options.takes_notes or state.running_note:
        return None
    if state.turn and not state.turn.answered:
        return None  # the draft's history is not known yet
    if state.read < state.finished:
        return Think(state.read, state.finished - 1)
    return None


def plan_answering(state: State) -> RunLane | None:
    """What to do for the newest turn: its first lane that has not run."""
    if state.turn is None or state.turn.done:
        return None
    for name, lane in state.turn.lanes.items():
        if lane.status == "queued":
            return RunLane(name)
    return None


@dataclass(frozen=True)
class Question:
    """What an answer answers: if this is what is submitted, the answer holds."""

    text: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What a lane has ready."""

    read: str = ""  # text whose prompt is in the cache
    ending: float = 0.0  # probability that the user's turn ends behind it
    asked: Question | None = None  # what it has an answer to, or part of one


@dataclass(frozen=True)
class Read:
    """Compute the lane's cache for a prompt that begins with `text`."""

    lane: LaneName
    text: str


@dataclass(frozen=True)
class Speculate:
    """Answer the text as it stands, or stood."""

    lane: LaneName
    question: Question


@dataclass(frozen=True)
class Rest:
    """Nothing to do until the user has been silent for so much longer."""

    seconds: float


Step = Read | Speculate | Rest


def plan_preparing(state: State, known: Mapping[LaneName, Known], budget: int, now: float) -> Step | None:
    """What to do for the lanes' answers before they are asked for; `budget` is in tokens."""
    if not state.text or (state.turn and state.turn.live_running):
        return None
    idle = now - state.pace.at if state.pace.at is not None else 0.0
    lanes = [lane for lane in AHEAD_LANES if lane in state.options.lanes]
    steps = [_prepare(state, lane, known.get(lane, Known()), budget, idle) for lane in lanes]
    urgent = (step for step in steps if step and not isinstance(step, Rest))
    rests = (step for step in steps if isinstance(step, Rest))
    return next(urgent, None) or min(rests, key=lambda rest: rest.seconds, default=None)


def _prepare(state: State, lane: LaneName, known: Known, budget: int, idle: float) -> Step | None:
    method = state.options.method(lane)
    if method == "none":
        return None
    question = _unanswered(state, lane, known, budget)
    if question and _ends(state, lane, known, idle):
        return Speculate(lane, question)
    text, pace = state.text, state.pace
    goal = text if idle >= pace.hesitation_s else state.finished_text
    drafts = question is not None and method == "draft"  # which reads as well
    if drafts and (begun := _begun(state, known)):
        return Speculate(lane, begun)
    if not drafts and not known.read.startswith(goal):
        return Read(lane, goal)
    moments = [*([pace.pause_s] if question else []), *([] if known.read == text else [pace.hesitation_s])]
    later = [moment - idle for moment in moments if moment > idle]
    return Rest(min(later)) if later else None


def _unanswered(state: State, lane: LaneName, known: Known, budget: int) -> Question | None:
    """What may be asked, has no answer yet, and can be paid for."""
    question = question_of(state, lane)
    affordable = min(budget, allowance(state, lane, known)) > 0
    return question if affordable and state.text.strip() and question != known.asked else None


def _begun(state: State, known: Known) -> Question | None:
    """What a draft answers before the text is complete; None if it has no word more than the one before."""
    text = whole_words(state.text)
    if not state.finished or (known.asked and known.asked.text.startswith(text)):
        return None
    return Question(text)


def worthwhile(state: State, step: Read | Speculate, tokens: int) -> bool:
    """Whether to go on, after an edit, with a step that has given so many tokens.

    A draft is not thrown away for each word: the next one begins with it.
    """
    if isinstance(step, Read):
        return state.text.startswith(step.text)
    if question_of(state, step.lane) == step.question:
        return True
    if state.options.method(step.lane) != "draft" or looks_complete(state.text):
        return False
    text = step.question.text
    return state.text.startswith(text) and (tokens < SLICE or text.startswith(whole_words(state.text)))


def still_asked(state: State, step: Speculate) -> bool:
    """Whether what was said so far is of use for the text as it stands."""
    if state.options.method(step.lane) == "draft":
        return state.text.startswith(step.question.text)
    return question_of(state, step.lane) == step.question


def _ends(state: State, lane: LaneName, known: Known, idle: float) -> bool:
    """Whether this may be all. Right after a sentence the time belongs to the note on it."""
    patience = state.pace.hesitation_s if state.options.method(lane) == "notes" else 0.0
    complete = looks_complete(state.text) and idle >= patience
    return complete or _likely(state, known) or idle >= state.pace.pause_s


def allowance(state: State, lane: LaneName, known: Known) -> int:
    """Tokens that a guess at this draft may cost: a share of what is left for the prompt.

    The less the text looks complete, the less, so that there is something left when it is.
    """
    left = state.options.speculate_tokens - state.prepared.get(lane, Preparation()).tokens
    if state.options.method(lane) == "draft" and not asks(state.text):
        return ceil(left * SENTENCE_SHARE)
    if asks(state.text) or _likely(state, known):
        return left
    return ceil(left * (SENTENCE_SHARE if looks_complete(state.text) else PAUSE_SHARE))


def _likely(state: State, known: Known) -> bool:
    """Whether the model expects the user's turn to end here."""
    return known.read == state.text and known.ending >= LIKELY_END


def question_of(state: State, lane: LaneName) -> Question | None:
    """What the draft asks in this lane; None while notes on it are missing."""
    if state.options.method(lane) != "notes":
        return Question(state.text)
    if state.running_note or state.read < state.finished:
        return None
    return Question(state.text, tuple(note.inference for note in state.notes))
