"""A server from outside: until its model can be used, and what it tells of itself as long as it can."""

import asyncio
import logging
from concurrent.futures import Future

from livemind_app.engine.remote.address import Address
from livemind_app.engine.remote.breaker import Breaker
from livemind_app.engine.remote.client import Client
from livemind_app.engine.remote.completion import Served
from livemind_app.engine.remote.connect import ask
from livemind_app.engine.remote.speculative import Speculation, read_speculation
from livemind_app.errors import Coded, EngineError, LiveMindError, ServerFailed
from livemind_app.protocol import ModelStatus, Role

log = logging.getLogger(__name__)

UNNAMED = "a model on a server"  # until that has said its name
WAITS_S = (0.2, 0.5, 1.0, 2.0)  # between attempts to reach a server that is not up yet
REREAD_S = 60.0  # between looks at what a server tells about itself


class Server:
    """Runs on the engine's event loop; `served`, `wait` and `status` may be called from any other."""

    def __init__(self, client: Client, address: Address, breaker: Breaker) -> None:
        self._client = client
        self._address = address
        self._breaker = breaker
        self._served: Future[Served] = Future()
        self._detail = ""
        self.speculation: Speculation | None = None

    async def served(self) -> Served:
        """Its model, once it can be used. Raises what kept it from that."""
        return await asyncio.shield(asyncio.wrap_future(self._served))

    def wait(self) -> Served:
        return self._served.result()

    def status(self, role: Role) -> ModelStatus:
        """Whoever asks for it need not know where the server is; logs tell that."""
        name = self._address.model or UNNAMED
        if not self._served.done():
            return ModelStatus(role, name, "loading", detail=self._detail)
        if error := self._served.exception():
            assert isinstance(error, LiveMindError)  # nothing else is set below
            return ModelStatus(role, name, "failed", detail=self._hidden(error))
        if self._breaker.open:
            return ModelStatus(role, name, "failed", detail=Coded("no_answer", "the server does not answer"))
        return ModelStatus(role, self._served.result().name, "ready", detail=str(self.speculation or ""))

    async def watch(self) -> None:
        """As long as it can be used: it may be started anew with other options."""
        await self._connect()
        while not self._served.exception():
            await asyncio.sleep(REREAD_S)
            await self._look()

    async def _connect(self) -> None:
        """Until the server is there: it may be loading for minutes."""
        attempt = 0
        while not self._served.done():
            try:
                served = await ask(self._client, self._address)
                await self._look()
                self._served.set_result(served)
            except ServerFailed as error:
                self._tell(error)
                await asyncio.sleep(WAITS_S[min(attempt, len(WAITS_S) - 1)])
                attempt += 1
            except LiveMindError as error:
                self._give_up(error)
            except Exception as error:
                reason = f"{self._address.base} cannot be used ({type(error).__name__}: {error})"
                self._give_up(EngineError(reason))

    async def _look(self) -> None:
        self.speculation = read_speculation(await self._client.metrics())

    def _tell(self, error: LiveMindError) -> None:
        """Why it is not there yet: once for each reason, since it is asked again and again."""
        if (detail := self._hidden(error)) != self._detail:
            log.warning("waiting for a model: %s", error)
            self._detail = detail

    def _give_up(self, error: LiveMindError) -> None:
        log.error("no model: %s", error)
        self._served.set_exception(error)

    def _hidden(self, error: LiveMindError) -> Coded:
        return Coded(error.code, self._address.hidden(str(error)))
