"""What is logged, a line each, as text or as JSON: what happened to which request, not what was typed."""

import json
import logging
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from time import perf_counter
from types import TracebackType
from typing import Any, Literal

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livemind_app.errors import where_raised
from livemind_app.session.events import Event, Failure

Style = Literal["text", "json"]
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
Error = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

log = logging.getLogger(__name__)
Count = Callable[[str, str, int, float], None]  # method, route, status, seconds
request_id: ContextVar[str] = ContextVar("request_id", default="")


class TextFormatter(logging.Formatter):
    """Warnings for whoever started the server; an exception is told without its message, which may quote."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def formatException(self, ei: Error) -> str:  # noqa: N802 - logging's name
        return where_raised(ei[1]) if ei[1] else ""


class JsonFormatter(TextFormatter):
    """One object a line, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if name := request_id.get():
            line["request"] = name
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


def configure(style: Style) -> None:
    """Log to stderr: warnings as text, or everything there is to know about a server as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("livemind_app").setLevel(logging.INFO if style == "json" else logging.WARNING)


class RequestLog:
    """Gives every request an id, tells it to the client, and logs and counts how the request ended.

    A client or proxy that sends `X-Request-ID` names it itself. Paths are logged as the route they matched:
    they hold tokens, and a token opens its session.
    """

    def __init__(self, app: ASGIApp, count: Count) -> None:
        self.app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        name = given if SAFE_ID.fullmatch(given) else secrets.token_hex(8)
        began, status = perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = name
            await send(message)

        reset = request_id.set(name)
        try:
            await self.app(scope, receive, watched)
        finally:
            route, seconds = _route(scope), perf_counter() - began
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._count(method, route, status, seconds)
            fields = {"method": method, "route": route, "status": status, "ms": 1000 * seconds}
            log.info("answered", extra={"fields": fields})
            request_id.reset(reset)


def _route(scope: Scope) -> str:
    """The pattern of the path, which holds no token; of what is no part of the API no more than that."""
    path: str = getattr(scope.get("route"), "path", "")
    return path if path.startswith("/api/") else "other"


def see(event: Event) -> None:
    """Log what failed after it was accepted."""
    if isinstance(event, Failure):
        log.warning("failed: %s", event.code, extra={"fields": {"code": event.code, "lane": event.lane}})
