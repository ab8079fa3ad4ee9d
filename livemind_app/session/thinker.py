"""Thinks about the draft while it is typed: one note at a time, dropped when its text changes."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from math import exp
from time import perf_counter

from livemind_app.errors import LiveMindError
from livemind_app.protocol import Cancel, Chunk, Engine, Finished, Message, Priority, Request
from livemind_app.session.actions import ActionParser, is_echo
from livemind_app.session.clients import Account
from livemind_app.session.events import Action, ActionKind, ActionStatus, Failure
from livemind_app.session.formats import FORMATS, Block, Format, Gate, assistant, blocks_of
from livemind_app.session.plan import Think, plan_thinking
from livemind_app.session.rendering import elsewhere
from livemind_app.session.state import history
from livemind_app.session.store import Room, Store

MIN_NOTE_TOKENS = 12  # a shorter note says nothing


@dataclass
class Running:
    """The step in progress and what it has cost."""

    step: Think
    cancel: Cancel = field(default_factory=Cancel)
    began: float = field(default_factory=perf_counter)
    kind: ActionKind = "inference"
    probability: float | None = None
    text: str = ""
    tokens: int = 0

    @property
    def seconds(self) -> float:
        return perf_counter() - self.began


class Thinker:
    """Runs what plan_thinking names until the session closes."""

    def __init__(self, store: Store, engine: Engine, session: str, room: Room, account: Account) -> None:
        self._store = store
        self._engine = engine
        self._session = session
        self._room = room
        self._purse = account.ahead
        self._reading = account.reading
        self._running: Running | None = None
        self.settled = asyncio.Event()  # the newest draft needs nothing more
        self._tokens_per_s = 10.0  # of the newest note; a guess before the first

    async def run(self) -> None:
        seen = 0
        while not self._store.ring.closed:
            await self._room()
            seen = self._store.ring.last
            if self._affordable and (step := plan_thinking(self._store.state)):
                await self._think(step)
            else:
                self.settled.set()
                await self._store.ring.news(seen)

    @property
    def _affordable(self) -> bool:
        return self._purse.left >= MIN_NOTE_TOKENS and self._reading.left > 0

    def revise(self) -> None:
        """After an edit: stop what is done for text that is gone."""
        self.settled.clear()
        state, running = self._store.state, self._running
        if running and state.running_note is None:
            running.cancel()

    def cut(self) -> None:
        """Before a submit, or where there is no room: end the running note here and keep what it has said."""
        if not self._running:
            return
        self._running.cancel()
        if self._store.state.running_note:
            self._end(self._running, "cut" if self._running.text.strip() else "dropped")

    async def _think(self, step: Think) -> None:
        self.settled.clear()
        running = self._running = Running(step)
        self._emit(running)
        try:
            await self._engine.ready()
            running.began = perf_counter()
            await self._note(running)
        except LiveMindError as error:
            self._fail(running, error)
        finally:
            self._running = None

    async def _note(self, running: Running) -> None:
        state = self._store.state
        layout = FORMATS[state.options.format]
        texts = [segment.text for segment in state.segments[: running.step.index + 1]]
        blocks = blocks_of(texts, state.notes[:-1])
        past = history(state.turns)
        if layout.gate:
            await self._gated(running, layout, layout.gate, past, blocks)
        else:
            await self._named(running, layout, past, blocks)
        if running.cancel.cancelled:
            return
        if running.kind == "inference" and is_echo(running.text, "".join(texts)):
            running.kind = "wait"
        self._end(running, "done")

    async def _gated(
        self, running: Running, layout: Format, gate: Gate, past: list[Message], blocks: list[Block]
    ) -> None:
        """Prefill the segment, compare thinking with waiting, and write the note if thinking wins."""
        tokenizer = self._engine.tokenizer("llm")
        messages = layout.think(past, blocks)
        think, wait = tokenizer.encode(gate.think), tokenizer.encode(gate.wait)
        ids = await self._ids(messages)
        prefill = self._request(running, ids, score=(think[0], wait[0]))
        finished = await self._stream(running, prefill)
        if finished is None or running.cancel.cancelled:
            return
        running.probability = _share(*finished.scores)
        if running.probability < self._store.state.options.think_threshold:
            running.kind = "wait"
            return
        ids = await self._ids([*messages, assistant(gate.think)])
        request = self._request(running, ids, max_tokens=self._budget(), stops=layout.stops)
        await self._stream(running, request)

    async def _named(
        self, running: Running, layout: Format, past: list[Message], blocks: list[Block]
    ) -> None:
        """Let the model name its action in its own text, as the paper does."""
        ids = await self._ids(layout.think(past, blocks))
        parser = ActionParser()
        request = self._request(running, ids, max_tokens=self._budget(), stops=layout.stops)
        await self._stream(running, request, parser)
        if not running.cancel.cancelled:
            self._show(running, parser.finish())
            running.kind = parser.kind or "wait"

    async def _ids(self, messages: list[Message]) -> tuple[int, ...]:
        tokenizer = self._engine.tokenizer("llm")
        return await elsewhere(self._engine, ["llm"], messages, lambda: tokenizer.render(messages))

    async def _stream(
        self, running: Running, request: Request, parser: ActionParser | None = None
    ) -> Finished | None:
        async with aclosing(self._engine.stream(request)) as outputs:
            async for output in outputs:
                if isinstance(output, Finished):
                    self._learn_speed(output)
                    self._reading.spend(output.read_tokens)
                    return output
                if not running.cancel.cancelled:
                    self._grow(running, output, parser)
        return None

    def _grow(self, running: Running, chunk: Chunk, parser: ActionParser | None) -> None:
        running.tokens += len(chunk.ids)
        self._purse.spend(len(chunk.ids))
        self._show(running, parser.push(chunk.text) if parser else chunk.text)

    def _show(self, running: Running, text: str) -> None:
        if text:
            running.text += text
            self._emit(running, delta=text)

    def _request(
        self,
        running: Running,
        ids: tuple[int, ...],
        *,
        max_tokens: int = 0,
        stops: tuple[str, ...] = (),
        score: tuple[int, ...] = (),
    ) -> Request:
        return Request(
            ids=ids,
            role="llm",
            max_tokens=max_tokens,
            session=self._session,
            cache_key="notes",
            priority=Priority.NOTE,
            stops=stops,
            score=score,
            lookahead=self._store.state.options.lookahead,
            cancel=running.cancel,
        )

    def _budget(self) -> int:
        """Tokens that are likely to be written before the next segment is typed."""
        state = self._store.state
        lengths = [len(segment.text) for segment in state.segments[: state.finished]]
        tail = len(state.text) - sum(lengths)
        tokens = int(state.pace.seconds_to_next(lengths, tail) * self._tokens_per_s)
        return int(min(max(tokens, MIN_NOTE_TOKENS), state.options.note_tokens, max(self._purse.left, 1)))

    def _learn_speed(self, finished: Finished) -> None:
        if finished.tokens > 1 and finished.decode_s > 0:
            self._tokens_per_s = finished.tokens / finished.decode_s

    def _emit(self, running: Running, *, delta: str = "", status: ActionStatus = "running") -> None:
        self._store.emit(
            Action(
                at=self._store.now,
                first=running.step.first,
                index=running.step.index,
                kind=running.kind,
                delta=delta,
                done=status != "running",
                status=status,
                tokens=running.tokens,
                seconds=running.seconds,
                probability=running.probability,
            )
        )

    def _end(self, running: Running, status: ActionStatus) -> None:
        self._emit(running, status=status)

    def _fail(self, running: Running, error: LiveMindError) -> None:
        """Count the segments as waited for, so that the answer still comes from the whole prompt."""
        if self._store.state.running_note and not running.cancel.cancelled:
            running.kind = "wait"
            self._end(running, "done")
        self._store.emit(Failure(self._store.now, error.code, str(error)))


def _share(think: float, wait: float) -> float:
    """Probability of thinking among the two.

    >>> _share(-1.0, -1.0)
    0.5
    """
    return 1.0 / (1.0 + exp(min(wait - think, 700.0)))
