"""Pages of other sites: they can neither read nor write, unless the operator names them."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from livemind_app.serving.errors import error_response

READING = ("GET", "HEAD", "OPTIONS")
OWN = ("same-origin", "none")  # Sec-Fetch-Site of our page, and of an address that was typed


class ForeignPages:
    """Refuses what a browser sends for another site's page. CORS only keeps the answer from it.

    Programs send no Origin, and are not refused.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self.app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in READING and self._foreign(Headers(scope=scope)):
            message = "A page of another site may not do this; --allow-origin names those that may."
            await error_response(403, "foreign_origin", message)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _foreign(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None or origin in self._allowed:
            return False
        if site := headers.get("sec-fetch-site"):  # sent on secure addresses only
            return site not in OWN
        hosts = (headers.get("host"), headers.get("x-forwarded-host"))  # of a proxy that changes the first
        return urlsplit(origin).netloc not in hosts
