"""The routes of docs/api.md. Handlers are coroutines: sessions live on the server's event loop."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from sse_starlette import EventSourceResponse
from starlette.responses import JSONResponse

from livemind_app import __version__
from livemind_app.errors import (
    Coded,
    ConfigError,
    InvalidText,
    NothingToRetry,
    Overloaded,
    ServerDraining,
    SessionError,
    SessionNotFound,
    StaleRevision,
    TextTooLong,
    TooManySessions,
    TooManyTurns,
    TurnRunning,
)
from livemind_app.protocol import ModelStatus
from livemind_app.serving.clients import client_of
from livemind_app.serving.errors import NO_STORE, no_store
from livemind_app.serving.lean import DraftRoute
from livemind_app.serving.logs import SAFE_ID
from livemind_app.serving.models import (
    Changes,
    Clear,
    Configured,
    Created,
    Draft,
    Drafted,
    ErrorBody,
    Health,
    NewSession,
    Nothing,
    Offered,
    Retry,
    Stop,
    Submit,
    Submitted,
)
from livemind_app.serving.stream import stream
from livemind_app.session.manager import SessionManager
from livemind_app.session.options import describe
from livemind_app.session.requests import limited_options, unable_choices, unable_lanes
from livemind_app.session.session import Session

Status = Callable[[], Sequence[ModelStatus]]
READY_AFTER_S = 5  # the usual interval of those who ask


async def _manager(request: Request) -> SessionManager:
    manager: SessionManager = request.app.state.manager
    return manager


Manager = Annotated[SessionManager, Depends(_manager)]
Token = Annotated[str, Path(description="As given by `POST /api/sessions`.")]


async def _session(token: Token, request: Request, manager: Manager) -> Session:
    return manager.get(token, client_of(request.scope))


Found = Annotated[Session, Depends(_session)]


def _refusals(*errors: type[SessionError] | type[ConfigError]) -> dict[int | str, dict[str, Any]]:
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


router = APIRouter(prefix="/api", dependencies=[Depends(no_store)])


@router.get("/health", tags=["server"], summary="Whether the models are ready")
async def health(request: Request, manager: Manager) -> Health:
    models = list(request.app.state.status())
    status = _overall(models)
    engine = manager.engine if status == "ready" else None
    lanes = unable_lanes(engine) if engine else {}
    choices = unable_choices(engine) if engine else {}
    limited = limited_options(engine) if engine else {}
    return Health(
        status=status,
        version=__version__,
        models=models,
        sessions=len(manager),
        unavailable=lanes,
        unavailable_choices=choices,
        limited_options=limited,
        codes=_codes(lanes, *choices.values(), *limited.values(), {m.role: m.detail for m in models}),
    )


@router.get(
    "/ready",
    tags=["server"],
    summary="200 when prompts can be answered: for load balancers; /health says why not",
    responses={503: {"description": "The models are loading, or failed, or the server is being stopped"}},
)
async def ready(request: Request, response: Response, manager: Manager) -> Nothing:
    if manager.admission.draining or _overall(list(request.app.state.status())) != "ready":
        response.status_code = 503
        response.headers["Retry-After"] = str(READY_AFTER_S)
    return Nothing()


def _codes(*said: Mapping[Any, str]) -> dict[str, str]:
    texts = (text for each in said for text in each.values())
    return {text: text.code for text in texts if text and isinstance(text, Coded)}


def _overall(models: Sequence[ModelStatus]) -> Literal["loading", "ready", "failed"]:
    states = {model.state for model in models}
    if "failed" in states:
        return "failed"
    return "ready" if states <= {"ready"} else "loading"


@router.get("/options", tags=["server"], summary="The options there are, with their ranges and defaults")
async def options(manager: Manager) -> Offered:
    return Offered(options=describe(manager.defaults))


@router.post(
    "/sessions",
    status_code=201,
    tags=["sessions"],
    summary="Begin a session",
    responses=_refusals(ConfigError, TooManySessions, ServerDraining),
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
    responses=_refusals(ConfigError, SessionNotFound),
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
    responses=_refusals(SessionNotFound, StaleRevision, TextTooLong, InvalidText),
    route_class_override=DraftRoute,
)


@router.post(
    "/sessions/{token}/submit",
    status_code=202,
    tags=["typing"],
    summary="Ask for the answers",
    responses=_refusals(
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
    responses=_refusals(ConfigError, SessionNotFound),
)
async def stop(session: Found, body: Stop | None = None) -> Nothing:
    session.stop(body.lane if body else None)
    return Nothing()


@router.post(
    "/sessions/{token}/retry",
    status_code=202,
    tags=["typing"],
    summary="Answer the newest prompt anew in one of its lanes",
    responses=_refusals(
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
    responses=_refusals(SessionNotFound, TooManyTurns, TextTooLong, InvalidText),
)
async def clear(session: Found, body: Clear | None = None) -> Nothing:
    session.clear([(turn.prompt, turn.answer) for turn in body.turns] if body else [])
    return Nothing()


@router.delete(
    "/sessions/{token}",
    status_code=204,
    tags=["sessions"],
    summary="End a session and its streams",
    responses=_refusals(SessionNotFound),
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
        **_refusals(SessionNotFound),
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
