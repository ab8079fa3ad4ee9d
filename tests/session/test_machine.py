"""Drafts, edits, submits, stops, options, chats, and readers that come back or servers that go: any order."""

import asyncio
import re
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.errors import (
    ConfigError,
    NothingToRetry,
    Overloaded,
    ServerDraining,
    SessionNotFound,
    StaleRevision,
    TurnRunning,
)
from livemind_app.session import Limits, SessionManager
from livemind_app.session.lanes import LANE_ROLE, LaneName
from livemind_app.session.options import CHOICES, check_lanes
from livemind_app.session.state import FINAL, LaneState, snapshot
from tests.session.conftest import turn_done, until

Result = TypeVar("Result")
PIECES = st.sampled_from(
    ["Tom has three apples. ", "Ann gives him 4 more. ", "How many?", "x", " ", "\n", "世界。"]
)
LANES = st.sampled_from(["live", "live-slm", "exact", "conventional", "slm"])
SAID = st.lists(st.tuples(PIECES, PIECES), max_size=3)


def ordered(lanes: set[str]) -> list[str]:
    return list(check_lanes(list(lanes)))


CHANGES = st.one_of(
    st.fixed_dictionaries({"mode": st.sampled_from(CHOICES["mode"])}),
    st.fixed_dictionaries({"format": st.sampled_from(CHOICES["format"])}),
    st.fixed_dictionaries({"lanes": st.sets(LANES, min_size=1, max_size=3).map(ordered)}),
    st.fixed_dictionaries({"granularity": st.sampled_from(["word", "sentence", "clause"])}),
    st.fixed_dictionaries({"min_length": st.integers(1, 40)}),
    st.fixed_dictionaries({"speculate_tokens": st.sampled_from([0, 8, 512])}),
)
PLACES = st.floats(0, 1)


def whole(name: LaneName, lane: LaneState) -> bool:
    """Whether an answer that is done says what the script says, nothing twice and nothing left out."""
    roles = "llm|slm" if name == "live-slm" else LANE_ROLE[name]  # which goes on where the large model's ends
    said = re.fullmatch(rf"({roles}) answers after \d+ words\.", lane.text)
    return lane.status != "done" or said is not None


class Chat(RuleBasedStateMachine):
    """One user beside another whose answers may fill the server; `self.text` is what the page holds."""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.engine = ScriptedEngine()
        self.run(self._begin())

    async def _begin(self) -> None:
        self.manager = SessionManager(self.engine, Limits(max_answers=1, ring=64))
        self.text, self.revision, self.turns = "", 0, 0
        self._enter({"lanes": ["live", "slm"]})

    def _enter(self, options: dict[str, Any]) -> None:
        self.session = self.manager.create(options)
        self.other = self.manager.create({"lanes": ["live"]})
        self.last = 0

    async def _enter_again(self) -> None:
        """As the page does whose session is gone: with the options, turns and text that it holds."""
        gone = self.session.state
        self._enter(gone.options.to_dict())
        self.session.clear([(turn.prompt, turn.answer) for turn in gone.turns])
        await self._draft(self.text)
        assert [turn.prompt for turn in self.session.state.turns] == [turn.prompt for turn in gone.turns]

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        async def with_a_step() -> Result:
            result = await work
            await asyncio.sleep(0)
            return result

        return self.loop.run_until_complete(with_a_step())

    @rule(place=PLACES, piece=PIECES)
    def types(self, place: float, piece: str) -> None:
        at = round(place * len(self.text))
        self.run(self._draft(self.text[:at] + piece + self.text[at:]))

    @rule(place=PLACES, length=st.integers(1, 30))
    def deletes(self, place: float, length: int) -> None:
        at = round(place * len(self.text))
        self.run(self._draft(self.text[:at] + self.text[at + length :]))

    async def _draft(self, text: str) -> None:
        self.text, self.revision = text, self.revision + 1
        segments = self.session.draft(self.revision, text)
        assert "".join(segment.text for segment in segments) == text

    @rule(behind=st.integers(0, 3))
    def sends_an_old_draft(self, behind: int) -> None:
        async def stale() -> None:
            if self.session.state.revision - behind < 0:
                return
            with pytest.raises(StaleRevision) as refused:
                self.session.draft(self.session.state.revision - behind, "something else")
            assert refused.value.revision == self.session.state.revision

        self.run(stale())

    @rule()
    def submits(self) -> None:
        async def submit() -> None:
            # No precondition: whether there is a text depends on the engine's thread, what is drawn must not.
            if not self.text.strip():
                return
            self.revision += 1
            try:
                turn = self.session.submit(self.revision, self.text)
            except (TurnRunning, Overloaded):
                return  # the text is still in the page and here
            self.turns += 1
            assert (turn.id, turn.prompt) == (self.turns, self.text)
            self.text = ""

        self.run(submit())

    @rule()
    def somebody_else_asks(self) -> None:
        async def ask() -> None:
            try:
                self.other.submit(self.other.state.revision + 1, "What else?")
            except (TurnRunning, Overloaded):
                return

        self.run(ask())

    @rule()
    def stops(self) -> None:
        async def stop() -> None:
            self.session.stop()
            assert not self.session.state.turn or self.session.state.turn.done

        self.run(stop())

    @rule(lane=LANES)
    def stops_a_lane(self, lane: str) -> None:
        async def stop() -> None:
            turn = self.session.state.turn
            if turn is None or lane in turn.lanes:
                self.session.stop(lane)
                assert not turn or self.session.state.turn.lanes[lane].status in FINAL  # type: ignore
            else:
                with pytest.raises(ConfigError, match="lane"):
                    self.session.stop(lane)

        self.run(stop())

    @rule(lane=LANES)
    def answers_a_lane_anew(self, lane: str) -> None:
        async def retry() -> None:
            turn = self.session.state.turn
            try:
                self.session.retry(lane)
            except (NothingToRetry, Overloaded, TurnRunning):
                return
            except ConfigError:
                assert turn is not None
                assert lane not in turn.lanes
                return
            assert self.session.state.turn is not None
            assert self.session.state.turn.lanes[lane].status == "queued"  # type: ignore[index]

        self.run(retry())

    @rule(said=SAID)
    def begins_anew(self, said: list[tuple[str, str]]) -> None:
        async def clear() -> None:
            self.session.clear(said)
            assert [(turn.prompt, turn.answer) for turn in self.session.state.turns] == said

        self.run(clear())
        self.text, self.turns = "", len(said)

    @rule()
    def comes_too_late(self) -> None:
        """Everybody's session has expired; whoever comes next sweeps them away."""

        async def expire() -> None:
            limits, self.manager.limits = self.manager.limits, replace(self.manager.limits, idle_s=-1)
            self.manager.create()
            self.manager.limits = limits
            with pytest.raises(SessionNotFound):
                self.manager.get(self.session.token)
            await self._enter_again()

        self.run(expire())

    @rule(patient=st.booleans())
    def the_server_is_replaced(self, patient: bool) -> None:
        """It drains: answers end, drafts are taken, nothing is begun. Then the page finds another one."""

        async def drain() -> None:
            await self.manager.drain(60 if patient else 0)
            await self._draft(self.text + "x")
            with pytest.raises(ServerDraining):
                self.session.submit(self.revision + 1, self.text)
            with pytest.raises(ServerDraining):
                self.manager.create()
            turns = self.session.state.turns
            assert all(turn.done for turn in turns)
            await self.manager.close()
            self.manager = SessionManager(self.engine, self.manager.limits)
            await self._enter_again()

        self.run(drain())

    @rule(changes=CHANGES)
    def changes_options(self, changes: dict[str, Any]) -> None:
        async def configure() -> None:
            options = self.session.configure(changes)
            assert changes.items() <= options.to_dict().items()

        self.run(configure())

    @rule()
    def waits_for_the_answer(self) -> None:
        async def wait() -> None:
            for session in (self.session, self.other):
                if session.state.turn:
                    await until(session, turn_done, timeout=60)

        self.run(wait())

    @rule(missed=st.integers(0, 100))
    def comes_back(self, missed: int) -> None:
        """What a reader gets goes on where it left, or is the whole picture."""

        async def read() -> None:
            position = max(self.last - missed, 0)
            frames = self.session.events(position)
            if self.session._store.ring.last > position:
                batch = await anext(frames)
                ids = [number for number, _ in batch]
                assert ids == sorted(set(ids))
                assert ids[0] > position
                first = batch[0][1]
                if self.session._store.ring.since(position) is None:  # what it missed is not held any more
                    assert {**first, "at": 0} == {**snapshot(self.session.state), "at": 0}
                self.last = ids[-1]
            await frames.aclose()

        self.run(read())

    @invariant()
    def nothing_typed_is_lost(self) -> None:
        state = self.session.state
        assert state.text == self.text
        assert len(state.turns) == self.turns
        assert state.read <= state.finished
        assert snapshot(state)["text"] == self.text

    @invariant()
    def places_are_counted(self) -> None:
        waiting = [s.state.turn is not None and s.state.turn.live_running for s in (self.session, self.other)]
        assert self.manager.admission.answers == sum(waiting)
        assert self.manager.admission.shedding == any(waiting)

    def teardown(self) -> None:
        if hasattr(self, "manager"):
            self.waits_for_the_answer()
            for turn in self.session.state.turns:
                assert turn.done
                assert all(lane.status in FINAL for lane in turn.lanes.values())
                assert all(whole(name, lane) for name, lane in turn.lanes.items() if not turn.restored)
            self.run(self.manager.close())
            self.engine.close()
            assert not sum(self.engine.usage().queued.values())
            self.loop.close()


TestChat = Chat.TestCase
TestChat.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
