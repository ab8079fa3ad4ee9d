"""Implements protocol.Engine on a model that an OpenAI-compatible server computes.

The server owns weights, caches and scheduling. What it shares between requests is its prefix cache: prompts
go as token ids, and each user's are salted apart.
"""

import asyncio
import hashlib
import secrets
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

from livemind_app.engine.chat import ChatTokenizer
from livemind_app.engine.remote.address import Address
from livemind_app.engine.remote.breaker import Breaker
from livemind_app.engine.remote.client import Client, Refused
from livemind_app.engine.remote.completion import Completion, Served
from livemind_app.engine.remote.tokens import remote_tokenizer
from livemind_app.engine.scheduler import Sink
from livemind_app.engine.split import NO_ODDS, NO_ROWS, NO_STATES
from livemind_app.engine.streams import aiterate, iterate
from livemind_app.errors import EngineError, GenerationFailed, LiveMindError, ModelError, ServerFailed
from livemind_app.protocol import Ability, Finished, ModelStatus, Output, Priority, Request, Role, Usage

AFFINITY = "X-Session-Id"  # by which routers keep a session with one replica
UNKNOWN = 1 << 30  # tokens of context, of a server that does not tell
WAITS_S = (0.2, 0.5, 1.0, 2.0)  # between attempts to reach a server that is not up yet

REFUSALS = (400, 404, 422)  # of what a server cannot do


class RemoteEngine:
    """Its event loop has a thread of its own, so callers may have another loop, or none."""

    def __init__(
        self, address: Address, roles: Sequence[Role], *, key: str = "", affinity: str = AFFINITY
    ) -> None:
        self._address = address
        self._roles = roles
        self._affinity = affinity
        self._breaker = Breaker()
        self._served: Future[Served] = Future()
        self._detail = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="livemind-remote", daemon=True)
        self._thread.start()
        self._client = Client(address.base, key)
        self._tasks: dict[asyncio.Task[None], Priority] = {}
        asyncio.run_coroutine_threadsafe(self._connect(), self._loop)

    async def ready(self) -> None:
        await asyncio.shield(asyncio.wrap_future(self._served))

    def wait(self) -> None:
        self._served.result()

    def status(self) -> tuple[ModelStatus, ...]:
        return tuple(self._status(role) for role in self._roles)

    def usage(self) -> Usage:
        return Usage(Counter(priority for priority in list(self._tasks.values())))

    def cannot(self, ability: Ability, role: Role) -> str | None:
        return {"guide": NO_STATES, "draft": NO_ODDS}.get(ability, NO_ROWS)

    def tokenizer(self, role: Role) -> ChatTokenizer:
        return self._served.result().tokenizer

    def stream(self, request: Request) -> AsyncGenerator[Output, None]:
        return aiterate(self._start, request)

    def generate(self, request: Request) -> Iterator[Output]:
        return iterate(self._start, request)

    def forget(self, session: str) -> None:
        """Nothing is kept here; the server evicts what nobody uses."""

    def close(self) -> None:
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _status(self, role: Role) -> ModelStatus:
        name = self._address.model or self._address.base
        if not self._served.done():
            return ModelStatus(role, name, "loading", detail=self._detail)
        if error := self._served.exception():
            return ModelStatus(role, name, "failed", detail=str(error))
        if self._breaker.open:
            return ModelStatus(role, name, "failed", detail="the server does not answer")
        return ModelStatus(role, self._served.result().name, "ready")

    async def _close(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.close()

    # Connecting.

    async def _connect(self) -> None:
        """Until the server is there: it may be loading for minutes."""
        attempt = 0
        while not self._served.done():
            try:
                self._served.set_result(await self._ask())
            except ServerFailed as error:
                self._detail = str(error)
                await asyncio.sleep(WAITS_S[min(attempt, len(WAITS_S) - 1)])
                attempt += 1
            except LiveMindError as error:
                self._served.set_exception(error)
            except Exception as error:
                reason = f"{self._address.base} cannot be used ({type(error).__name__}: {error})"
                self._served.set_exception(EngineError(reason))

    async def _ask(self) -> Served:
        model = await self._choose(await self._client.models())
        root = str(model.get("root") or model["id"])
        tokenizer = await asyncio.to_thread(remote_tokenizer, self._address.tokenizer, root)
        context = model.get("max_model_len") or (model.get("meta") or {}).get("n_ctx_train") or UNKNOWN
        served = Served(str(model["id"]), tokenizer, tokenizer.end_ids(None), int(context))
        return await self._able(served)

    async def _choose(self, models: list[dict[str, Any]]) -> dict[str, Any]:
        wanted = self._address.model
        found = [model for model in models if not wanted or model.get("id") == wanted]
        if wanted and not found and await self._answers(wanted):
            return {"id": wanted}
        if len(found) != 1:
            names = ", ".join(str(model.get("id")) for model in models) or "none"
            raise ModelError(
                f"{self._address.base} serves {names}; write which one is meant: {self._address.base}#MODEL"
            )
        return found[0]

    async def _answers(self, model: str, **body: Any) -> bool:
        """Whether it takes this; a router need not list what its workers serve."""
        body = {"model": model, "prompt": "a", "max_tokens": 1, "stream": True, **body}
        try:
            async with aclosing(self._client.complete(body, {})) as pieces:
                async for _ in pieces:
                    pass
        except Refused as error:
            if error.status not in REFUSALS:
                raise ServerFailed(str(error)) from error  # it may do later
            return False
        return True

    async def _able(self, served: Served) -> Served:
        """With what not every server takes, where this one does."""
        ids = served.tokenizer.encode("a")
        spelt = not await self._answers(served.name, prompt=list(ids))
        served = replace(served, spelt=spelt)
        extras: dict[str, Any] = {"return_token_ids": True, "return_tokens_as_token_ids": True}
        extras |= {"add_special_tokens": False} if spelt else {}  # the marks of turns are spelt too
        for name, value in (("cache_salt", "probe"), ("priority", 1)):
            if await self._answers(served.name, prompt=served.prompt(ids), **extras, **{name: value}):
                extras[name] = value
        return replace(served, extras=extras)

    # Generating.

    def _start(self, request: Request, sink: Sink) -> None:
        def run() -> None:
            task = self._loop.create_task(self._run(request, sink))
            self._tasks[task] = request.priority
            task.add_done_callback(self._tasks.pop)
            # Behind the task's first step, which has to run for the sink to hear of the end.
            request.cancel.then(lambda: self._on_loop(task.cancel))

        self._on_loop(run)

    async def _run(self, request: Request, sink: Sink) -> None:
        if request.cancel.cancelled:
            sink(Finished("cancelled", prompt_tokens=len(request.ids)))
            return
        try:
            await self._generate(request, sink)
        except asyncio.CancelledError:
            sink(Finished("cancelled") if request.cancel.cancelled else EngineError("the engine was closed"))
        except EngineError as error:
            sink(error)
        except ModelError as error:
            sink(EngineError(f"no model: {error}"))
        except Exception as error:
            sink(GenerationFailed(f"{self._address.base} failed ({type(error).__name__}); send it again"))

    async def _generate(self, request: Request, sink: Sink) -> None:
        if request.guide:
            raise EngineError(NO_STATES)
        served = await asyncio.shield(asyncio.wrap_future(self._served))
        if self._breaker.open:
            raise ServerFailed(f"{self._address.base} does not answer; it is asked again in a moment")
        completion = Completion(self._client, served, request)
        headers = {self._affinity: _hash(request.session)}
        try:
            async with aclosing(completion.outputs(headers, _salt(request))) as outputs:
                async for output in outputs:
                    sink(output)
        except asyncio.CancelledError:
            sink(completion.finished("cancelled"))
        except ServerFailed:
            self._breaker.failed()
            raise
        else:
            self._breaker.succeeded()

    def _on_loop(self, call: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # closed meanwhile
            self._loop.call_soon_threadsafe(call)


def _salt(request: Request) -> str:
    """Prompts share the server's prefix cache only where our own engine would share one.

    A baseline must not find what another lane computed of its prompt.
    """
    key = request.cache_key if request.cache_key is not None else secrets.token_hex(8)
    return _hash(f"{request.session}\0{key}")


def _hash(text: str) -> str:
    """A name for servers and routers: a session's token opens it and stays here."""
    return hashlib.sha256(f"livemind:{text}".encode()).hexdigest()[:32]
