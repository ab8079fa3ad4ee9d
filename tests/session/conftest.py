"""A session on a scripted engine, and a way to wait for what it emits."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.protocol import Priority, Request
from livemind_app.session import Limits, Options, Session, SessionManager

Condition = Callable[[Session], bool]
ONE = "Tom has three apples. "
TWO = "Ann gives him four more. "
THREE = "He eats two of them. "
ASK = "How many are left?"


async def until(session: Session, condition: Condition, timeout: float = 10.0) -> None:
    """Return when the session's state satisfies `condition`; woken by its events, not by a clock."""

    async def wait() -> None:
        last = 0
        async for frames in session.events(last):
            if condition(session):
                return
            last = frames[-1][0]

    if not condition(session):
        await asyncio.wait_for(wait(), timeout)


def note_script(role: str, prompt: str) -> str:
    """A note that says something new, or an answer."""
    return "therefore seven" if prompt.endswith("Note:") else f"{role} says five"


def settled(session: Session) -> bool:
    """Everything finished was thought about, and nothing runs."""
    state = session.state
    return state.running_note is None and state.read >= state.finished


def turn_done(session: Session) -> bool:
    return session.state.turn is not None and session.state.turn.done


class Gate:
    """Holds a scripted engine from step `at` on, of those with this priority, until it is opened."""

    def __init__(self, priority: Priority | None = None, at: int = 1) -> None:
        self._priority = priority
        self._left = at
        self._reached = threading.Event()
        self._opened = threading.Event()

    def __call__(self, request: Request) -> None:
        if self._priority in (None, request.priority):
            self._left -= 1
            if self._left <= 0:
                self._reached.set()
                assert self._opened.wait(10)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._reached.wait, 10)

    def open(self) -> None:
        self._opened.set()


@pytest.fixture
def only_what_is_new() -> Iterator[None]:
    """Objects of other tests are not searched: there can be millions."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Scripted:
    """Manager and session on a scripted engine with the given arguments; closed by `async with`.

    Sessions take notes unless they choose.
    """

    def __init__(self, limits: Limits | None = None, **script: Any) -> None:
        self.engine = ScriptedEngine(**script)
        self.limits = limits

    async def __aenter__(self) -> "Scripted":
        self.manager = SessionManager(self.engine, self.limits, Options(mode="infer"))
        self.session = self.manager.create()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.manager.close()
        self.engine.close()
