"""Sentences through the codec: for the page's inspector."""

from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field

from livemind_app.errors import ModelError
from livemind_app.serving.errors import no_store
from livemind_app.serving.models import Body, ErrorBody

MOST = 2_000  # characters
Said = Annotated[str, Field(max_length=MOST, pattern=r"\S")]
REFUSED: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorBody, "description": "`not_found`: the models have no codec"},
    422: {"model": ErrorBody, "description": "`invalid_request`"},
    503: {"model": ErrorBody, "description": "`draining`, `engine_unavailable`"},
}


class Inspecting(Protocol):
    """`Inspector` of sentence_vae/inspector.py"""

    async def sentences(self, text: str) -> Any: ...

    async def between(self, first: str, second: str) -> list[str]: ...


class Text(Body):
    text: Said


class Two(Body):
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


async def _takes_work(request: Request) -> None:
    request.app.state.manager.admission.take_work()


def inspector_router(inspector: Inspecting) -> APIRouter:
    router = APIRouter(
        prefix="/api/sentence-vae",
        tags=["sentence-vae"],
        responses=REFUSED,
        dependencies=[Depends(_takes_work), Depends(no_store)],
    )

    @router.post("/sentences", summary="Encode a text's sentences, and decode them again")
    async def sentences(body: Text) -> Sentences:
        try:
            found = await inspector.sentences(body.text)
        except ModelError as error:
            raise HTTPException(404, str(error)) from error
        return Sentences(sentences=[Sentence(**vars(each)) for each in found])

    @router.post("/between", summary="Sentences decoded from latents between those of two")
    async def between(body: Two) -> Between:
        try:
            return Between(texts=await inspector.between(body.first, body.second))
        except ModelError as error:
            raise HTTPException(404, str(error)) from error

    return router
