"""Gets answers ready before they are asked for: reads prompts as they are typed, and tries answers."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from math import exp
from typing import Any, TypeVar

from livemind_app.errors import LiveMindError
from livemind_app.protocol import Engine, Finished, Priority, Request, Sampling
from livemind_app.session.clients import Account, Minute
from livemind_app.session.events import Segment
from livemind_app.session.guides import Prompt, open_turn, rendered, steady
from livemind_app.session.lanes import LANE_ROLE, LaneName
from livemind_app.session.plan import (
    Known,
    Read,
    Rest,
    Speculate,
    Step,
    allowance,
    plan_preparing,
    question_of,
    worthwhile,
)
from livemind_app.session.progress import Running, progress
from livemind_app.session.prompts import answer_messages, known_messages
from livemind_app.session.rendering import Renderer
from livemind_app.session.requests import lane_request
from livemind_app.session.speculated import Speculated
from livemind_app.session.state import Preparation, history
from livemind_app.session.store import Room, Store

SHOWN = 8  # tokens between two events about an answer
T = TypeVar("T")


class Preparer:
    """Runs what plan_preparing names until the session closes. Each lane has a cache, by its name."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        session: str,
        room: Room,
        account: Account,
    ) -> None:
        self._store = store
        self._engine = engine
        self._renderer = Renderer(engine, store)
        self._session = session
        self._room = room
        self._known: dict[LaneName, Known] = {}
        self._answers: dict[LaneName, Speculated] = {}
        self._submitted: dict[LaneName, Speculated] = {}
        self._running: Running | None = None
        self._minute = Minute(lambda: store.now)
        self._purse = account.ahead
        self._reading = account.reading
        self._stepped = asyncio.Event()

    async def run(self) -> None:
        while not self._store.ring.closed:
            await self._room()
            seen = self._store.ring.last
            step = self._plan()
            if isinstance(step, Read | Speculate):
                await self._do(step)
            else:
                await self._rest(seen, step)
            self._stepped.set()
            self._stepped = asyncio.Event()

    async def settled(self) -> None:
        """Return when there is nothing to do unless the user goes on, or stays silent for longer."""
        while self._running or isinstance(self._plan(), Read | Speculate):
            await self._stepped.wait()

    def revise(self) -> None:
        """After an edit: stop what is done for text that is gone."""
        state, running = self._store.state, self._running
        if running and not worthwhile(state, running.step, running.tokens):
            running.cancel()
        if not state.text:  # what follows is another prompt, with costs of its own
            self._known, self._answers = {}, {}
        self._known = {lane: self._still(lane, known) for lane, known in self._known.items()}

    def rest(self) -> None:
        """Stop here; what was said of an answer is kept, to go on from."""
        if self._running:
            self._running.cancel()

    def submit(self) -> None:
        """Before a turn: end everything here; `take` hands out what there is."""
        if self._running and isinstance(self._running.step, Speculate):
            self._show(self._running)
        answers = self._answers
        self.reset()
        self._submitted = answers

    def reset(self) -> None:
        """Forget what is ready: the chat or the way of answering is another one now."""
        if self._running:
            self._running.cancel()
        self._known, self._answers, self._submitted = {}, {}, {}

    def discard(self, lane: LaneName) -> None:
        """A lane that is answered anew takes nothing of what was ready at the submit."""
        self._submitted.pop(lane, None)

    def take(self, lane: LaneName, ids: tuple[int, ...], sampling: Sampling) -> Speculated:
        """The answer to exactly this prompt as far as it came by the submit, or what it may begin with."""
        return self._going_on(self._submitted.pop(lane, None), lane, ids, sampling)

    def _plan(self) -> Step | None:
        if self._reading.left <= 0:
            return None
        return plan_preparing(self._store.state, self._known, self._left(), self._store.now)

    def _left(self) -> int:
        """Tokens that may still be speculated in this minute, here and in all sessions of this client."""
        own = self._store.state.options.speculate_per_minute - self._minute.tokens
        return int(min(own, self._purse.left))

    def _still(self, lane: LaneName, known: Known) -> Known:
        """What an edit leaves of it; an answer to another text is ready again once that text is back."""
        question = question_of(self._store.state, lane)
        drafts = self._store.state.options.method(lane) == "draft"
        return known if drafts or question in (None, known.asked) else replace(known, asked=None)

    def _going_on(
        self, before: Speculated | None, lane: LaneName, ids: tuple[int, ...], sampling: Sampling
    ) -> Speculated:
        """The answer to this prompt: the same one as before, or another."""
        if before and (before.ids, before.sampling) == (ids, sampling):
            return before
        options = self._store.state.options
        if before is None or options.method(lane) != "draft":
            return Speculated(ids, sampling)
        return Speculated(ids, sampling, before.passed_on(options.draft_threshold))

    async def _rest(self, seen: int, rest: Rest | None) -> None:
        """Until something happens, or the user has been silent for long enough."""
        tasks = [asyncio.ensure_future(self._store.ring.news(seen))]
        if rest:
            tasks.append(asyncio.ensure_future(self._store.sleep(rest.seconds)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _do(self, step: Read | Speculate) -> None:
        running = self._running = Running(step)
        before, after = self._known.pop(step.lane, Known()), _attempted(step)
        try:
            await self._engine.ready()
            if isinstance(step, Read):
                after = replace(after, asked=before.asked, ending=await self._read(running, step))
            else:
                await self._speculate(running, step, before)
        except (
            LiveMindError
        ):  # it will fail again when it is asked for, and be told then; not tried until then
            self._show(running, over=True)
        finally:
            self._running = None
        if not running.cancel.cancelled:
            self._known[step.lane] = after

    async def _read(self, running: Running, step: Read) -> float:
        """Fill the cache. Returns the probability that the user's turn ends here, where the text does."""
        state, tokenizer = self._store.state, self._engine.tokenizer
        messages = known_messages(state.options, step.lane, history(state.turns), step.text)
        if not messages:
            return 0.0
        if step.text != state.text or state.options.method(step.lane) != "exact":
            known = await self._renderer.made(
                step.lane, messages, lambda: steady(tokenizer, step.lane, messages)
            )
            await self._stream(running, self._request(running, known))
            return 0.0
        prompt, end = await self._renderer.made(
            step.lane, messages, lambda: open_turn(tokenizer, step.lane, messages)
        )
        finished = await self._stream(running, self._request(running, prompt, score=(end,)))
        return exp(finished.scores[0]) if finished and finished.scores else 0.0

    async def _speculate(self, running: Running, step: Speculate, known: Known) -> None:
        """Answer the text, or go on with an answer that an edit interrupted and another one restored."""
        state, lane = self._store.state, step.lane
        whole = step.question.text == state.text
        segments = state.segments if whole else (Segment(step.question.text, finished=False),)
        messages = answer_messages(state.options, lane, history(state.turns), segments, state.notes)
        role = state.options.begun_by(lane)
        if role != LANE_ROLE[lane]:
            await self._follow(running, step)
        tokenizer = self._engine.tokenizer
        prompt = await self._renderer.made(
            step.lane, messages, lambda: rendered(tokenizer, lane, messages, role), role
        )
        if running.cancel.cancelled:
            return  # what is ready may be another chat's by now
        answer = self._going_on(self._answers.get(lane), lane, prompt.ids, state.options.sampling)
        self._answers[lane] = running.answer = answer
        running.before = self._store.state.prepared.get(lane, Preparation())
        if answer.finished:
            if running.before.ready != len(answer.said):
                self._show(running, over=True)
            return
        running.allowed = min(self._left(), allowance(state, lane, known))
        finished = await self._stream(running, self._continuing(running, answer, prompt), answer)
        ended = finished is not None and finished.reason != "cancelled"
        if finished and ended:
            answer.end(finished, state.options.max_tokens)
        if ended or running.tokens:
            self._show(running, over=True)

    async def _follow(self, running: Running, step: Speculate) -> None:
        """Have the lane's own model read as well, which is to go on where the draft ends."""
        state = self._store.state
        messages = known_messages(state.options, step.lane, history(state.turns), step.question.text)
        if messages:
            tokenizer = self._engine.tokenizer
            prompt = await self._renderer.made(
                step.lane, messages, lambda: steady(tokenizer, step.lane, messages)
            )
            await self._stream(running, self._request(running, prompt, priority=Priority.SPECULATION))

    def _continuing(self, running: Running, answer: Speculated, prompt: Prompt) -> Request:
        options = self._store.state.options
        left = options.max_tokens - len(answer.said)
        draft = replace(answer.left, further=running.allowed) if answer.left else None
        return self._request(
            running,
            Prompt((*answer.ids, *answer.said), prompt.guide),
            role=options.begun_by(running.step.lane),
            said=len(answer.said),
            max_tokens=left if draft else min(left, running.allowed),
            draft=draft,
            priority=Priority.SPECULATION,
            sampling=answer.sampling,
            lookahead=options.lookahead,
        )

    async def _stream(
        self, running: Running, request: Request, answer: Speculated | None = None
    ) -> Finished | None:
        async with aclosing(self._engine.stream(request)) as outputs:
            async for output in outputs:
                if isinstance(output, Finished):
                    self._reading.spend(output.read_tokens)
                    cut = running.cancel.cancelled  # though the engine may have said all of it by then
                    return replace(output, reason="cancelled") if cut else output
                if answer and not running.cancel.cancelled:
                    answer.add(output)
                    self._count(running, 0 if output.kept else len(output.ids))
        return None

    def _count(self, running: Running, tokens: int) -> None:
        self._minute.add(tokens)
        self._purse.spend(tokens)
        running.tokens += tokens
        if running.tokens % SHOWN == 1:
            self._show(running)

    def _show(self, running: Running, *, over: bool = False) -> None:
        """Nothing before the step has an answer of its own, nor of one that was forgotten."""
        answer = running.answer
        if answer and answer is self._answers.get(running.step.lane):
            self._store.emit(progress(self._store.state, running, answer, self._store.now, over=over))

    def _request(self, running: Running, prompt: Prompt, **changes: Any) -> Request:
        """By default one that only reads."""
        common = {"max_tokens": 0, "priority": Priority.NOTE, "guide": prompt.guide, "cancel": running.cancel}
        options, lane = self._store.state.options, running.step.lane
        return lane_request(self._engine, self._session, options, lane, prompt.ids, **common | changes)


def _attempted(step: Read | Speculate) -> Known:
    """What a lane has ready after the step."""
    return Known(step.text) if isinstance(step, Read) else Known(step.question.text, asked=step.question)
