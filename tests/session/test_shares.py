"""No client has all sessions or all answers, and a session that nobody uses makes room for another."""

import asyncio
import time

import pytest

from livemind_app.errors import SessionNotFound, TooManyRequests, TooManySessions
from livemind_app.session import Limits, Session, SessionManager
from livemind_app.session.buckets import Rate
from livemind_app.session.clients import Client
from tests.session.conftest import Scripted, turn_done, until
from tests.session.test_admission import QUESTION, Held

ONE, OTHER, HERE = Client("a", ("a",)), Client("b", ("b",)), Client("c")
SOON_S = 0.001


def alive(manager: SessionManager, session: Session) -> bool:
    try:
        manager.get(session.token)
    except SessionNotFound:
        return False
    return True


async def idle(session: Session, seconds: float = SOON_S) -> None:
    end = time.monotonic() + 10
    while session.idle_s <= seconds:
        assert time.monotonic() < end
        await asyncio.sleep(seconds)


async def test_on_a_full_server_the_session_unused_for_longest_makes_room() -> None:
    async with Scripted(Limits(max_sessions=3, spared_s=SOON_S)) as made:
        oldest, second, third = made.session, made.manager.create(), made.manager.create()
        oldest.draft(1, "Still here")
        await idle(oldest)
        newest = made.manager.create()
        assert [alive(made.manager, each) for each in (oldest, second, third, newest)] == [1, 0, 1, 1]


async def test_not_one_that_was_used_just_now() -> None:
    async with Scripted(Limits(max_sessions=1)) as made:
        with pytest.raises(TooManySessions) as refused:
            made.manager.create()
        assert refused.value.retry_after_s
        assert alive(made.manager, made.session)


async def test_nor_one_with_a_reader_or_a_running_answer() -> None:
    held = Held()
    async with Scripted(Limits(max_sessions=2, spared_s=SOON_S), step=held) as made:
        read, asked = made.session, made.manager.create({"lanes": ["live"]})
        reader = read.events()
        read.draft(1, "H")
        await anext(reader)
        asked.submit(1, QUESTION)
        await idle(asked)
        with pytest.raises(TooManySessions):
            made.manager.create()
        held.go.set()
        await until(asked, turn_done)
        await idle(asked)
        made.manager.create()
        assert [alive(made.manager, each) for each in (read, asked)] == [True, False]
        await reader.aclose()


async def test_one_client_has_no_more_than_its_share_of_the_sessions() -> None:
    async with Scripted(Limits(max_sessions=8)) as made:
        mine = [made.manager.create(client=ONE) for _ in range(4)]
        with pytest.raises(TooManySessions) as refused:
            made.manager.create(client=Client("a", ("a", "another address")))
        assert refused.value.retry_after_s
        made.manager.create(client=OTHER)
        for _ in range(2):
            made.manager.create(client=HERE)  # this machine's own user
        await made.manager.delete(mine[0].token, ONE)
        made.manager.create(client=ONE)


async def test_within_its_share_its_own_unused_session_makes_room() -> None:
    async with Scripted(Limits(sessions_per_client=1, spared_s=SOON_S)) as made:
        await idle(made.session)
        mine = made.manager.create(client=ONE)
        await idle(mine)
        made.manager.create(client=ONE)
        assert alive(made.manager, made.session)
        with pytest.raises(SessionNotFound):
            made.manager.get(mine.token, ONE)


async def test_one_client_has_no_more_than_its_share_of_the_answers() -> None:
    held = Held()
    async with Scripted(Limits(max_answers=4), step=held) as made:

        def begin(client: Client) -> Session:
            return made.manager.create({"lanes": ["live"]}, client=client)

        first, second = begin(ONE), begin(ONE)
        first.submit(1, QUESTION)
        second.submit(1, QUESTION)
        third = begin(ONE)
        with pytest.raises(TooManyRequests) as refused:
            third.submit(1, QUESTION)
        assert refused.value.retry_after_s
        begin(OTHER).submit(1, QUESTION)
        first.stop()
        await until(first, turn_done)
        third.submit(1, QUESTION)
        held.go.set()


async def test_this_machines_own_user_has_all_of_them() -> None:
    async with Scripted(Limits(max_answers=2), step=Held()) as made:
        for _ in range(2):
            made.manager.create({"lanes": ["live"]}, client=HERE).submit(1, QUESTION)


@pytest.mark.parametrize("given", [0, 4])
async def test_the_operator_may_say_how_many(given: int) -> None:
    async with Scripted(Limits(max_sessions=6, sessions_per_client=given)) as made:
        for _ in range(4):
            made.manager.create(client=ONE)


async def test_sessions_and_submits_come_only_so_often() -> None:
    rare = Rate(per_s=0.001, burst=1)
    async with Scripted(Limits(new_sessions=rare, submits=rare)) as made:
        mine = made.manager.create({"lanes": ["live"]}, client=ONE)
        with pytest.raises(TooManyRequests) as refused:
            made.manager.create(client=ONE)
        assert refused.value.retry_after_s
        mine.submit(1, QUESTION)
        await until(mine, turn_done)
        for again in (lambda: mine.submit(2, QUESTION), lambda: mine.retry("live")):
            with pytest.raises(TooManyRequests):
                again()
        for _ in range(3):
            made.manager.create(client=HERE)
        made.manager.create(client=OTHER)
