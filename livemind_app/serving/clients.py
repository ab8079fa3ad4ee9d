"""Which client asks: a session belongs to the one that created it, and its token opens nothing for others.

A browser is known by a cookie that its scripts cannot read, a program by the password that it sends, a user
who is logged in by name. Sessions of a program that says nothing of itself are open to whoever has the token.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from http.cookies import SimpleCookie

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livemind_app.serving.addresses import address_of
from livemind_app.serving.errors import error_response
from livemind_app.session.clients import ANYBODY, Client

COOKIE = "livemind_client"
USER = "user:"  # before the name of one who is logged in
YEAR_S = 365 * 24 * 3600
OPEN = ("/api/health", "/api/ready")  # for load balancers; they tell nothing of anybody
GUARDED = (
    "/api/",
    "/metrics",
    "/history",
    "/docs",
    "/redoc",
    "/openapi.json",
)  # the rest is the page, where one logs in

User = Callable[[Scope], Awaitable[str]]  # who is logged in; empty: nobody


def client_of(scope: Scope) -> Client:
    client: Client = scope.get("livemind.client", ANYBODY)
    return client


def user_of(scope: Scope) -> str | None:
    """Who is logged in; None where nobody has to."""
    owner = client_of(scope).owner
    return owner if owner.startswith(USER) else None


class Clients:
    """Finds out who asks. Where users log in, only they may; their browsers need no cookie of ours."""

    def __init__(self, app: ASGIApp, framed: bool = False, user: User | None = None) -> None:
        self.app = app
        self._framed = framed  # in another site's page a browser sends a cookie only if it says so
        self._user = user

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif self._user:
            await self._for_user(scope, receive, send, await self._user(scope))
        else:
            await self._for_browser(scope, receive, send)

    async def _for_user(self, scope: Scope, receive: Receive, send: Send, user: str) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if not user and path.startswith(GUARDED) and path not in OPEN:
            await error_response(401, "login_required", "Sign in first.")(scope, receive, send)
            return
        if user:
            name = USER + user
            scope["livemind.client"] = Client(name, (name, *_address(scope)))
        await self.app(scope, receive, send)

    async def _for_browser(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        cookie = connection.cookies.get(COOKIE, "")
        opens = not cookie and "text/html" in connection.headers.get("accept", "")  # programs take anything
        owner = f"browser:{cookie}" if cookie else _program(connection)
        scope["livemind.client"] = Client(owner, _address(scope))

        async def known(message: Message) -> None:
            if message["type"] == "http.response.start" and opens:
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("Set-Cookie", self._cookie(connection.url.scheme == "https"))
            await send(message)

        await self.app(scope, receive, known)

    def _cookie(self, secure: bool) -> str:
        jar: SimpleCookie = SimpleCookie({COOKIE: secrets.token_urlsafe(16)})
        morsel = jar[COOKIE]
        morsel["path"], morsel["max-age"], morsel["httponly"] = "/", YEAR_S, True
        morsel["samesite"] = "none" if self._framed else "lax"
        morsel["secure"] = self._framed or secure
        return morsel.OutputString()


def _address(scope: Scope) -> tuple[str, ...]:
    """Of whom it is counted, too; none at this machine."""
    address = address_of(scope)
    return (address,) if address else ()


def _program(connection: HTTPConnection) -> str:
    given = connection.headers.get("authorization", "")
    return f"program:{hashlib.sha256(given.encode()).hexdigest()}" if given else ""
