"""The session API as a FastAPI app; a page may be mounted beside it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from livemind_app import __version__
from livemind_app.serving import errors, logs
from livemind_app.serving.access import Access, guard
from livemind_app.serving.guards import BodyLimit, Discreet
from livemind_app.serving.health import router as health_router
from livemind_app.serving.history import History
from livemind_app.serving.history_routes import page as history_view
from livemind_app.serving.history_routes import router as history_router
from livemind_app.serving.logs import METHODS, RequestLog
from livemind_app.serving.metrics import ServerMetrics
from livemind_app.serving.routes import router as sessions_router
from livemind_app.session.manager import SessionManager

MAX_BODY = 1_000_000  # bytes, far above the longest text in its widest encoding
WIDEST = 4  # bytes of a character, of a whole chat that a client restores


@dataclass(frozen=True)
class Timing:
    ping_s: float = 15.0  # proxies close silent streams
    send_timeout_s: float = 30.0  # a reader that takes nothing for so long is cut off
    body_timeout_s: float = 30.0  # a body that is not there after so long is not waited for


def create_api(
    manager: SessionManager,
    *,
    timing: Timing | None = None,
    max_body: int | None = None,
    access: Access | None = None,
    history: History | None = None,
    others: Sequence[APIRouter] = (),
    place_header: str | None = None,
) -> FastAPI:
    """The API on its own; `access` says who may use it, and guards what is mounted beside it as well.

    `others` are routes of parts that this one does not know. `place_header`: the one by which a router chose
    this server for a new session.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await manager.close()
        if history:
            history.close()

    api = FastAPI(
        title="LiveMind",
        summary="Chat on open models that thinks while you type",
        version=__version__,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
    )
    api.state.manager = manager
    api.state.timing = timing or Timing()
    api.state.access = access or Access()
    api.state.history = history
    api.state.place_header = place_header
    if history:
        manager.on_turn.append(history.see)
    metrics = ServerMetrics(manager, history)
    manager.observers += [metrics.see, logs.see]
    errors.install(api)
    longest = max_body or max(MAX_BODY, WIDEST * manager.limits.max_chat + MAX_BODY // 10)
    api.add_middleware(BodyLimit, max_body=longest, timeout_s=api.state.timing.body_timeout_s)
    guard(api, api.state.access, api.state.timing.body_timeout_s)
    api.add_middleware(Discreet)
    api.add_middleware(RequestLog, count=metrics.answered)  # outermost
    routers = (health_router, sessions_router, history_router, history_view, *others)
    for each in routers:
        api.include_router(each)
    api.state.routes = [route for each in routers for route in each.routes if isinstance(route, APIRoute)]
    api.add_route("/metrics", metrics.respond, include_in_schema=False)
    # Last of the API, and before whatever is mounted: what no route takes must not reach a page at "/".
    api.add_route("/api/{path:path}", _unknown, methods=list(METHODS), include_in_schema=False)
    return api


async def _unknown(request: Request) -> Response:
    others = [route for route in request.app.state.routes if route.matches(request.scope)[0] is Match.PARTIAL]
    allowed = sorted({method for route in others for method in route.methods or ()})
    if allowed:
        raise HTTPException(405, f"Use {' or '.join(allowed)} here.", headers={"Allow": ", ".join(allowed)})
    return errors.no_path()
