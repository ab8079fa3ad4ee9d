"""An engine behind a fake server, and what tests ask of it."""

import asyncio
import time
from collections.abc import Callable

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.engine.split import OwnedEngine
from livemind_app.protocol import Chunk, Finished, Priority, Request

ROOT = "smollm2-135m"


class Echo(ScriptedEngine):
    """Says ids 100, 101, … as many as it is asked for."""

    async def stream(self, request: Request):  # type: ignore[no-untyped-def, override]
        for index in range(request.max_tokens):
            yield Chunk((100 + index,), f"{index} ")
            await asyncio.sleep(0)
        yield Finished("length", prompt_tokens=len(request.ids), tokens=request.max_tokens)


REQUEST = Request((1, 2, 3), "llm", 8, session="secret token", cache_key="live", priority=Priority.NOTE)


def said(engine: OwnedEngine, request: Request = REQUEST) -> tuple[int, ...]:
    return tuple(i for output in engine.generate(request) if isinstance(output, Chunk) for i in output.ids)


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()
