"""One password before everything: a form for browsers, a header for programs.

A browser gets a cookie that says until when it may come in, signed with a key made from the password: it
holds over restarts and on every replica, and a new password ends it.
"""

import asyncio
import hashlib
import hmac
import time
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from livemind_app.errors import TooManyRequests
from livemind_app.serving.addresses import address_of
from livemind_app.serving.clients import OPEN
from livemind_app.serving.errors import NO_STORE, error_response, session_error_response, too_large, too_slow
from livemind_app.serving.languages import Language, language_of
from livemind_app.session.buckets import Buckets, Rate

COOKIE = "livemind_login"
MAX_FORM = 4096  # bytes
DAYS_S = 30 * 24 * 3600
GUESSES = Rate(per_s=0.2, burst=10)  # wrong passwords of one address
FORM = """<!doctype html>
<html lang="%(language)s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>LiveMind</title><style>
body { font: 16px system-ui, sans-serif; display: grid; place-items: center; min-height: 90vh; }
form { display: grid; gap: .8rem; width: 18rem; }
input, button { font: inherit; padding: .5rem; }
:root { color-scheme: light dark; }
</style></head><body><main><form method="post">
<h1>LiveMind</h1>
<label for="password">%(password)s</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>
<p role="alert">%(said)s</p>
<button>%(enter)s</button>
</form></main></body></html>
"""
WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        **{"password": "Password", "enter": "Log in"},
        **{"wrong": "The password is wrong.", "many": "Too many wrong passwords."},
    },
    "zh": {"password": "密码", "enter": "登录", "wrong": "密码不对。", "many": "密码错误次数太多。"},
    "ja": {
        **{"password": "パスワード", "enter": "ログイン"},
        **{"wrong": "パスワードが違います。", "many": "間違いが多すぎます。"},
    },
}


class Login:
    """Lets those in who know the password; `/login` and `/logout` are its own."""

    def __init__(
        self,
        app: ASGIApp,
        password: str,
        framed: bool = False,
        clock: Callable[[], float] = time.time,
        body_timeout_s: float = 30.0,
    ) -> None:
        self.app = app
        self._body_timeout_s = body_timeout_s  # a form that has not come by then is not waited for
        self._framed = framed  # in another site's page a browser sends a cookie only if it says so
        self._password = password.encode()
        self._key = hashlib.scrypt(self._password, salt=b"livemind login", n=2**14, r=8, p=1)
        self._clock = clock
        self._guesses = Buckets(GUESSES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive)) if scope["type"] == "http" else None
        await (response or self.app)(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        """What is said instead of what was asked for; None to let it pass."""
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        if path in OPEN:
            return None
        if path == "/login":
            return await self._form(request)
        if path == "/logout":
            response = RedirectResponse("./", 303)
            response.delete_cookie(COOKIE)
            return response
        if self._signed(request.cookies.get(COOKIE, "")):
            return None
        given = _given(request.headers.get("authorization", ""))
        if given is not None:
            return self._checked(request, given)
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("login", 303, NO_STORE)
        return _refused("Log in first: this server has a password.")

    def _checked(self, request: Request, given: bytes) -> Response | None:
        """None where the password is right; not even looked at after too many wrong ones."""
        who = address_of(request.scope) or "this machine"
        if self._guesses.wait(who):
            return session_error_response(TooManyRequests("too many wrong passwords; wait a little", 5))
        if hmac.compare_digest(given, self._password):
            return None
        self._guesses.take(who)
        return _refused("The password is wrong.")

    async def _form(self, request: Request) -> Response:
        if request.method != "POST":
            return HTMLResponse(_form(request), headers=NO_STORE)
        body = b""
        try:
            async with asyncio.timeout(self._body_timeout_s):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > MAX_FORM:
                        return too_large()
        except TimeoutError:
            return too_slow()
        fields = parse_qs(body.decode(errors="replace"))
        refusal = self._checked(request, fields.get("password", [""])[0].encode())
        if refusal:
            said = "many" if refusal.status_code == 429 else "wrong"
            return HTMLResponse(_form(request, said), refusal.status_code, NO_STORE)
        response = RedirectResponse("./", 303, NO_STORE)
        response.set_cookie(
            COOKIE,
            self._ticket(),
            DAYS_S,
            httponly=True,
            secure=self._framed or request.url.scheme == "https",
            samesite="none" if self._framed else "lax",
        )
        return response

    def _ticket(self) -> str:
        until = str(int(self._clock()) + DAYS_S)
        return f"{until}.{self._signature(until)}"

    def _signed(self, ticket: str) -> bool:
        until, _, signature = ticket.partition(".")
        right = hmac.compare_digest(signature.encode(), self._signature(until).encode())
        return right and int(until) > self._clock()

    def _signature(self, until: str) -> str:
        return hmac.new(self._key, until.encode(errors="replace"), hashlib.sha256).hexdigest()


def _form(request: Request, said: str = "") -> str:
    """`said`: which of the words above it says besides."""
    language = language_of(request)
    words = WORDS[language]
    return FORM % {**words, "language": language, "said": words.get(said, "")}


def _given(authorization: str) -> bytes | None:
    """The password in a header: `Bearer PASSWORD`, or `Basic` with any user name."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.encode()
    if scheme.lower() == "basic":
        try:
            return b64decode(value, validate=True).partition(b":")[2]
        except NoBase64:
            return b""
    return None


def _refused(message: str) -> Response:
    return error_response(401, "login_required", message, {"WWW-Authenticate": "Bearer"})
