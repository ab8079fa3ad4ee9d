"""The route that every keystroke takes, documented by FastAPI but without its machinery.

Dependencies, fields and response models took more time than cutting the text and telling what changed.
"""

import json
from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from livemind_app.serving.clients import client_of
from livemind_app.serving.models import Draft
from livemind_app.session.manager import SessionManager


class DraftRoute(APIRoute):
    """Calls its endpoint with the session and the body, and sends the Response that it returns."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            manager: SessionManager = request.app.state.manager
            content = _json(request.headers.get("content-type", ""), await request.body())
            session = manager.get(request.path_params["token"], client_of(request.scope))
            answer: Response = await endpoint(session, _draft(content))
            return answer

        return handle


def _json(content_type: str, body: bytes) -> Any:
    """Only what is sent as JSON: a page of another site cannot, without asking first."""
    if content_type != "application/json" and not _is_json(content_type):
        raise RequestValidationError([{"loc": ("body",), "msg": "Input should be sent as application/json"}])
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RequestValidationError([{"loc": ("body",), "msg": "JSON decode error"}]) from None


def _is_json(content_type: str) -> bool:
    """As FastAPI has it.

    >>> _is_json("application/json; charset=utf-8"), _is_json("a/json"), _is_json("text/json")
    (True, False, False)
    """
    message = Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (
        subtype == "json" or subtype.endswith("+json")
    )


def _draft(content: Any) -> Draft:
    try:
        return Draft.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in found]) from None
