"""Sentences through the codec: for the page's inspector."""

from collections.abc import Awaitable, Mapping
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field

from livemind_app.errors import ConfigError, ModelError
from livemind_app.serving.errors import no_store
from livemind_app.serving.models import Body, ErrorBody
from livemind_app.serving.places import Places, while_there

MOST = 2_000  # characters
Said = Annotated[str, Field(max_length=MOST, pattern=r"\S")]
T = TypeVar("T")
REFUSED: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorBody, "description": "`not_found`: the models have no codec"},
    422: {"model": ErrorBody, "description": "`invalid_request`, `invalid_option`"},
    429: {"model": ErrorBody, "description": "`too_many_requests`, `overloaded`"},
    503: {"model": ErrorBody, "description": "`draining`, `engine_unavailable`"},
}


class Inspecting(Protocol):
    """`Inspector` of sentence_vae/inspector.py"""

    async def sentences(self, text: str) -> Any: ...

    async def between(self, first: str, second: str) -> list[str]: ...


class OfModels(Body):
    models: str | None = Field(default=None, description="Whose codec; the server's own by default.")


class Text(OfModels):
    text: Said


class Two(OfModels):
    first: Said
    second: Said


class Sentence(BaseModel):
    text: str
    said: str = Field(description="What came back of its latents.")
    tokens: int
    right: int = Field(description="Of the tokens, those that came back at their places.")
    latents: list[list[float]] = Field(description="[latents, width]")


class Sentences(BaseModel):
    sentences: list[Sentence]


class Between(BaseModel):
    texts: list[str]


def inspector_router(inspectors: Mapping[str, Inspecting]) -> APIRouter:
    """`inspectors`: by their models' names, the server's own first."""
    places = Places()

    def named(name: str | None) -> Inspecting:
        if name is None:
            return next(iter(inspectors.values()))
        if name not in inspectors:
            raise ConfigError(f"models must be one of {', '.join(inspectors)}")
        return inspectors[name]

    async def computed(request: Request, work: Awaitable[T]) -> T:
        try:
            return await while_there(request, work)
        except ModelError as error:
            raise HTTPException(404, str(error)) from error

    router = APIRouter(
        prefix="/api/sentence-vae",
        tags=["sentence-vae"],
        responses=REFUSED,
        dependencies=[Depends(no_store)],
    )

    @router.post("/sentences", summary="Encode a text's sentences, and decode them again")
    async def sentences(body: Text, request: Request) -> Sentences:
        async with places.one(request, request.app.state.manager.admission):
            found = await computed(request, named(body.models).sentences(body.text))
        return Sentences(sentences=[Sentence(**vars(each)) for each in found])

    @router.post("/between", summary="Sentences decoded from latents between those of two")
    async def between(body: Two, request: Request) -> Between:
        async with places.one(request, request.app.state.manager.admission):
            return Between(texts=await computed(request, named(body.models).between(body.first, body.second)))

    return router
