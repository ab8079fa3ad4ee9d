"""What surrounds every request: a limit to its body, and silence about its content."""

import asyncio
import logging

from fastapi import HTTPException
from sse_starlette.sse import SendTimeoutError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livemind_app.errors import ServerDraining, where_raised
from livemind_app.serving.errors import error_response, session_error_response, too_large

log = logging.getLogger(__name__)


class BodyLimit:
    """Refuses a body by its announced length, as soon as it has grown too long, or when it does not come.

    FastAPI's own limit answers in plain text.
    """

    def __init__(self, app: ASGIApp, max_body: int, timeout_s: float) -> None:
        self.app = app
        self.max_body = max_body
        self.timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif int(Headers(scope=scope).get("content-length", 0)) > self.max_body:
            await too_large()(scope, receive, send)
        else:
            await self.app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        received, complete = 0, False
        deadline = asyncio.get_running_loop().time() + self.timeout_s

        async def counted() -> Message:
            nonlocal received, complete
            if complete:  # what follows is the end of the connection, for which a stream waits long
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "The body did not come.", {"Connection": "close"}) from None
            complete = not message.get("more_body")
            received += len(message.get("body", b""))
            if received > self.max_body:
                raise HTTPException(413)
            return message

        return counted


class Discreet:
    """Answers an unforeseen exception and logs where it was raised, but not its message.

    What the server cuts off at its end has not failed: another one may be asked.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except SendTimeoutError:
            log.info("A reader of events took nothing for too long and was cut off.")
        except ClientDisconnect:
            log.info("A client went away in the middle of its request.")
        except asyncio.CancelledError:
            if scope["type"] != "http" or started:
                raise
            message = "this server is being stopped; send the same request again soon"
            await session_error_response(ServerDraining(message))(scope, receive, send)
        except Exception as error:
            log.error("A request failed.\n%s", where_raised(error))
            if scope["type"] == "http" and not started:
                response = error_response(500, "internal_error", "The server failed; its log says where.")
                await response(scope, receive, send)
