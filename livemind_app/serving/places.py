"""A few places for work that is not a session's, one for each client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from livemind_app.errors import Overloaded, TooManyRequests
from livemind_app.serving.clients import client_of
from livemind_app.session.admission import Admission

PLACES = 4
RETRY_S = 3

T = TypeVar("T")


class Places:
    """Raises ServerDraining, Overloaded or TooManyRequests where there is none."""

    def __init__(self, most: int = PLACES) -> None:
        self._most = most
        self._taken: list[frozenset[str]] = []  # by whom

    @asynccontextmanager
    async def one(self, request: Request, admission: Admission) -> AsyncIterator[None]:
        admission.take_work()
        client = client_of(request.scope)
        who = frozenset(client.payers or ((client.owner,) if client.owner else ()))
        if any(who & other for other in self._taken):
            raise TooManyRequests("your last one of these is being computed; wait for it", RETRY_S)
        if admission.shedding or len(self._taken) >= self._most:
            raise Overloaded("others are being computed for; send it again soon")
        self._taken.append(who)
        try:
            yield
        finally:
            self._taken.remove(who)


async def while_there(request: Request, work: Awaitable[T]) -> T:
    """What the work gives; it is cancelled, and waited for, when its client goes.

    To be called once the body was read.
    """
    task, gone = asyncio.ensure_future(work), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        gone.cancel()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
