"""Runs a submitted turn's lanes, one after another, each with a clock of its own."""

from contextlib import aclosing
from dataclasses import dataclass, replace

from livemind_app.errors import EngineError, LiveMindError
from livemind_app.protocol import Cancel, Chunk, Engine, Finished, Message, Priority, Request
from livemind_app.session.events import Answer, Failure, Lane, LaneName, LaneStatus, Metrics, Turn
from livemind_app.session.formats import CONVENTIONAL_SYSTEM, FORMATS, blocks_of, conventional, system
from livemind_app.session.plan import plan_answering
from livemind_app.session.prefill import ANSWER, CacheTarget, prefill
from livemind_app.session.state import FINAL, LANE_ROLE, THINKING_LANES, TurnState, history
from livemind_app.session.store import Store


@dataclass
class Clock:
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

    def __init__(self, store: Store, engine: Engine, session: str) -> None:
        self._store = store
        self._engine = engine
        self._session = session
        self._cancel = Cancel()

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
        self._cancel()
        for name, lane in turn.lanes.items():
            if lane.status not in FINAL:
                self._finish(turn.id, name, "stopped", None)
        self._store.emit(Turn(self._store.now, turn.id, done=True))

    async def _lane(self, name: LaneName) -> None:
        turn = self._turn()
        self._cancel = cancel = Cancel()
        try:
            clock = await self._start(turn, name, cancel)
            if clock:
                await self._answer(turn, name, clock)
        except LiveMindError as error:
            self._fail(turn, name, error)

    async def _start(self, turn: TurnState, name: LaneName, cancel: Cancel) -> Clock | None:
        """Bring the lane to where its own submit happens, and start its clock; None when stopped.

        A live lane that comes first is submitted when the user submits, unless models are still
        loading. A baseline starts with a cache of the earlier turns, as any server's would be.
        """
        loaded = all(model.state == "ready" for model in self._engine.status())
        await self._engine.ready()
        if cancel.cancelled:
            return None
        if name not in THINKING_LANES:
            messages = [system(CONVENTIONAL_SYSTEM), *history(self._store.state.turns[:-1])]
            target = CacheTarget(LANE_ROLE[name], self._session, name, Priority.BASELINE)
            await prefill(self._engine, messages, target, cancel)
            if cancel.cancelled:
                return None
        first_live = name in THINKING_LANES and name == next(iter(turn.lanes))
        self._store.emit(Lane(self._store.now, turn.id, name, "running"))
        return Clock(turn.at if first_live and loaded else self._store.now)

    async def _answer(self, turn: TurnState, name: LaneName, clock: Clock) -> None:
        request = self._request(turn, name)
        async with aclosing(self._engine.stream(request)) as outputs:
            async for output in outputs:
                if isinstance(output, Finished):
                    self._measured(turn, name, clock, output)
                elif not request.cancel.cancelled:
                    self._grow(turn, name, clock, output)

    def _grow(self, turn: TurnState, name: LaneName, clock: Clock, chunk: Chunk) -> None:
        clock.token(self._store.now)
        begun = bool(self._turn().lanes[name].text)
        if text := chunk.text if begun else chunk.text.lstrip():
            self._store.emit(Answer(self._store.now, turn.id, name, text, chunk.drafted))

    def _request(self, turn: TurnState, name: LaneName) -> Request:
        options = self._store.state.options
        role = LANE_ROLE[name]
        live = name in THINKING_LANES
        return Request(
            ids=self._engine.tokenizer(role).render(self._messages(turn, name)),
            role=role,
            max_tokens=options.max_tokens,
            session=self._session,
            cache_key=ANSWER if live else name,
            priority=Priority.ANSWER if live else Priority.BASELINE,
            sampling=options.sampling,
            lookahead=options.lookahead,
            cancel=self._cancel,
        )

    def _messages(self, turn: TurnState, name: LaneName) -> list[Message]:
        past = history(self._store.state.turns[:-1])
        if name not in THINKING_LANES or self._store.state.options.mode == "prefill":
            return conventional(past, turn.prompt)
        texts = [segment.text for segment in turn.segments]
        layout = FORMATS[self._store.state.options.format]
        return layout.answer(past, blocks_of(texts, turn.notes))

    def _measured(self, turn: TurnState, name: LaneName, clock: Clock, finished: Finished) -> None:
        last = clock.last if clock.last is not None else self._store.now
        live = name in THINKING_LANES
        metrics = Metrics(
            ttft=clock.ttft,
            latency=last - clock.start,
            tokens=finished.tokens,
            tokens_per_s=finished.tokens / finished.decode_s if finished.decode_s > 0 else 0.0,
            prompt_tokens=finished.prompt_tokens,
            prefilled_after_submit=finished.prefilled_tokens,
            thinking_s=turn.spent.seconds if live else 0.0,
            thinking_tokens=turn.spent.tokens if live else 0,
            wasted_tokens=turn.spent.wasted if live else 0,
            forwards=finished.forwards,
            drafted_tokens=finished.drafted,
            overhead_s=finished.waited_s,
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
            if name == "conventional" or lane.status != "done" or not lane.metrics or lane.metrics.reduction:
                continue
            reduction = 1 - lane.metrics.latency / baseline.metrics.latency
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


def _status(finished: Finished) -> LaneStatus:
    if finished.reason == "cancelled":
        return "stopped"
    return "interrupted" if finished.interrupted else "done"
