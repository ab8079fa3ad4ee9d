"""What shows before Gradio's scripts have run: the title, and a box that takes what is typed already.

It is `static/first_paint.html`; `static/early.js` carries its text over into the real box.
"""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livemind_app.serving.headers import is_page

BODY = re.compile(rb"<body[^>]*>")


class FirstPaint:
    """Puts `first` at the beginning of Gradio's page; other answers pass."""

    def __init__(self, app: ASGIApp, first: bytes) -> None:
        self.app = app
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].rpartition("/")[2]:
            await self.app(scope, receive, send)
            return
        start: Message | None = None  # waits for the body: its length changes
        body = b""

        async def watched(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and is_page(MutableHeaders(scope=message)):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await self._send(start, body, send)

        await self.app(scope, receive, watched)

    async def _send(self, start: Message, body: bytes, send: Send) -> None:
        if b"<gradio-app" in body:
            body = BODY.sub(lambda found: found[0] + self._first, body, count=1)
            MutableHeaders(scope=start)["content-length"] = str(len(body))
        await send(start)
        await send({"type": "http.response.body", "body": body})
