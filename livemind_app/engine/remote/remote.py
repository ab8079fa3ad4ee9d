"""Implements protocol.Engine on a model that an OpenAI-compatible server computes.

The server owns weights, caches and scheduling. What it shares between requests is its prefix cache: prompts
go as token ids, and each user's are salted apart.
"""

import asyncio
import hashlib
import logging
import secrets
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, nullcontext, suppress
from time import perf_counter

from livemind_app.engine.chat import ChatTokenizer
from livemind_app.engine.remote.address import Address
from livemind_app.engine.remote.breaker import Breaker
from livemind_app.engine.remote.client import Client
from livemind_app.engine.remote.completion import Completion
from livemind_app.engine.remote.limits import USUAL, RemoteLimits
from livemind_app.engine.remote.server import Server
from livemind_app.engine.scheduler import Sink
from livemind_app.engine.split import NO_LOOKAHEAD, NO_ODDS, NO_ROWS, NO_STATES
from livemind_app.engine.streams import aiterate, iterate
from livemind_app.errors import (
    EngineError,
    GenerationFailed,
    ModelError,
    ServerBusy,
    ServerFailed,
)
from livemind_app.protocol import Ability, Finished, ModelStatus, Output, Priority, Request, Role, Usage

log = logging.getLogger(__name__)

AFFINITY = "X-Session-Id"  # by which routers keep a session with one replica
AHEAD = (Priority.NOTE, Priority.SPECULATION)  # what nobody waits for


class RemoteEngine:
    """Its event loop has a thread of its own, so callers may have another loop, or none."""

    def __init__(
        self,
        address: Address,
        roles: Sequence[Role],
        *,
        key: str = "",
        affinity: str = AFFINITY,
        limits: RemoteLimits = USUAL,
    ) -> None:
        self._address = address
        self._roles = roles
        self._affinity = affinity
        self._breaker = Breaker()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="livemind-remote", daemon=True)
        self._thread.start()
        self._client = Client(address.base, key, limits)
        self._ahead = asyncio.Semaphore(limits.speculations)
        self._server = Server(self._client, address, self._breaker)
        self._tasks: dict[asyncio.Task[None], Priority] = {}
        asyncio.run_coroutine_threadsafe(self._server.watch(), self._loop)

    async def ready(self) -> None:
        await self._server.served()

    def wait(self) -> None:
        self._server.wait()

    def status(self) -> tuple[ModelStatus, ...]:
        return tuple(self._server.status(role) for role in self._roles)

    def usage(self) -> Usage:
        return Usage(Counter(priority for priority in list(self._tasks.values())))

    def cannot(self, ability: Ability, role: Role) -> str | None:
        if ability == "lookahead":
            own = self._server.speculation
            return f"{NO_LOOKAHEAD} ({own})" if own else NO_LOOKAHEAD
        return {"guide": NO_STATES, "draft": NO_ODDS}.get(ability, NO_ROWS)

    def tokenizer(self, role: Role) -> ChatTokenizer:
        return self._server.wait().tokenizer

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

    async def _close(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.close()

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
        served = await self._server.served()
        came = perf_counter()
        async with self._ahead if request.priority in AHEAD else nullcontext():
            completion = Completion(self._client, served, request, perf_counter() - came)
            await self._send(completion, request, sink)

    async def _send(self, completion: Completion, request: Request, sink: Sink) -> None:
        number = self._breaker.admit()
        if number is None:
            raise ServerFailed(f"{self._address.base} does not answer; it is asked again in a moment")
        try:
            await self._complete(completion, request, sink)
        except ServerBusy:
            self._breaker.answered()
            raise
        except ServerFailed as error:
            log.warning("%s", error)
            self._breaker.failed(number)
            raise

    async def _complete(self, completion: Completion, request: Request, sink: Sink) -> None:
        headers = {self._affinity: _hash(request.session)}
        begun = False
        try:
            async with aclosing(completion.outputs(headers, _salt(request))) as outputs:
                async for output in outputs:
                    if not begun:
                        self._breaker.answered()
                    begun = True
                    sink(output)
        except asyncio.CancelledError:
            sink(completion.finished("cancelled"))
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
