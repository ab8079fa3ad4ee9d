"""An OpenAI-compatible server as vLLM is one, on an engine of ours, with faults that a test switches on."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from livemind_app.protocol import Chunk, Engine, Finished, Priority, Sampling
from livemind_app.protocol import Request as Generation
from livemind_app.serving.server import address, listen

PLAIN = ("model", "prompt", "max_tokens", "temperature", "top_p", "seed", "stop", "stream", "stream_options")


@dataclass
class Faults:
    """What goes wrong, and what was seen."""

    status: list[int] = field(default_factory=list)  # of the next requests
    retry_after: str | None = None
    cut_after: int | None = None  # tokens, then the connection ends
    error_after: int | None = None  # tokens, then an error event and [DONE], as a killed worker's
    stall_after: int | None = None  # tokens, then nothing; it lives
    added: str = ""  # to the text of each piece, as it is
    stopped: bool = False  # connections are taken, and nothing is ever answered, as of a process at SIGSTOP
    key: str = ""  # that must be sent
    listed: bool = False  # its models are told without
    metrics: str = ""  # for Prometheus
    refused: tuple[str, ...] = ()  # parameters that this server does not take
    texts_only: bool = False  # prompts as ids are refused, as sglang-router does
    plain: bool = False  # a server that knows no more than OpenAI's
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    closed: int = 0  # streams that the client closed
    asked: int = 0  # for its models
    running: int = 0  # streams
    most: int = 0  # of them at once


class FakeServer:
    def __init__(self, engine: Engine, root: str, model: str = "smol", context: int = 8192) -> None:
        self.engine = engine
        self.faults = Faults()
        self._model = model
        self._models = [{"id": model, "root": root, "max_model_len": context}]
        self.app = FastAPI()
        self.app.add_api_route("/v1/models", self._list)
        self.app.add_api_route("/metrics", self._metrics)
        self.app.add_api_route("/v1/completions", self._complete, methods=["POST"])

    async def _list(self, request: Request) -> Response:
        await self._going()
        self.faults.asked += 1
        if not self.faults.listed and self._denied(request):
            return JSONResponse({"error": "Unauthorized"}, 401)
        return JSONResponse({"data": self._models})

    def _denied(self, request: Request) -> bool:
        key = self.faults.key
        return bool(key) and request.headers.get("Authorization") != f"Bearer {key}"

    async def _metrics(self) -> Response:
        return PlainTextResponse(self.faults.metrics, 200 if self.faults.metrics else 404)

    async def _going(self) -> None:
        while self.faults.stopped:
            await asyncio.sleep(0.01)

    async def _complete(self, request: Request) -> Response:
        body, faults = await request.json(), self.faults
        await self._going()
        faults.bodies.append(body)
        faults.headers.append(dict(request.headers))
        if self._denied(request):
            return JSONResponse({"error": "Unauthorized"}, 401)
        if body["model"] != self._model:
            return JSONResponse({"error": {"message": f"no model {body['model']}"}}, 404)
        if faults.status:
            headers = {"Retry-After": faults.retry_after} if faults.retry_after else None
            return JSONResponse({"error": "switched on"}, faults.status.pop(0), headers=headers)
        if faults.texts_only and not isinstance(body["prompt"], str):
            return JSONResponse({"error": {"message": "prompt must be a string"}}, 422)
        if found := [name for name in faults.refused if name in body]:
            return JSONResponse({"error": {"message": f"unknown {found}"}}, 400)
        return StreamingResponse(self._stream(body), media_type="text/event-stream")

    async def _stream(self, body: dict[str, Any]) -> AsyncIterator[str]:
        faults, said = self.faults, 0
        faults.running += 1
        faults.most = max(faults.most, faults.running)
        try:
            async with aclosing(self.engine.stream(_generation(body, self.engine))) as outputs:
                async for output in outputs:
                    await self._stall(said)
                    if isinstance(output, Finished):
                        yield _event(finish=_finish(output), usage=_usage(output))
                        yield "data: [DONE]\n\n"
                        return
                    yield self._chunk(body, output, first=said == 0)
                    said += len(output.ids)
                    if faults.cut_after == said:
                        raise ConnectionResetError
                    if faults.error_after == said:
                        yield 'data: {"error": {"message": "the engine died"}}\n\n'
                        yield "data: [DONE]\n\n"
                        return
        except asyncio.CancelledError:
            faults.closed += 1
            raise
        finally:
            faults.running -= 1

    async def _stall(self, said: int) -> None:
        await self._going()
        while self.faults.stall_after == said:
            await asyncio.sleep(0.01)

    def _chunk(self, body: dict[str, Any], chunk: Chunk, *, first: bool) -> str:
        values: dict[str, Any] = {"text": chunk.text + self.faults.added}
        if body.get("return_token_ids") and not self.faults.plain:
            values["token_ids"] = list(chunk.ids)
        if first and body.get("logprobs"):
            values["logprobs"] = {"top_logprobs": [_likeliest(self.engine, body)]}
        return _event(**values)


def _generation(body: dict[str, Any], engine: Engine) -> Generation:
    return Generation(
        ids=_ids(body["prompt"], engine),
        role="llm",
        max_tokens=body["max_tokens"],
        session=body.get("cache_salt", ""),
        cache_key="prefixes" if "cache_salt" in body else None,
        priority=Priority(body.get("priority", Priority.ANSWER)),
        sampling=Sampling(
            body.get("temperature", 0.0),
            body.get("top_p", 1.0),
            body.get("top_k", 0),
            body.get("seed"),
            body.get("repetition_penalty", 1.0),
        ),
        stops=tuple(body.get("stop", ())),
    )


def _ids(prompt: str | list[int], engine: Engine) -> tuple[int, ...]:
    return engine.tokenizer("llm").encode(prompt) if isinstance(prompt, str) else tuple(prompt)


def _likeliest(engine: Engine, body: dict[str, Any]) -> dict[str, float]:
    ids = _ids(body["prompt"], engine)
    *_, finished = engine.generate(Generation(ids, "llm", 0, score=tuple(range(49152))))
    assert isinstance(finished, Finished)
    order = sorted(range(len(finished.scores)), key=lambda token: -finished.scores[token])
    return {f"token_id:{token}": finished.scores[token] for token in order[: body["logprobs"]]}


def _finish(finished: Finished) -> str:
    return "length" if finished.reason == "length" else "stop"


def _usage(finished: Finished) -> dict[str, Any]:
    return {"prompt_tokens_details": {"cached_tokens": finished.cached_tokens}}


def _event(*, finish: str | None = None, usage: dict[str, Any] | None = None, **choice: Any) -> str:
    choices = [{"index": 0, "text": "", "finish_reason": finish, **choice}]
    return f"data: {json.dumps({'choices': choices, 'usage': usage}, ensure_ascii=False)}\n\n"


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The address of a running server; it is killed at the end, streams and all."""
    with listen("127.0.0.1", port) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield address(listening)
        finally:
            server.should_exit = server.force_exit = True
            thread.join()
