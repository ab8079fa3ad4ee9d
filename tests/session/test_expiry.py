"""What was typed is gone when its session is."""

import asyncio
import gc
import time

import pytest

from livemind_app.errors import SessionNotFound
from livemind_app.session import Limits, Session
from tests.session.conftest import Scripted, settled, turn_done, until

pytestmark = pytest.mark.usefixtures("only_what_is_new")
WAIT_S = 10.0
ATTEMPTS = 100  # to let tasks end and collect what they leave


def held(secret: str) -> int:
    """How many texts anywhere in this process have the secret in them."""
    found = 0
    for tracked in gc.get_objects():
        around = [tracked]
        while around:  # what holds only texts and numbers is not tracked by itself
            for value in gc.get_referents(around.pop()):
                if type(value) is str:
                    found += secret in value
                elif type(value) in (dict, list, tuple) and not gc.is_tracked(value):
                    around.append(value)
    return found


async def type_and_ask(session: Session, secret: list[str]) -> None:
    session.draft(1, f"{' '.join(secret)}. And")
    await until(session, settled)
    session.submit(2, f"{' '.join(secret)}. And then?")
    await until(session, turn_done)
    session.draft(3, f"Once more: {' '.join(secret)}. Or")
    await until(session, settled)


@pytest.mark.parametrize("end", ["expiry", "delete", "clear"])
async def test_nothing_typed_is_kept(end: str) -> None:
    secret = ["violet", "walrus", end]  # put together where it is needed, so that nothing here holds it
    limits = Limits(idle_s=0.001) if end == "expiry" else Limits()
    async with Scripted(limits) as made:
        token = made.manager.create().token
        await type_and_ask(made.manager.get(token), secret)
        assert held(" ".join(secret))  # the search finds it while it is there
        if end == "expiry":
            await expired(made, token)
        elif end == "delete":
            await made.manager.delete(token)
        else:
            made.manager.get(token).clear()
        await gone(secret)


async def expired(made: Scripted, token: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        made.manager.create()  # expiry is looked at here, and twice a minute
        try:
            made.manager.get(token)
        except SessionNotFound:
            return
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def gone(secret: list[str]) -> None:
    for _ in range(ATTEMPTS):
        if not (places := held(" ".join(secret))):
            return
        await asyncio.sleep(0.01)
        gc.collect()
    raise AssertionError(f"{places} places still hold it")
