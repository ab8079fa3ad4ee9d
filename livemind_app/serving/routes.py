"""The routes of sessions in docs/api.md. Handlers are coroutines: sessions live on the event loop."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from sse_starlette import EventSourceResponse
from starlette.responses import JSONResponse

from livemind_app.errors import (
    ConfigError,
    InvalidText,
    NothingToRetry,
    Overloaded,
    ServerDraining,
    SessionNotFound,
    StaleRevision,
    TextTooLong,
    TooManySessions,
    TooManyTurns,
    TurnRunning,
)
from livemind_app.serving.clients import client_of
from livemind_app.serving.dependencies import Found, Manager, Token
from livemind_app.serving.errors import NO_STORE, no_store, refusals
from livemind_app.serving.lean import DraftRoute
from livemind_app.serving.logs import SAFE_ID
from livemind_app.serving.models import (
    Changes,
    Clear,
    Configured,
    Created,
    Draft,
    Drafted,
    NewSession,
    Nothing,
    Retry,
    Stop,
    Submit,
    Submitted,
)
from livemind_app.serving.stream import stream

router = APIRouter(prefix="/api", dependencies=[Depends(no_store)])


@router.post(
    "/sessions",
    status_code=201,
    tags=["sessions"],
    summary="Begin a session",
    responses=refusals(ConfigError, TooManySessions, ServerDraining),
)
async def create(body: NewSession, request: Request, manager: Manager) -> Created:
    session = manager.create(body.options, _place(request), client_of(request.scope))
    return Created(session=session.token, options=session.options)


def _place(request: Request) -> str:
    """By what a router chose this server; nothing where there is none, or where it cannot stand in a path."""
    header = request.app.state.place_header
    place = request.headers.get(header, "") if header else ""
    return place if SAFE_ID.fullmatch(place) else ""


@router.patch(
    "/sessions/{token}/options",
    tags=["sessions"],
    summary="Change some options",
    responses=refusals(ConfigError, SessionNotFound, TurnRunning),
)
async def configure(session: Found, body: Changes) -> Configured:
    return Configured(options=session.configure(body))


async def draft(session: Found, body: Draft) -> Response:
    segments = [vars(segment) for segment in session.draft(body.revision, body.text)]
    return JSONResponse({"revision": body.revision, "segments": segments}, 202, headers=NO_STORE)


router.add_api_route(
    "/sessions/{token}/draft",
    draft,
    methods=["PUT"],
    status_code=202,
    tags=["typing"],
    summary="Replace the draft",
    response_model=Drafted,
    responses=refusals(SessionNotFound, StaleRevision, TextTooLong, InvalidText),
    route_class_override=DraftRoute,
)


@router.post(
    "/sessions/{token}/submit",
    status_code=202,
    tags=["typing"],
    summary="Ask for the answers",
    responses=refusals(
        *(SessionNotFound, StaleRevision, TurnRunning, TooManyTurns, TextTooLong, InvalidText),
        *(Overloaded, ServerDraining),
    ),
)
async def submit(session: Found, body: Submit) -> Submitted:
    turn = session.submit(body.revision, body.text, body.lanes)
    return Submitted(turn=turn.id, lanes=list(turn.lanes))


@router.post(
    "/sessions/{token}/stop",
    status_code=202,
    tags=["typing"],
    summary="Stop the running answers, or one of them; what was said is kept",
    responses=refusals(ConfigError, SessionNotFound),
)
async def stop(session: Found, body: Stop | None = None) -> Nothing:
    session.stop(body.lane if body else None)
    return Nothing()


@router.post(
    "/sessions/{token}/retry",
    status_code=202,
    tags=["typing"],
    summary="Answer the newest prompt anew in one of its lanes",
    responses=refusals(
        *(ConfigError, SessionNotFound, NothingToRetry, TurnRunning, Overloaded, ServerDraining)
    ),
)
async def retry(session: Found, body: Retry) -> Nothing:
    session.retry(body.lane)
    return Nothing()


@router.post(
    "/sessions/{token}/clear",
    tags=["sessions"],
    summary="Begin a new chat with the same token and options, or go on with an earlier one",
    responses=refusals(SessionNotFound, TooManyTurns, TextTooLong, InvalidText),
)
async def clear(session: Found, body: Clear | None = None) -> Nothing:
    session.clear([(turn.prompt, turn.answer) for turn in body.turns] if body else [])
    return Nothing()


@router.delete(
    "/sessions/{token}",
    status_code=204,
    tags=["sessions"],
    summary="End a session and its streams",
    responses=refusals(SessionNotFound),
)
async def delete(token: Token, request: Request, manager: Manager) -> None:
    await manager.delete(token, client_of(request.scope))


@router.get(
    "/sessions/{token}/events",
    tags=["typing"],
    summary="Everything that happens to a session",
    response_class=EventSourceResponse,
    responses={
        200: {
            "description": "Frames with `id`, `event` and JSON `data`",
            "content": {"text/event-stream": {}},
        },
        **refusals(SessionNotFound),
    },
)
async def events(
    request: Request,
    session: Found,
    last: Annotated[int, Query(ge=0, description="Replay what follows this event.")] = 0,
    last_event_id: Annotated[
        int | None, Header(alias="Last-Event-ID", ge=0, description="Wins over `last`.")
    ] = None,
) -> EventSourceResponse:
    position = last if last_event_id is None else last_event_id
    timing = request.app.state.timing
    return stream(session, position, ping_s=timing.ping_s, send_timeout_s=timing.send_timeout_s)
