"""How often and how much at once one address, or one user, may ask, so that nobody can take the server
from the others.
"""

from collections import Counter
from collections.abc import Callable
from math import ceil

from starlette.types import ASGIApp, Receive, Scope, Send

from livemind_app.errors import TooManyRequests
from livemind_app.serving.addresses import address_of
from livemind_app.serving.errors import session_error_response
from livemind_app.session.buckets import Buckets, Rate

RETRY_AFTER_S = 5  # of requests that end some time
BURST_S = 3  # of requests in general, that may come at once


class RateLimit:
    """Refuses what one sends beyond `per_s` requests a second.

    Sessions and submits are counted where they are begun (session/clients.py), by whichever way they come.
    `who` names the one who is counted, None where nobody is: this machine's own user is not.
    """

    def __init__(self, app: ASGIApp, per_s: float, who: Callable[[Scope], str | None] = address_of) -> None:
        self.app = app
        self._who = who
        self._requests = Buckets(Rate(per_s, BURST_S * per_s))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait = self._wait(scope) if scope["type"] == "http" else 0
        if wait:
            error = TooManyRequests("too many requests came from you; wait a little", ceil(wait))
            await session_error_response(error)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _wait(self, scope: Scope) -> float:
        who = self._who(scope)
        return 0 if who is None else self._requests.take(who)


class AtOnce:
    """Refuses what one asks while `most` of its requests are being answered: streams have no end.

    Proxies are many users on few connections, so connections alone cannot be counted.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self._most = most
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        who = address_of(scope) if scope["type"] == "http" else None
        if who is None:
            await self.app(scope, receive, send)
        elif self._open[who] >= self._most:
            error = TooManyRequests("too many of your requests are open; close some", RETRY_AFTER_S)
            await session_error_response(error)(scope, receive, send)
        else:
            await self._counted(who, scope, receive, send)

    async def _counted(self, who: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._open[who] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]  # or it would grow with every address that ever asked
