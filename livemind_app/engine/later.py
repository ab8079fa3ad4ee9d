"""Models that are loaded when somebody chooses them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from typing import Literal, TypeVar

from livemind_app.engine.local import STILL_LOADING, LocalEngine, Models
from livemind_app.engine.split import BEHIND_SERVERS, OwnedEngine
from livemind_app.errors import Coded, EngineError, LiveMindError
from livemind_app.protocol import Ability, ModelStatus, Output, Request, Role, Tokenizer, Usage

T = TypeVar("T")
AGAIN_S = 30.0  # after a failure, before whoever waits for these models has them tried again


class LaterEngine:
    """Implements OwnedEngine. It is opened when somebody first waits for it, and lives on one event loop.

    `names` are those of the models that `open` will load, `remote` the roles of those that a server computes;
    `short` says what this machine has too little of for the others, or nothing.
    """

    def __init__(
        self,
        names: Mapping[Role, str],
        open: Callable[[], OwnedEngine],
        short: Callable[[], str] = lambda: "",
        remote: Collection[Role] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names = names
        self._open = open
        self._short = short
        self._remote = remote
        self._clock = clock
        self._engine: OwnedEngine | None = None
        self._failed: tuple[float, LiveMindError] | None = None

    async def ready(self) -> None:
        """Raises, as every engine, where there will be no models; asked again later it tries again."""
        if error := self._newly_failed:
            raise error
        self._begin()
        engine = self._opened
        try:
            await engine.ready()
        except LiveMindError as error:
            self._fail(engine, error)
            raise

    def wait(self) -> None:
        self._begin()
        self._opened.wait()

    def status(self) -> tuple[ModelStatus, ...]:
        if self._engine:
            return self._engine.status()
        error = self._newly_failed
        detail = error.coded if error else self._shortage()
        state: Literal["failed", "missing"] = "failed" if detail else "missing"
        return tuple(ModelStatus(role, name, state, detail=detail) for role, name in self._names.items())

    def usage(self) -> Usage:
        return self._engine.usage() if self._engine else Usage()

    def cannot(self, ability: Ability, role: Role) -> str | None:
        if self._engine:
            return self._engine.cannot(ability, role)
        if ability in ("draft", "lookahead"):
            return BEHIND_SERVERS[ability] if role in self._remote else None
        return STILL_LOADING

    def tokenizer(self, role: Role) -> Tokenizer:
        return self._opened.tokenizer(role)

    def stream(self, request: Request) -> AsyncGenerator[Output, None]:
        return self._opened.stream(request)

    def generate(self, request: Request) -> Iterator[Output]:
        return self._opened.generate(request)

    def compute(self, work: Callable[[Models], T]) -> Future[T]:
        """As LocalEngine.compute, where that is what was opened."""
        if not isinstance(self._engine, LocalEngine):
            raise EngineError("these models are not loaded here")
        return self._engine.compute(work)

    def forget(self, session: str) -> None:
        if self._engine:
            self._engine.forget(session)

    def close(self) -> None:
        if self._engine:
            self._engine.close()

    @property
    def _opened(self) -> OwnedEngine:
        if self._engine is None:
            raise EngineError("these models are not loaded; wait for ready() first")
        return self._engine

    @property
    def _newly_failed(self) -> LiveMindError | None:
        at, error = self._failed or (0.0, None)
        return error if self._clock() < at + AGAIN_S else None

    def _begin(self) -> None:
        if self._engine is None:
            if short := self._shortage():
                raise EngineError(short)
            self._engine, self._failed = self._open(), None

    def _shortage(self) -> str:
        short = self._short()
        return Coded("too_large", short) if short else ""

    def _fail(self, engine: OwnedEngine, error: LiveMindError) -> None:
        """Once for all who wait; what is left of it has nothing to do any more."""
        if self._engine is engine:
            self._engine, self._failed = None, (self._clock(), error)
            asyncio.get_running_loop().run_in_executor(None, engine.close)
