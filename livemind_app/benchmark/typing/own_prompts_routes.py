"""Running the benchmark from the page: for whoever sits at this machine, or knows its password."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field

from livemind_app.benchmark.typing.own_prompts import OwnPrompts, State
from livemind_app.serving.addresses import address_of
from livemind_app.serving.errors import NO_STORE, no_store
from livemind_app.serving.models import Body, Changes, ErrorBody

MOST = 200  # prompts
Prompt = Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"\S")]
REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorBody, "description": "`login_required`"},
    403: {"model": ErrorBody, "description": "`forbidden`, `foreign_origin`"},
    404: {"model": ErrorBody, "description": "`not_found`: no run has ended"},
    409: {"model": ErrorBody, "description": "`benchmark_running`"},
    422: {"model": ErrorBody, "description": "`invalid_request`, `invalid_option`"},
    429: {"model": ErrorBody, "description": "`too_many_requests`"},
}


class NewRun(Body):
    prompts: Annotated[list[Prompt], Field(min_length=1, max_length=MOST)]
    options: Changes = Field(default_factory=dict)
    chars_per_minute: Annotated[float, Field(ge=1, le=100_000, description="The typist's speed.")] = 240


class Run(BaseModel):
    state: State | Literal["unavailable"] = Field(description="`unavailable`: to whoever asks.")
    done: int = Field(description="Answers measured, of `total`.")
    total: int
    error: str | None
    code: str | None = Field(description="The error's stable name.")
    lanes: Mapping[str, Mapping[str, Any]] = Field(description="When it is done: figures by lane.")


def _may(request: Request) -> bool:
    return bool(request.app.state.access.password) or address_of(request.scope) is None


def _allowed(request: Request) -> None:
    if not _may(request):
        raise HTTPException(403, "A benchmark is run on the server's own machine, or with a password.")


ZIP = "application/zip"
UNAVAILABLE = Run(state="unavailable", done=0, total=0, error=None, code=None, lanes={})


def own_prompts_router(own: OwnPrompts) -> APIRouter:
    router = APIRouter(
        prefix="/api/benchmark", tags=["benchmark"], responses=REFUSED, dependencies=[Depends(no_store)]
    )
    allowed = [Depends(_allowed)]

    @router.get("", summary="How far the benchmark on own prompts is")
    async def status(request: Request) -> Run:
        return Run(**own.status) if _may(request) else UNAVAILABLE  # no refusal: every page asks this

    @router.post(
        "", status_code=202, dependencies=allowed, summary="Type these prompts in every lane of the options"
    )
    async def start(body: NewRun) -> Run:
        own.start(body.prompts, body.options, f"constant:{body.chars_per_minute:g}")
        return Run(**own.status)

    @router.delete("", status_code=202, dependencies=allowed, summary="Cancel the run that there is")
    async def cancel() -> Run:
        await own.cancel()
        return Run(**own.status)

    @router.get(
        "/report",
        dependencies=allowed,
        response_class=Response,
        responses={200: {"content": {ZIP: {}}}},
        summary="Report, pictures, figures and prompts as a ZIP file",
    )
    async def report() -> Response:
        if not own.report:
            raise HTTPException(404, "There is no report: no run has ended since the last one began.")
        name = {"Content-Disposition": 'attachment; filename="livemind-benchmark.zip"'}
        return Response(own.report, media_type=ZIP, headers={**NO_STORE, **name})

    return router
