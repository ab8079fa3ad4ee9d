"""What there is to tell of a step that gets an answer ready."""

from dataclasses import dataclass, field, replace
from time import perf_counter

from livemind_app.protocol import Cancel
from livemind_app.session.events import Prepared, Thought
from livemind_app.session.plan import Read, Speculate, still_asked
from livemind_app.session.speculated import Speculated
from livemind_app.session.state import Preparation, State
from livemind_app.session.thoughts import read_to, with_thought


@dataclass
class Running:
    """The step in progress."""

    step: Read | Speculate
    cancel: Cancel = field(default_factory=Cancel)
    answer: Speculated | None = None  # once it is known which one
    before: Preparation = field(default_factory=Preparation)  # what was spent until then
    allowed: int = 0  # tokens, of an answer
    tokens: int = 0
    began: float = field(default_factory=perf_counter)

    @property
    def seconds(self) -> float:
        return perf_counter() - self.began


def progress(state: State, running: Running, answer: Speculated, at: float, *, over: bool) -> Prepared:
    """What was spent, and what is ready: as before, if the text was edited since or no word was said yet.

    `over`: the step has ended.
    """
    step, before = running.step, running.before
    now = state.prepared.get(step.lane, Preparation())
    if isinstance(step, Speculate) and answer.said and still_asked(state, step):
        thoughts = with_thought(before.thoughts, _thought(state, running, step, answer, over))
        done, text = answer.finished is not None, answer.text.lstrip()
        now = replace(now, ready=len(answer.said), done=done, text=text, thoughts=thoughts)
    return Prepared(
        at=at,
        lane=step.lane,
        ready=now.ready,
        done=now.done,
        tokens=before.tokens + running.tokens,
        seconds=before.seconds + running.seconds,
        draft=state.options.method(step.lane) == "draft",
        text=now.text,
        thoughts=now.thoughts,
    )


def _thought(state: State, running: Running, step: Speculate, answer: Speculated, over: bool) -> Thought:
    upto, leading = len(step.question.text), len(answer.text) - len(answer.text.lstrip())
    begin = max(answer.kept_text - leading, 0)
    index = read_to(state.segments, upto)
    return Thought(index, upto, begin, running.tokens, running.seconds, running=not over)
