"""One client with many sessions has no more computed than one client may."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.errors import TooManyRequests
from livemind_app.protocol import Finished, Output, Priority, Request
from livemind_app.session import buckets
from livemind_app.session.buckets import Buckets, Rate
from livemind_app.session.clients import READ_FOR_ONE, Client
from livemind_app.session.limits import Limits
from livemind_app.session.manager import SessionManager
from livemind_app.session.session import Session
from tests.session.conftest import turn_done, until

LIMIT = 24
FREE = Limits(speculate_per_client=0, tokens_per_client=0)
AHEAD, ANSWERS = replace(FREE, speculate_per_client=LIMIT), replace(FREE, tokens_per_client=LIMIT)
QUESTION = "Tom has three apples. Ann gives him four more. How many has he?"
ONE, OTHER = Client("a", ("a",)), Client("b", ("b",))


class StandingClock:
    """Nothing comes back with the time, unless it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class Counting(ScriptedEngine):
    """Counts the tokens that were computed, by priority and session."""

    def __init__(self) -> None:
        super().__init__(lambda role, prompt: " word" * 40, step=self._count)
        self.tokens: dict[tuple[str, Priority], int] = {}

    def _count(self, request: object) -> None:
        key = (request.session, request.priority)  # type: ignore[attr-defined]
        self.tokens[key] = self.tokens.get(key, 0) + 1

    def of(self, *priorities: Priority) -> int:
        return sum(tokens for (_, priority), tokens in self.tokens.items() if priority in priorities)


Do = Callable[[SessionManager, Session], Awaitable[None]]


async def computed(clients: list[Client], limits: Limits, mode: str, do: Do) -> Counting:
    """When each of these did so, in a session of its own."""
    engine = Counting()
    manager = SessionManager(engine, limits, clock=StandingClock())
    for client in clients:
        lanes = ["exact" if mode == "exact" else "live"]
        await do(manager, manager.create({"mode": mode, "lanes": lanes}, client=client))
    await manager.close()
    engine.close()
    return engine


async def type_it(manager: SessionManager, session: Session) -> None:
    session.draft(1, QUESTION)
    await session.settled()


@pytest.mark.parametrize(("mode", "priority"), [("exact", Priority.SPECULATION), ("infer", Priority.NOTE)])
async def test_many_sessions_of_one_client_share_what_is_computed_ahead(
    mode: str, priority: Priority
) -> None:
    spent = (await computed([ONE] * 5, AHEAD, mode, type_it)).of(priority)
    assert 0 < spent <= LIMIT
    assert (await computed([ONE] * 5 + [OTHER], AHEAD, mode, type_it)).of(priority) == 2 * spent
    alone = (await computed([ONE], FREE, mode, type_it)).of(priority)
    assert alone > spent / 5
    for clients, limits in (([Client()] * 5, AHEAD), ([ONE] * 5, FREE)):
        assert (await computed(clients, limits, mode, type_it)).of(priority) == 5 * alone


async def test_users_of_one_address_and_addresses_of_one_user_pay_together() -> None:
    address = [Client(name, (name, "203.0.113.1")) for name in ("a", "b", "c")]
    user = [Client("a", ("a", f"203.0.113.{n}")) for n in range(3)]
    for clients in (address, user):
        assert (await computed(clients, AHEAD, "exact", type_it)).of(Priority.SPECULATION) == LIMIT


async def ask(manager: SessionManager, session: Session) -> None:
    session.submit(session.state.revision + 1, QUESTION)
    await until(session, turn_done)


async def test_answers_have_a_limit_and_what_is_refused_is_told_when_to_come_back() -> None:
    engine = Counting()
    clock = StandingClock()
    manager = SessionManager(engine, ANSWERS, clock=clock)
    first, second = (manager.create({"mode": "off", "lanes": ["live"]}, client=ONE) for _ in range(2))
    await ask(manager, first)
    assert engine.of(Priority.ANSWER) > LIMIT  # it is not cut
    for again in (lambda: second.submit(1, QUESTION), lambda: first.retry("live")):
        with pytest.raises(TooManyRequests) as refused:
            again()
    assert second.state.turn is None
    await ask(manager, manager.create({"mode": "off", "lanes": ["live"]}, client=OTHER))
    assert refused.value.retry_after_s
    clock.now += refused.value.retry_after_s
    await ask(manager, second)
    await manager.close()
    engine.close()


async def test_what_was_begun_ahead_is_paid_once() -> None:
    async def type_and_ask(manager: SessionManager, session: Session) -> None:
        await type_it(manager, session)
        await ask(manager, session)

    limits = Limits(speculate_per_client=1000, tokens_per_client=30)
    engine = await computed([ONE] * 2, limits, "exact", type_and_ask)  # 40 tokens each, begun before
    assert engine.of(Priority.SPECULATION) + engine.of(Priority.ANSWER) == 80


@given(
    st.lists(st.floats(0, 3), min_size=1, max_size=60), st.integers(1, 5), st.floats(0.1, 10, allow_nan=False)
)
def test_a_bucket_gives_no_more_than_its_burst_and_its_rate(
    gaps: list[float], burst: int, per_s: float
) -> None:
    now = 0.0
    buckets = Buckets(Rate(per_s, burst), lambda: now)
    taken = 0
    for gap in gaps:
        now += gap
        wait = buckets.take("someone")
        taken += wait == 0
        assert taken <= burst + per_s * now + 1e-6
        assert 0 <= wait <= 1 / per_s + 1e-6
    now += buckets.take("someone") + 1e-6
    assert buckets.take("other") == 0


@given(st.lists(st.tuples(st.floats(0, 50), st.sampled_from("ab"), st.integers(0, 9)), max_size=60))
def test_what_is_spent_comes_back_with_the_time_for_each_alone(steps: list[tuple[float, str, int]]) -> None:
    now = 0.0
    buckets = Buckets(Rate(0.1, 20), lambda: now)
    levels = {"a": 20.0, "b": 20.0}
    for gap, key, tokens in steps:
        now += gap
        levels = {name: min(level + 0.1 * gap, 20.0) for name, level in levels.items()}
        buckets.spend(key, tokens)
        levels[key] -= tokens
        for name, level in levels.items():
            assert buckets.level(name) == pytest.approx(level, abs=1e-6)
            assert buckets.wait(name) == pytest.approx(max(1 - level, 0) / 0.1, abs=1e-4)


def test_keys_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "MOST_KEYS", 3)
    few = Buckets(Rate(per_s=0.001, burst=1), lambda: 0.0)
    assert [few.take(name) == 0 for name in "abcda"] == [True] * 5  # `a` was forgotten
    assert few.take("d") > 0


class Reading(ScriptedEngine):
    """Counts the tokens of prompts that were read before a submit."""

    read = 0

    async def stream(self, request: Request) -> AsyncGenerator[Output, None]:  # type: ignore[override]
        async for output in super().stream(request):
            if isinstance(output, Finished) and request.priority in (Priority.NOTE, Priority.SPECULATION):
                self.read += output.prefilled_tokens
            yield output


@pytest.mark.parametrize("mode", ["infer", "draft", "exact"])
async def test_a_first_word_that_changes_again_and_again_is_not_read_ahead_for_ever(mode: str) -> None:
    engine, clock = Reading(), StandingClock()
    manager = SessionManager(engine, replace(FREE, speculate_per_client=60), clock=clock)
    session, other = (
        manager.create({"mode": mode, "lanes": ["exact" if mode == "exact" else "live"]}, client=client)
        for client in (ONE, OTHER)
    )

    async def edit(edited: Session, times: int) -> int:
        before = engine.read
        for _ in range(times):
            revision = edited.state.revision + 1
            edited.draft(revision, f"{revision}{QUESTION * 8}")
            await edited.settled()
        return engine.read - before

    allowed = READ_FOR_ONE * 60
    once = await edit(other, 1)
    assert 0 < once < allowed
    assert allowed <= await edit(session, 20) < allowed + once
    assert await edit(session, 5) == 0
    assert session.state.text
    assert await edit(other, 1) > 0  # who did not edit so often
    clock.now += 60
    assert await edit(session, 1) > 0
    await manager.close()
    engine.close()


@pytest.mark.parametrize("mode", ["infer", "draft", "exact"])
async def test_who_types_as_people_do_has_everything_read_ahead(mode: str) -> None:
    """Letter by letter at every speed: nothing comes back with the time here."""
    engine = Reading()
    manager = SessionManager(engine, clock=StandingClock())
    session = manager.create({"mode": mode, "lanes": ["exact" if mode == "exact" else "live"]}, client=ONE)
    for turn in range(2):
        text = f"{turn}. {QUESTION * 2}"
        for end in range(1, len(text) + 1):
            session.draft(session.state.revision + 1, text[:end])
            await session.settled()
        await ask(manager, session)
    allowed = READ_FOR_ONE * manager.limits.speculate_per_client
    assert 0 < engine.read < allowed / 4
    await manager.close()
    engine.close()
