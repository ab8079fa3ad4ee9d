"""Runs a submitted turn's lanes, one after another, each with a clock of its own."""

import asyncio
import logging
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

from livemind_app.errors import GenerationFailed, LiveMindError, where_raised
from livemind_app.protocol import (
    Cancel,
    Chunk,
    Draft,
    Engine,
    Finished,
    Guide,
    Message,
    Priority,
    Request,
    Role,
)
from livemind_app.session.clients import Purse
from livemind_app.session.events import Answer, Failure, Lane, LaneStatus, Metrics, Turn
from livemind_app.session.figures import Stopwatch, compared, measured, status_of
from livemind_app.session.formats import CONVENTIONAL_SYSTEM, system
from livemind_app.session.guides import Prompt, reading, rendered
from livemind_app.session.lanes import AHEAD_LANES, LANE_ROLE, LaneName
from livemind_app.session.plan import plan_answering
from livemind_app.session.preparer import Preparer
from livemind_app.session.prompts import answer_messages
from livemind_app.session.rendering import Renderer
from livemind_app.session.requests import compression, lane_request, models_of
from livemind_app.session.speculated import Speculated
from livemind_app.session.state import FINAL, TurnState, history
from livemind_app.session.store import Store

log = logging.getLogger(__name__)
T = TypeVar("T")


class Answerer:
    """Runs what plan_answering names until the session closes."""

    def __init__(self, store: Store, engine: Engine, session: str, preparer: Preparer, purse: Purse) -> None:
        self._store = store
        self._preparer = preparer
        self._engine = engine
        self._renderer = Renderer(engine, store)
        self._session = session
        self._purse = purse
        self._running: LaneName | None = None  # or the last that was
        self._cancel = Cancel()  # of this lane

    async def run(self) -> None:
        while not self._store.ring.closed:
            seen = self._store.ring.last
            turn = self._store.state.turn
            if step := plan_answering(self._store.state):
                await asyncio.create_task(self._lane(step.lane), context=self._store.asked)
            elif turn and not turn.done:
                self._store.emit(Turn(self._store.now, turn.id, done=True))
            else:
                await self._store.ring.news(seen)

    def stop(self) -> None:
        """End the running lane here and leave out those that wait."""
        turn = self._store.state.turn
        if turn is None or turn.done:
            return
        for name in turn.lanes:
            self.stop_lane(name)
        self._store.emit(Turn(self._store.now, turn.id, done=True))

    def stop_lane(self, name: LaneName) -> None:
        """End one lane of the newest turn, running or not; the others go on."""
        turn = self._store.state.turn
        if turn is None or turn.lanes[name].status in FINAL:
            return
        if name == self._running:
            self._cancel()
        self._finish(turn.id, name, "stopped", None)

    async def _lane(self, name: LaneName) -> None:
        turn = self._turn()
        self._running, self._cancel = name, (cancel := Cancel())
        try:
            watch = await self._start(turn, name, cancel)
            if watch:
                await self._answer(turn, name, watch)
        except LiveMindError as error:
            self._fail(turn, name, error)
        except Exception as error:
            log.error("A lane failed.\n%s", where_raised(error))
            message = f"the answer failed ({type(error).__name__}); send it again"
            self._fail(turn, name, GenerationFailed(message))

    async def _start(self, turn: TurnState, name: LaneName, cancel: Cancel) -> Stopwatch | None:
        """Bring the lane to where its own submit happens, and start its clock; None when stopped.

        A lane that works ahead and comes first is submitted when the user submits, unless models are still
        loading. A baseline starts with a cache of the earlier turns, as any server's would be; a lane that is
        answered anew with what it had read before the last segment.
        """
        loaded = all(model.state == "ready" for model in self._engine.status())
        await self._engine.ready()
        if cancel.cancelled:
            return None
        again = turn.lanes[name].attempt > 0
        if again or name not in AHEAD_LANES:
            await self._warm(turn, name)
            if cancel.cancelled:
                return None
        first = name in AHEAD_LANES and name == next(iter(turn.lanes)) and not again
        start = turn.at if first and loaded else self._store.now
        models = models_of(self._engine, name)
        self._store.emit(Lane(self._store.now, turn.id, name, "running", started_at=start, models=models))
        return Stopwatch(start)

    async def _warm(self, turn: TurnState, name: LaneName) -> None:
        tokenizer, past = self._engine.tokenizer, history(self._store.state.turns[:-1])
        options = self._store.state.options
        if name in AHEAD_LANES:
            messages = answer_messages(options, name, past, turn.segments, turn.notes)
            prompt = await self._renderer.made(
                name, messages, lambda: reading(tokenizer, options, name, past, turn)
            )
        else:
            messages = [system(CONVENTIONAL_SYSTEM), *past]
            render = tokenizer(LANE_ROLE[name]).render
            prompt = await self._renderer.made(name, messages, lambda: Prompt(render(messages, answer=False)))
        request = self._request(name, prompt.ids, 0, guide=prompt.guide)
        async with aclosing(self._engine.stream(request)) as outputs:
            async for _ in outputs:
                pass

    async def _answer(self, turn: TurnState, name: LaneName, watch: Stopwatch) -> None:
        """Show what is ready, and go on from there."""
        options, past = self._store.state.options, history(self._store.state.turns[:-1])
        messages = answer_messages(options, name, past, turn.segments, turn.notes)
        begun_by = options.begun_by(name)
        tokenizer, cancel = self._engine.tokenizer, self._cancel
        prompt = await self._renderer.made(
            name, messages, lambda: rendered(tokenizer, name, messages, begun_by), begun_by
        )
        if cancel.cancelled:
            return
        ready = self._preparer.take(name, prompt.ids, options.sampling)
        if ready.said:
            self._grow(turn, name, watch, Chunk(tuple(ready.said), ready.text, kept=True))
        if ready.finished:
            self._measured(turn, name, watch, ready, replace(ready.finished, tokens=0, kept=0))
        elif begun_by != LANE_ROLE[name]:
            await self._hand_over(turn, name, watch, ready, messages)
        else:
            await self._go_on(turn, name, watch, ready, prompt.guide)

    async def _go_on(
        self, turn: TurnState, name: LaneName, watch: Stopwatch, ready: Speculated, guide: Guide | None
    ) -> None:
        left, said = self._store.state.options.max_tokens - len(ready.said), len(ready.said)
        ids = (*ready.ids, *ready.said)
        request = self._request(name, ids, left, said=said, guide=guide, draft=ready.left)
        if finished := await self._show(turn, name, watch, request):
            self._measured(turn, name, watch, ready, finished)

    async def _hand_over(
        self, turn: TurnState, name: LaneName, watch: Stopwatch, ready: Speculated, messages: list[Message]
    ) -> None:
        """The large model says how much of its draft holds, and a token more; the small one goes on there."""
        left = self._store.state.options.max_tokens - len(ready.said)
        finished: Finished | None = Finished("length")
        if ready.left:
            finished = await self._show(turn, name, watch, self._correcting(name, ready, ready.left, left))
        if finished and finished.reason == "length" and finished.tokens < left:
            request = await self._continuing(name, messages, left - finished.tokens)
            rest = await self._show(turn, name, watch, request)
            finished = finished.then(rest) if rest else None
        if finished:
            self._measured(turn, name, watch, ready, finished)

    def _correcting(self, name: LaneName, ready: Speculated, draft: Draft, left: int) -> Request:
        ids, said = (*ready.ids, *ready.said), len(ready.said)
        return self._request(name, ids, left, role="llm", said=said, draft=replace(draft, further=1))

    async def _continuing(self, name: LaneName, messages: list[Message], left: int) -> Request:
        tokenizer = self._engine.tokenizer(LANE_ROLE[name])
        said = tokenizer.encode(self._turn().lanes[name].text)
        ids = await self._renderer.made(name, messages, lambda: tokenizer.render(messages))
        return self._request(name, (*ids, *said), left, said=len(said))

    async def _show(
        self, turn: TurnState, name: LaneName, watch: Stopwatch, request: Request
    ) -> Finished | None:
        """Returns how it ended, or None when the lane is there no more."""
        async with aclosing(self._engine.stream(request)) as outputs:
            async for output in outputs:
                if isinstance(output, Finished):
                    cut = request.cancel.cancelled  # though the engine may have said all of it by then
                    ended = replace(output, reason="cancelled") if cut else output
                    return ended if self._known(turn, name) else None
                self._purse.spend(0 if output.kept else len(output.ids))
                if not request.cancel.cancelled:
                    self._grow(turn, name, watch, output)
        return None

    def _known(self, turn: TurnState, name: LaneName) -> bool:
        """Whether it is still there: a new chat begins without it, and counts its turns from 1 again.

        A lane that was stopped may be answered anew by now.
        """
        attempt = turn.lanes[name].attempt
        turns = (each for each in self._store.state.turns if (each.id, each.at) == (turn.id, turn.at))
        return any(each.lanes[name].attempt == attempt for each in turns)

    def _grow(self, turn: TurnState, name: LaneName, watch: Stopwatch, chunk: Chunk) -> None:
        watch.token(self._store.now)
        begun = bool(self._turn().lanes[name].text)
        if text := chunk.text if begun else chunk.text.lstrip():
            written = 0 if chunk.kept else len(chunk.ids)
            self._store.emit(Answer(self._store.now, turn.id, name, text, chunk.drafted, written))

    def _request(
        self,
        name: LaneName,
        ids: tuple[int, ...],
        max_tokens: int,
        role: Role | None = None,
        said: int = 0,
        guide: Guide | None = None,
        draft: Draft | None = None,
    ) -> Request:
        options = self._store.state.options
        return lane_request(
            self._engine,
            self._session,
            options,
            name,
            ids,
            role,
            max_tokens=max_tokens,
            said=said,
            priority=Priority.ANSWER if name in AHEAD_LANES else Priority.BASELINE,
            sampling=options.sampling,
            lookahead=options.lookahead,
            guide=guide,
            draft=draft,
            cancel=self._cancel,
        )

    def _measured(
        self, turn: TurnState, name: LaneName, watch: Stopwatch, ready: Speculated, finished: Finished
    ) -> None:
        """`finished` is about what was computed after the submit only."""
        state = self._store.state
        used = compression(self._engine, state.options, name)
        metrics = measured(state.options, name, turn, watch, ready, finished, self._store.now, used)
        self._finish(turn.id, name, status_of(finished), metrics)
        self._compare(turn.id)

    def _compare(self, turn_id: int) -> None:
        """Tell the finished lanes how much sooner they were, as soon as that is known."""
        lanes = next(turn.lanes for turn in self._store.state.turns if turn.id == turn_id)
        for name, metrics in compared(lanes).items():
            self._finish(turn_id, name, "done", metrics)

    def _finish(self, turn_id: int, name: LaneName, status: LaneStatus, metrics: Metrics | None) -> None:
        self._store.emit(Lane(self._store.now, turn_id, name, status, metrics))

    def _fail(self, turn: TurnState, name: LaneName, error: LiveMindError) -> None:
        if self._cancel.cancelled:
            return
        self._store.emit(Failure(self._store.now, error.code, str(error), name))
        self._finish(turn.id, name, "failed", None)

    def _turn(self) -> TurnState:
        turn = self._store.state.turn
        assert turn is not None, "a lane runs for the newest turn"
        return turn
