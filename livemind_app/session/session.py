"""One user's session: drafts in, events out.

A draft is cut into segments and applied; the thinker and the answerer read the state and do what
`plan` names. All of it lives on one event loop, so there is no lock.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from livemind_app.errors import ConfigError, NothingToRetry, TurnRunning
from livemind_app.protocol import Engine
from livemind_app.session.admission import Admission
from livemind_app.session.apply import matching
from livemind_app.session.checks import check_draft, check_said, check_submit
from livemind_app.session.clients import Account
from livemind_app.session.clock import Clock
from livemind_app.session.events import Event, Lane, Retry, Segment, Segments, StateChanged, Turn
from livemind_app.session.lanes import LaneName
from livemind_app.session.limits import Limits
from livemind_app.session.options import Options, check_lanes
from livemind_app.session.presence import Presence
from livemind_app.session.readers import Readers
from livemind_app.session.requests import chosen
from livemind_app.session.ring import Frame
from livemind_app.session.state import State, TurnState
from livemind_app.session.store import Observe, Store
from livemind_app.session.work import Work
from livemind_app.text.segment import IncrementalSegmenter

NOTES_DEPEND_ON = ("models", "mode", "format", "granularity", "min_length", "note_tokens", "think_threshold")


class Session:
    """Created by SessionManager. Methods raise SessionError subclasses; none of them waits."""

    def __init__(
        self,
        token: str,
        engines: Mapping[str, Engine],
        limits: Limits,
        options: Options,
        clock: Clock,
        admission: Admission,
        owner: str,
        account: Account,
        observe: Observe = lambda event: None,
        on_turn: "Callable[[Session], None]" = lambda session: None,
    ) -> None:
        self.token = token
        self.owner = owner
        self._account = account
        self._on_turn = on_turn
        self._engines = engines
        self._limits = limits
        self._admission = admission
        self._observe = observe
        self._store = Store(State(options=options), limits, clock, self._see)
        self._segmenter = IncrementalSegmenter(options.granularity, options.min_length)
        self._presence = Presence(limits.abandoned_s, Readers(limits.readers), self._abandoned)
        self._ending: asyncio.Task[None] | None = None  # of work on other models
        self._work = self._work_on(options.models)

    @property
    def state(self) -> State:
        return self._store.state

    @property
    def options(self) -> Options:
        return self._store.state.options

    @property
    def engine(self) -> Engine:
        """That of its models."""
        return self._work.engine

    @property
    def idle_s(self) -> float:
        """Seconds without a call; 0 while somebody reads the events."""
        return self._presence.idle_s

    @property
    def payers(self) -> tuple[str, ...]:
        return self._account.payers

    @property
    def answering(self) -> bool:
        """Whether an answer is being written, comparisons included."""
        return self.state.turn is not None and not self.state.turn.done

    def draft(self, revision: int, text: str) -> tuple[Segment, ...]:
        """Replace the draft. Notes on the leading segments that are unchanged stay."""
        self._touch()
        check_draft(self.state, self._limits, revision, text)
        self._replace(revision, text, complete=False)
        return self.state.segments

    def submit(self, revision: int, text: str, lanes: Sequence[str] | None = None) -> Turn:
        """Answer `text` in `lanes`; a running note is cut and kept, and so is an answer already begun."""
        wanted = check_lanes(lanes) if lanes is not None else self.options.lanes
        self._touch()
        check_submit(self.state, self._limits, revision, text)
        self._take_answer()
        self._work.answerer.stop()
        self._replace(revision, text, complete=True)
        self._work.thinker.cut()
        self._work.preparer.submit()
        turn = self._begin(text, wanted)
        self._segmenter = self._new_segmenter()
        return turn

    def stop(self, lane: str | None = None) -> None:
        """End the running answers here, or one lane's; what was said is kept."""
        self._touch()
        if lane is None:
            self._work.answerer.stop()
        elif self.state.turn:
            self._work.answerer.stop_lane(self._lane_of(self.state.turn, lane))

    def retry(self, lane: str) -> None:
        """Answer the newest turn in one of its lanes anew; the other lanes keep what they said."""
        self._touch()
        turn = self.state.turn
        if turn is None or turn.restored:
            raise NothingToRetry("there is no turn of this session whose lane could be answered anew")
        name = self._lane_of(turn, lane)
        if not turn.done:
            raise TurnRunning("an answer is being written; wait for it or stop it first")
        self._take_answer()
        self._work.preparer.discard(name)
        if name == next(iter(turn.lanes)):
            self._work.preparer.reset()  # what is ready goes on after the old answer
        self._store.emit(Retry(self._store.now, turn.id, name))

    def clear(self, said: Sequence[tuple[str, str]] = ()) -> None:
        """Begin a chat: turns, draft and caches go; token, options and revision stay.

        It goes on after what was `said`: prompts and their answers, as an earlier session had them.
        """
        self._touch()
        check_said(self._limits, said)
        self._work.answerer.stop()
        self._change(self.options, cleared=True, said=tuple(said))
        self.engine.forget(self.token)

    def configure(self, changes: Mapping[str, Any]) -> Options:
        """Change options; what was thought about the draft is thought anew where it depends on them."""
        self._touch()
        before, options = self.options, chosen(self._engines, self.options, changes)
        if options.models != before.models:
            self._take_models(options.models)
        self._change(options, cleared=False)
        if _thinks_differently(before, options):
            self._replace(self.state.revision, self.state.text, complete=False, keep=False)
        return options

    def rest(self) -> None:
        """Stop what is computed ahead; it goes on when the server has room again."""
        self._work.rest()

    async def answered(self) -> None:
        """Return when no answer is being written."""
        while self.answering and not self._store.ring.closed:
            await self._store.ring.news(self._store.ring.last)

    async def settled(self) -> None:
        """Return when nothing is computed for the draft, and nothing is left to unless it stays as it is."""
        await self._work.settled()

    async def events(self, last: int = 0) -> AsyncGenerator[list[Frame], None]:
        """Batches of (id, event) after id `last`; ends when the session does, or for newer readers."""
        with self._presence.reading() as reader:
            self._store.ring.wake()
            while frames := await self._store.read(last, reader):
                yield frames
                last = frames[-1][0]

    async def close(self) -> None:
        """End the streams, stop all work, drop the caches."""
        self._store.ring.close()
        self._presence.close()
        self._admission.mark(self.token, waiting=False)
        await self._work.end()
        if self._ending:
            await self._ending

    def _see(self, event: Event) -> None:
        if isinstance(event, Turn | Lane | Retry | StateChanged):
            turn = self.state.turn
            self._admission.mark(
                self.token, waiting=turn is not None and turn.live_running, payers=self.payers
            )
        self._observe(event)
        if isinstance(event, Turn) and event.done:
            self._on_turn(self)

    def _touch(self) -> None:
        self._presence.touch()

    async def _room(self) -> None:
        """Return when there is somebody to work ahead for, and room to."""
        while self._presence.abandoned or self._admission.shedding:
            await self._presence.returned()
            await self._admission.room()

    def _abandoned(self) -> None:
        """What was typed and said is kept."""
        self.rest()
        self._work.answerer.stop()

    def _take_answer(self) -> None:
        self._admission.take_submit(self.payers)
        self._account.answers.check()
        self._account.submits.take()

    def _take_models(self, name: str) -> None:
        """Others from here on. What the ones of before are doing for the draft ends, and their caches go."""
        if self.answering:
            raise TurnRunning("an answer is being written; choose other models when it is there, or stop it")
        self._work.rest()
        self._ending = asyncio.create_task(self._work.end())
        self._work = self._work_on(name)

    def _work_on(self, models: str) -> Work:
        return Work(self._store, self._engines[models], self.token, self._room, self._account)

    def _replace(self, revision: int, text: str, *, complete: bool, keep: bool = True) -> None:
        cut = self._segmenter.cut(text, complete=complete)
        segments = tuple(Segment(part, index < cut.finished) for index, part in enumerate(cut.segments))
        kept = matching(self.state.segments, segments) if keep else 0
        self._store.emit(Segments(self._store.now, revision, segments, kept))
        self._work.revise()

    def _lane_of(self, turn: TurnState, lane: str) -> LaneName:
        for name in turn.lanes:
            if name == lane:
                return name
        raise ConfigError(f"lane: the newest turn has {', '.join(turn.lanes)} only")

    def _begin(self, text: str, lanes: tuple[LaneName, ...]) -> Turn:
        turn = Turn(self._store.now, len(self.state.turns) + 1, done=False, prompt=text, lanes=lanes)
        self._store.emit(turn)
        return turn

    def _change(self, options: Options, *, cleared: bool, said: tuple[tuple[str, str], ...] = ()) -> None:
        self._store.emit(StateChanged(self._store.now, options.to_dict(), cleared, said))
        self._segmenter = self._new_segmenter()
        self._work.thinker.revise()
        self._work.preparer.reset()

    def _new_segmenter(self) -> IncrementalSegmenter:
        return IncrementalSegmenter(self.options.granularity, self.options.min_length)


def _thinks_differently(before: Options, after: Options) -> bool:
    """Whether notes made under `before` are not those that `after` would give."""
    return any(getattr(before, name) != getattr(after, name) for name in NOTES_DEPEND_ON)
