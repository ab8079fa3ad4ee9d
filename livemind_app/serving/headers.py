"""What browsers are told to refuse: scripts that are not ours, other hosts, foreign frames."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
DOCS = ("/docs", "/redoc")  # FastAPI's pages bring their scripts from this host:
DOCS_HOSTS = "https://cdn.jsdelivr.net https://fastapi.tiangolo.com "
COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # a path may hold a session's token
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders:
    """Adds them to every answer. `framed_by`: origins whose pages may show ours in a frame."""

    def __init__(self, app: ASGIApp, framed_by: Sequence[str] = ()) -> None:
        self.app = app
        self._frames = " ".join(("'self'", *framed_by))
        self._common = COMMON if framed_by else {**COMMON, "X-Frame-Options": "SAMEORIGIN"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        held: list[Message] = []  # a page's head waits for its body, whose scripts it has to name

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._common.items():
                    headers.setdefault(name, value)
                if is_page(headers):
                    held.append(message)
                    return
                headers.setdefault("Content-Security-Policy", f"default-src 'none'; {self._ancestors}")
            elif held:
                held.append(message)
                if message.get("more_body"):
                    return
                self._name_scripts(scope, held)
                for each in held:
                    await send(each)
                held.clear()
                return
            await send(message)

        await self.app(scope, receive, watched)

    @property
    def _ancestors(self) -> str:
        return f"frame-ancestors {self._frames}"

    def _name_scripts(self, scope: Scope, messages: list[Message]) -> None:
        body = b"".join(message.get("body", b"") for message in messages[1:])
        hosts = DOCS_HOSTS if scope["path"].endswith(DOCS) else ""
        policy = f"{_page_policy(' '.join(_hashes(body)), hosts)}; {self._ancestors}"
        MutableHeaders(scope=messages[0]).setdefault("Content-Security-Policy", policy)


def is_page(headers: MutableHeaders) -> bool:
    return headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers


def _page_policy(hashes: str, hosts: str) -> str:
    """Gradio makes functions of strings and styles of its own; the rest is closed."""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'unsafe-eval' {hosts}{hashes}",
            f"style-src 'self' 'unsafe-inline' {hosts}".rstrip(),
            f"img-src 'self' data: blob: {hosts}".rstrip(),
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        )
    )


def _hashes(page: bytes) -> Iterator[str]:
    """How a policy names the scripts that are written in a page.

    >>> list(_hashes(b"<script>alert(1)</script> <script src='a.js'></script>"))
    ["'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"]
    """
    for script in INLINE_SCRIPT.findall(page):
        yield f"'sha256-{b64encode(hashlib.sha256(script).digest()).decode()}'"
