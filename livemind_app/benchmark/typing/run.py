"""Every question in every lane, each in a session of its own, typed by the typist and measured.

Nothing here imitates LiveMind: the sessions are those of the app, and so are their figures.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from livemind_app.benchmark.typing.clock import Clock
from livemind_app.benchmark.typing.datasets import Question
from livemind_app.benchmark.typing.lanes import BenchLane, warm
from livemind_app.benchmark.typing.records import Record, Records
from livemind_app.benchmark.typing.scoring import score
from livemind_app.benchmark.typing.typists import Typist
from livemind_app.errors import SessionError
from livemind_app.protocol import ROLES, Engine, Request
from livemind_app.session.limits import Limits
from livemind_app.session.manager import SessionManager
from livemind_app.session.options import Options
from livemind_app.session.session import Session
from livemind_app.session.state import LaneState, TurnState

LIMITS = Limits(max_sessions=2, max_text=200_000, idle_s=float("inf"), abandoned_s=0)
WARM_UP = "Name the colours of the rainbow, one after another, and say which of them comes first. " * 4


@dataclass(frozen=True)
class Bench:
    """What is measured, and how."""

    questions: Sequence[Question]
    lanes: Sequence[BenchLane]
    typist: Typist
    clock: Clock
    seed: int = 0
    defaults: Options = field(default_factory=Options)

    def __len__(self) -> int:
        return len(self.questions) * len(self.lanes)

    def schedule(self) -> Iterator[tuple[Question, BenchLane]]:
        """Question by question; who goes first changes, so that no lane always has the warmer machine."""
        for index, question in enumerate(self.questions):
            turn = index % len(self.lanes)
            yield from ((question, lane) for lane in (*self.lanes[turn:], *self.lanes[:turn]))


async def measure(engine: Engine, bench: Bench, journal: Records, progress: Callable[[Record], None]) -> None:
    """Fill the journal with what it does not have; `progress` hears of every new record."""
    await engine.ready()
    await warm_up(engine)
    manager = SessionManager(engine, LIMITS, clock=bench.clock)
    try:
        for question, lane in bench.schedule():
            if (question.id, lane.name) not in journal.records:
                record = await _ask(manager, bench, question, lane)
                journal.add_record(record)
                progress(record)
    finally:
        await manager.close()


async def warm_up(engine: Engine) -> None:
    """The first forwards of a process are slow; they are nobody's latency."""
    for role in ROLES:
        ids = engine.tokenizer(role).render([{"role": "user", "content": WARM_UP}])
        async for _ in engine.stream(Request(ids, role, max_tokens=4)):
            pass


async def _ask(manager: SessionManager, bench: Bench, question: Question, lane: BenchLane) -> Record:
    """One question in one lane. The session is new, so its caches are cold."""
    session = manager.create(lane.options(bench.defaults).to_dict())
    try:
        await warm(manager.engine, session, lane)
        typing_s = await _type(session, bench, question)
        session.submit(session.state.revision + 1, question.prompt)
        return _record(question, lane, await _answered(session), typing_s)
    except SessionError as error:  # a text that no session takes
        return Record(question.id, question.kind, question.sentences, lane.name, error.code)
    finally:
        await manager.delete(session.token)


async def _type(session: Session, bench: Bench, question: Question) -> float:
    """Type the question, the options left for the submit; returns the seconds it took the typist.

    A session that computes nothing meanwhile needs no typing.
    """
    if session.options.mode == "off":
        return 0.0
    began, at = bench.clock(), 0.0
    random = Random(f"{bench.seed}:{question.id}")  # noqa: S311 - the same keystrokes in every lane
    for revision, draft in enumerate(bench.typist.drafts(question.text, random)):
        at = draft.at
        await bench.clock.until(began + at, session.settled)
        session.draft(revision, draft.text)
    at += bench.typist.enter_s(random)
    await bench.clock.until(began + at, session.settled)
    return at


async def _answered(session: Session) -> TurnState:
    """The turn, when its lane has finished."""
    async for _ in session.events():
        if session.state.turn and session.state.turn.done:
            break
    turn = session.state.turn
    assert turn is not None, "the prompt was submitted"
    return turn


def _record(question: Question, lane: BenchLane, turn: TurnState, typing_s: float) -> Record:
    answered: LaneState = turn.lanes[lane.runs]
    record = Record(
        question.id, question.kind, question.sentences, lane.name, answered.status, answer=answered.text
    )
    metrics, outcome = answered.metrics, score(question, answered.text)
    if metrics is None or answered.status not in ("done", "interrupted"):
        return record
    return replace(
        record,
        ttft=metrics.ttft,
        latency=metrics.latency,
        overhead=metrics.overhead_s,
        tokens_before=metrics.thinking_tokens,
        tokens_after=metrics.tokens - metrics.ready_tokens,
        ready=metrics.ready_tokens,
        wasted=metrics.wasted_tokens,
        prompt_tokens=metrics.prompt_tokens,
        prefilled_after=metrics.prefilled_after_submit,
        thinking_s=metrics.thinking_s,
        typing_s=typing_s,
        notes=tuple(note.inference for note in turn.notes if note.inference),
        waits=sum(note.kind == "wait" for note in turn.notes),
        extracted=outcome.extracted,
        correct=outcome.correct,
    )
