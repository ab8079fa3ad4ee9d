"""The in-process engine: torch and transformers, one thread, one model computing at a time."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeVar

from livemind_app.engine.cache import CachePool
from livemind_app.engine.generation import generation
from livemind_app.engine.model import LoadedModel
from livemind_app.engine.scheduler import Generation, Sink, Worker
from livemind_app.engine.streams import aiterate, iterate
from livemind_app.errors import Coded, EngineError, LiveMindError
from livemind_app.protocol import (
    ROLES,
    Ability,
    Cancel,
    Finished,
    ModelStatus,
    Output,
    Priority,
    Request,
    Role,
    Tokenizer,
    Usage,
    needed,
)

STILL_LOADING = Coded("still_loading", "the models are still loading")
CACHE_BYTES = 2 * 2**30
LOOK_S = 0.1
T = TypeVar("T")
Report = Callable[[ModelStatus], None]
Models = Mapping[Role, LoadedModel]
Loader = Callable[[Report], Models]


class Method(Protocol):
    """Generations that are more than one model's token after token."""

    def generation(self, pool: CachePool, request: Request) -> Generation: ...


Abilities = Mapping[tuple[Ability, Role], Method | str]  # or why there is none, and what to do
Enable = Callable[[Models], Abilities]


def plain(models: Models) -> Abilities:
    return {}


class LocalEngine:
    """Implements protocol.Engine.

    `load` runs on a thread of its own, so the engine can be asked for status and accepts requests at
    once; these wait until the models are there, and fail if they cannot be loaded. `enable` is asked on the
    same thread, with what was loaded. Engines beside each other share a `worker`; whoever made it closes it.
    """

    def __init__(
        self,
        load: Loader,
        cache_bytes: int = CACHE_BYTES,
        roles: Sequence[Role] = ROLES,
        enable: Enable = plain,
        worker: Worker | None = None,
    ) -> None:
        self._status: dict[Role, ModelStatus] = {role: ModelStatus(role, "", "missing") for role in roles}
        self._models: Future[Models] = Future()
        self._enable = enable
        self._abilities: Abilities | None = None
        self._pool = CachePool(cache_bytes)
        self._owns_worker = worker is None
        self._worker = worker or Worker()
        self._queued: Counter[Priority] = Counter()
        self._counting = threading.Lock()
        self._closed = False
        self._loader = threading.Thread(target=self._load, args=[load], name="livemind-loader", daemon=True)
        self._loader.start()

    async def ready(self) -> None:
        await asyncio.shield(asyncio.wrap_future(self._models))

    def wait(self) -> None:
        """ready() for callers without an event loop."""
        self._models.result()

    def status(self) -> tuple[ModelStatus, ...]:
        return tuple(self._status.values())

    def usage(self) -> Usage:
        with self._counting:
            return Usage(dict(self._queued), self._pool.held, self._pool.evictions)

    def cannot(self, ability: Ability, role: Role) -> str | None:
        method = None if ability in ("draft", "lookahead") else self._method(ability, role)
        return method if isinstance(method, str) else None

    def tokenizer(self, role: Role) -> Tokenizer:
        return self._models.result()[role].tokenizer

    def stream(self, request: Request) -> AsyncGenerator[Output, None]:
        return aiterate(self._start, request)

    def generate(self, request: Request) -> Iterator[Output]:
        return iterate(self._start, request)

    def forget(self, session: str) -> None:
        """Drop the caches of a session, on the thread that owns them."""
        self._submit(lambda: self._pool.forget(session), lambda output: None, Priority.ANSWER)

    def compute(self, work: Callable[[Models], T]) -> Future[T]:
        """Something else on the models' thread, when nobody waits for an answer; it keeps them all waiting.

        The future fails as `work` does, and with EngineError where there are no models. Cancelled in time, it
        leaves the queue.
        """
        future: Future[T] = Future()
        cancel = Cancel()
        future.add_done_callback(lambda ended: cancel() if ended.cancelled() else None)

        def compute() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work(self._loaded()))
            except Exception as error:
                future.set_exception(error)

        def ended(output: Output | EngineError) -> None:
            if isinstance(output, EngineError) and not future.done():
                future.set_exception(output)

        self._submit(compute, ended, Priority.BASELINE, cancel)
        return future

    def close(self) -> None:
        """A download is left where it is, to go on another time; what reads weights is waited for."""
        self._closed = True
        if self._owns_worker:
            self._worker.close()
        while self._loader.is_alive() and not self._fetching:
            self._loader.join(LOOK_S)

    def _start(self, request: Request, sink: Sink) -> None:
        self._queue(request, self._generation(request), sink)

    def _queue(self, request: Request, generation: Generation, sink: Sink) -> None:
        """For the worker, when the models are loaded or have failed to."""
        counted = self._counted(request.priority, sink)

        def submit(models: Future[Models]) -> None:
            try:
                self._worker.submit(request, generation, counted)
            except EngineError as error:  # it was closed
                counted(error)

        self._models.add_done_callback(submit)

    def _counted(self, priority: Priority, sink: Sink) -> Sink:
        self._count(priority, 1)

        def counted(output: Output | EngineError) -> None:
            if isinstance(output, Finished | EngineError):
                self._count(priority, -1)
            sink(output)

        return counted

    def _count(self, priority: Priority, change: int) -> None:
        with self._counting:
            self._queued[priority] += change

    def _generation(self, request: Request) -> Generation:
        """Begins on the worker's thread, when the models are loaded or have failed to."""
        model = self._loaded()[request.role]
        ability = needed(request)
        if ability is None:
            yield from generation(model, self._pool, request)
            return
        method = self._method(ability, request.role)
        if isinstance(method, str):
            raise EngineError(method)
        yield from method.generation(self._pool, request)

    def _method(self, ability: Ability, role: Role) -> Method | str:
        if self._abilities is None:
            return STILL_LOADING
        return self._abilities.get((ability, role), "this engine was made without it")

    def _loaded(self) -> Models:
        """To be called on the worker's thread."""
        try:
            return self._models.result(timeout=0)
        except LiveMindError as error:
            raise EngineError(f"no model: {error}") from error

    def _submit(
        self, work: Callable[[], None], sink: Sink, priority: Priority, cancel: Cancel | None = None
    ) -> None:
        def generation() -> Generation:
            work()
            yield Finished("length")

        request = Request((), "llm", 0, priority=priority, cancel=cancel or Cancel())
        self._queue(request, generation(), sink)

    def _load(self, load: Loader) -> None:
        try:
            models = load(self._report)
            self._abilities = self._enable(models)
            self._models.set_result(models)
        except LiveMindError as error:
            self._fail(error)
        except Exception as error:
            self._fail(EngineError(f"loading failed ({type(error).__name__}: {error})"))

    def _fail(self, error: LiveMindError) -> None:
        """All roles: where one has no model the other is not used either."""
        for role, status in self._status.items():
            self._status[role] = ModelStatus(role, status.name, "failed", detail=error.coded)
        self._models.set_exception(error)

    @property
    def _fetching(self) -> bool:
        return any(status.state == "fetching" for status in self._status.values())

    def _report(self, status: ModelStatus) -> None:
        """Called before every stage, so nothing more is loaded for an engine that was closed."""
        if self._closed and threading.current_thread() is self._loader:
            raise EngineError("the engine was closed while it was loading")
        self._status[status.role] = status
