"""What a server is and can do, for pages, programs and load balancers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from fastapi import APIRouter, Depends, Request, Response

from livemind_app import __version__
from livemind_app.errors import Coded
from livemind_app.protocol import ModelStatus
from livemind_app.serving.dependencies import Manager
from livemind_app.serving.errors import no_store
from livemind_app.serving.models import Health, Nothing, Offered
from livemind_app.session.options import describe
from livemind_app.session.requests import limited_options, unable_choices, unable_lanes

Status = Callable[[], Sequence[ModelStatus]]
READY_AFTER_S = 5  # the usual interval of those who ask

router = APIRouter(prefix="/api", tags=["server"], dependencies=[Depends(no_store)])


@router.get("/health", summary="Whether the models are ready")
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
    summary="200 when prompts can be answered: for load balancers; /health says why not",
    responses={503: {"description": "The models are loading, or failed, or the server is being stopped"}},
)
async def ready(request: Request, response: Response, manager: Manager) -> Nothing:
    if manager.admission.draining or _overall(list(request.app.state.status())) != "ready":
        response.status_code = 503
        response.headers["Retry-After"] = str(READY_AFTER_S)
    return Nothing()


@router.get("/options", summary="The options there are, with their ranges and defaults")
async def options(manager: Manager) -> Offered:
    return Offered(options=describe(manager.defaults))


def _codes(*said: Mapping[Any, str]) -> dict[str, str]:
    texts = (text for each in said for text in each.values())
    return {text: text.code for text in texts if text and isinstance(text, Coded)}


def _overall(models: Sequence[ModelStatus]) -> Literal["loading", "ready", "failed"]:
    states = {model.state for model in models}
    if "failed" in states:
        return "failed"
    return "ready" if states <= {"ready"} else "loading"
