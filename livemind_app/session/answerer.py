"""Runs a submitted turn's lanes, one after another, each with a clock of its own."""

from contextlib import aclosing
from dataclasses import dataclass, replace

from livemind_app.errors import EngineError, LiveMindError
from livemind_app.protocol import Cancel, Chunk, Draft, Engine, Finished, Guide, Priority, Request
from livemind_app.session.events import Answer, Failure, Lane, LaneStatus, Metrics, Turn
from livemind_app.session.formats import CONVENTIONAL_SYSTEM, system
from livemind_app.session.guides import Prompt, reading, rendered
from livemind_app.session.lanes import AHEAD_LANES, LANE_ROLE, LaneName
from livemind_app.session.plan import plan_answering
from livemind_app.session.preparer import Preparer
from livemind_app.session.prompts import answer_messages
from livemind_app.session.requests import compression, lane_request
from livemind_app.session.speculated import Speculated
from livemind_app.session.state import FINAL, Preparation, Spent, TurnState, history
from livemind_app.session.store import Store


@dataclass
class Stopwatch:
    """When a lane was submitted, and its first and last token; seconds of the session's clock."""

    start: float
    first: float | None = None
    last: float | None = None

    def token(self, now: float) -> None:
        self.first = self.first if self.first is not None else now
        self.last = now

    @property
    def ttft(self) -> float | None:
        return None if self.first is None else self.first - self.start


class Answerer:
    """Runs what plan_answering names until the session closes."""

    def __init__(self, store: Store, engine: Engine, session: str, preparer: Preparer) -> None:
        self._store = store
        self._preparer = preparer
        self._engine = engine
        self._session = session
        self._running: LaneName | None = None  # or the last that was
        self._cancel = Cancel()  # of this lane

    async def run(self) -> None:
        while not self._store.ring.closed:
            seen = self._store.ring.last
            turn = self._store.state.turn
            if step := plan_answering(self._store.state):
                await self._lane(step.lane)
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
        self._store.emit(Lane(self._store.now, turn.id, name, "running", started_at=start))
        return Stopwatch(start)

    async def _warm(self, turn: TurnState, name: LaneName) -> None:
        tokenizer, past = self._engine.tokenizer, history(self._store.state.turns[:-1])
        if name in AHEAD_LANES:
            prompt = reading(tokenizer, self._store.state.options, name, past, turn)
        else:
            messages = [system(CONVENTIONAL_SYSTEM), *past]
            prompt = Prompt(tokenizer(LANE_ROLE[name]).render(messages, answer=False))
        request = self._request(name, prompt.ids, 0, guide=prompt.guide)
        async with aclosing(self._engine.stream(request)) as outputs:
            async for _ in outputs:
                pass

    async def _answer(self, turn: TurnState, name: LaneName, watch: Stopwatch) -> None:
        """Show what is ready, and go on from there."""
        options, past = self._store.state.options, history(self._store.state.turns[:-1])
        messages = answer_messages(options, name, past, turn.segments, turn.notes)
        prompt = rendered(self._engine.tokenizer, name, messages)
        ready = self._preparer.take(name, prompt.ids, options.sampling)
        if ready.said:
            self._grow(turn, name, watch, Chunk(tuple(ready.said), ready.text))
        if ready.finished:
            self._measured(turn, name, watch, ready, replace(ready.finished, tokens=0, kept=0))
        else:
            await self._go_on(turn, name, watch, ready, prompt.guide)

    async def _go_on(
        self, turn: TurnState, name: LaneName, watch: Stopwatch, ready: Speculated, guide: Guide | None
    ) -> None:
        left = self._store.state.options.max_tokens - len(ready.said)
        ids = (*ready.ids, *ready.said)
        request = self._request(name, ids, left, said=len(ready.said), guide=guide, draft=ready.left)
        async with aclosing(self._engine.stream(request)) as outputs:
            async for output in outputs:
                if isinstance(output, Finished):
                    if self._known(turn, name):
                        self._measured(turn, name, watch, ready, output)
                elif not request.cancel.cancelled:
                    self._grow(turn, name, watch, output)

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
            self._store.emit(Answer(self._store.now, turn.id, name, text, chunk.drafted))

    def _request(
        self,
        name: LaneName,
        ids: tuple[int, ...],
        max_tokens: int,
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
        last = watch.last if watch.last is not None else self._store.now
        noted = self._store.state.options.method(name) == "notes"
        notes, tried = turn.spent if noted else Spent(), turn.prepared.get(name, Preparation())
        ready_tokens = len(ready.said) + finished.kept
        metrics = Metrics(
            ttft=watch.ttft,
            latency=last - watch.start,
            tokens=len(ready.said) + finished.tokens,
            tokens_per_s=_speed(finished),
            prompt_tokens=len(ready.ids),
            prefilled_after_submit=0 if ready.finished else finished.prefilled_tokens,
            ready_tokens=ready_tokens,
            kept_tokens=ready.kept + finished.kept,
            thinking_s=notes.seconds + tried.seconds,
            thinking_tokens=notes.tokens + tried.tokens,
            wasted_tokens=notes.wasted + tried.tokens - ready_tokens,
            forwards=ready.forwards + finished.forwards,
            drafted_tokens=finished.drafted,
            overhead_s=finished.waited_s,
            positions=finished.positions,
            kv_bytes=finished.kv_bytes,
            compression=compression(self._engine, self._store.state.options, name),
        )
        self._finish(turn.id, name, _status(finished), metrics)
        self._compare(turn.id)

    def _compare(self, turn_id: int) -> None:
        """Tell the finished lanes how much sooner they were, as soon as that is known."""
        lanes = next(turn.lanes for turn in self._store.state.turns if turn.id == turn_id)
        baseline = lanes.get("conventional")
        if baseline is None or baseline.status != "done" or baseline.metrics is None:
            return
        for name, lane in lanes.items():
            if name == "conventional" or lane.status != "done" or not lane.metrics:
                continue
            reduction = 1 - lane.metrics.latency / baseline.metrics.latency
            if reduction != lane.metrics.reduction:
                self._finish(turn_id, name, "done", replace(lane.metrics, reduction=reduction))

    def _finish(self, turn_id: int, name: LaneName, status: LaneStatus, metrics: Metrics | None) -> None:
        self._store.emit(Lane(self._store.now, turn_id, name, status, metrics))

    def _fail(self, turn: TurnState, name: LaneName, error: LiveMindError) -> None:
        if self._cancel.cancelled:
            return
        code = "engine_error" if isinstance(error, EngineError) else "model_error"
        self._store.emit(Failure(self._store.now, code, str(error), name))
        self._finish(turn.id, name, "failed", None)

    def _turn(self) -> TurnState:
        turn = self._store.state.turn
        assert turn is not None, "a lane runs for the newest turn"
        return turn


def _speed(finished: Finished) -> float:
    """Tokens written a second."""
    return (finished.tokens - finished.kept) / finished.decode_s if finished.decode_s > 0 else 0.0


def _status(finished: Finished) -> LaneStatus:
    if finished.reason == "cancelled":
        return "stopped"
    return "interrupted" if finished.interrupted else "done"
