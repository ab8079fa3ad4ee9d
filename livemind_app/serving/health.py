"""What a server is and can do, for pages, programs and load balancers."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from livemind_app import __version__
from livemind_app.errors import Coded, ConfigError
from livemind_app.protocol import Engine, ModelStatus
from livemind_app.serving.dependencies import Manager
from livemind_app.serving.errors import no_store, refusals
from livemind_app.serving.models import Health, Nothing, Offered
from livemind_app.session.options import describe
from livemind_app.session.requests import limited_options, unable_choices, unable_lanes, unloadable

READY_AFTER_S = 5  # the usual interval of those who ask

router = APIRouter(prefix="/api", tags=["server"], dependencies=[Depends(no_store)])


Pair = Annotated[str | None, Query(description="Which; the server's own by default.")]


@router.get("/health", summary="Whether the models are ready", responses=refusals(ConfigError))
async def health(manager: Manager, models: Pair = None) -> Health:
    engine = _engine(manager, models)
    statuses = list(engine.status())
    status = _overall(statuses)
    ready = status == "ready"
    lanes = unable_lanes(engine) if ready else {}
    choices = unable_choices(engine) if ready else {}
    reasons = {name: unloadable(each) for name, each in manager.engines.items()}
    if gone := {name: reason for name, reason in reasons.items() if reason}:
        choices["models"] = gone
    limited = limited_options(engine) if ready else {}
    return Health(
        status=status,
        version=__version__,
        models=statuses,
        sessions=len(manager),
        unavailable=lanes,
        unavailable_choices=choices,
        limited_options=limited,
        codes=_codes(lanes, *choices.values(), *limited.values(), {m.role: m.detail for m in statuses}),
    )


@router.get(
    "/ready",
    summary="200 when prompts can be answered: for load balancers; /health says why not",
    responses={503: {"description": "The models are loading, or failed, or the server is being stopped"}},
)
async def ready(response: Response, manager: Manager) -> Nothing:
    if manager.admission.draining or _overall(manager.engine.status()) != "ready":
        response.status_code = 503
        response.headers["Retry-After"] = str(READY_AFTER_S)
    return Nothing()


@router.get("/options", summary="The options there are, with their ranges and defaults")
async def options(manager: Manager) -> Offered:
    return Offered(options=describe(manager.defaults, {n: _title(e) for n, e in manager.engines.items()}))


def _engine(manager: Manager, name: str | None) -> Engine:
    if name is None:
        return manager.engine
    if name not in manager.engines:
        raise ConfigError(f"models must be one of {', '.join(manager.engines)}")
    return manager.engines[name]


def _title(engine: Engine) -> str:
    return " + ".join(dict.fromkeys(model.name for model in engine.status()))


def _codes(*said: Mapping[Any, str]) -> dict[str, str]:
    texts = (text for each in said for text in each.values())
    return {text: text.code for text in texts if text and isinstance(text, Coded)}


def _overall(models: Sequence[ModelStatus]) -> Literal["loading", "ready", "failed"]:
    states = {model.state for model in models}
    if "failed" in states:
        return "failed"
    return "ready" if states <= {"ready"} else "loading"
