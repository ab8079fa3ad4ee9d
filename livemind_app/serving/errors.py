"""Every refusal as `{"error": {"code", "message"}}`, without a word of what the user typed."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from livemind_app.errors import (
    ConfigError,
    EngineError,
    LiveMindError,
    ModelError,
    SessionError,
    StaleRevision,
    TextTooLong,
)
from livemind_app.serving.models import FIELDS, ErrorBody

NO_STORE = {"Cache-Control": "no-store"}


async def no_store(response: Response) -> None:
    """For routers: none of their answers is kept by a browser or a proxy."""
    response.headers.update(NO_STORE)


def refusals(*errors: type[SessionError] | type[ConfigError]) -> dict[int | str, dict[str, Any]]:
    """How OpenAPI documents what a route refuses."""
    codes: dict[int | str, list[str]] = {
        401: ["login_required"],
        403: ["foreign_origin"],
        422: ["invalid_request"],
        429: ["too_many_requests"],
    }
    for error in errors:
        status, code = (
            (error.status, error.code) if issubclass(error, SessionError) else (422, "invalid_option")
        )
        codes.setdefault(status, []).append(code)
    return {
        status: {"model": ErrorBody, "description": ", ".join(f"`{name}`" for name in names)}
        for status, names in codes.items()
    }


def install(app: FastAPI) -> None:
    """Make an app answer all errors in our shape."""
    app.add_exception_handler(SessionError, _refused)
    app.add_exception_handler(ConfigError, _refused)
    app.add_exception_handler(ModelError, _refused)
    app.add_exception_handler(EngineError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)


def error_response(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None, **details: Any
) -> JSONResponse:
    sendable = message.encode(errors="replace").decode()  # a message may name an unknown option: any string
    body = {"error": {"code": code, "message": sendable, **details}}
    return JSONResponse(body, status, headers={**NO_STORE, **(headers or {})})


def session_error_response(error: SessionError) -> JSONResponse:
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else None
    return error_response(error.status, error.code, str(error), headers)


def no_path() -> JSONResponse:
    return error_response(404, "not_found", "There is no such path; /docs lists those there are.")


def too_large() -> JSONResponse:
    return error_response(413, "body_too_large", "The body is too large; send less text.")


def too_slow() -> JSONResponse:
    return error_response(408, "request_timeout", "The body did not come.", {"Connection": "close"})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, LiveMindError)
    match error:
        case StaleRevision():
            return error_response(error.status, error.code, str(error), revision=error.revision)
        case TextTooLong():
            return error_response(error.status, error.code, str(error), limit=error.limit)
        case SessionError():
            return session_error_response(error)
        case ConfigError():
            return error_response(422, error.code, str(error))
        case _:
            return error_response(503, "engine_unavailable", str(error))


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return error_response(422, "invalid_request", explain(error.errors()))


def explain(errors: Sequence[Any]) -> str:
    """What is wrong with a request, by the names of our own fields: what was sent is not repeated.

    >>> explain([{"loc": ("body", "revision"), "msg": "Field required", "input": {"text": "my secret"}}])
    'revision: Field required'
    >>> explain([{"loc": ("body", "my secret"), "msg": "Extra inputs are not permitted"}])
    'unknown field: Extra inputs are not permitted'
    """
    return "; ".join(dict.fromkeys(f"{_where(error['loc'])}: {error['msg']}" for error in errors[:10]))


def _where(location: Sequence[str | int]) -> str:
    names = [str(part) for part in location[1:]]
    if not names or names[0].isdigit():
        return "body"
    return names[0] if names[0] in FIELDS else "unknown field"


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = error.headers
    match error.status_code:
        case 400:  # FastAPI's answer to bytes that are no JSON for another reason than syntax
            return error_response(422, "invalid_request", "body: JSON decode error")
        case 413:
            return too_large()
        case status:
            code = HTTPStatus(status).phrase.lower().replace(" ", "_")
            return error_response(status, code, error.detail, headers)
