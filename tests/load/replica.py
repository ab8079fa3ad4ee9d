"""A replica of a cluster on the scripted engine, made in a process of Ray's."""

import os
import sys
from collections.abc import Callable
from functools import partial

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livemind_app.config import Settings
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.serve import assemble

TOKEN_S = 0.05  # slow enough to be killed in the middle of an answer
PROCESS = "x-process"


async def open_scripted(settings: Settings) -> tuple[FastAPI, Callable[[], None]]:
    engine = ScriptedEngine(token_s=TOKEN_S)
    app = await assemble(settings, engine)
    app.add_middleware(Named)
    return app, engine.close


class Named:
    """Says in every answer which process gave it, so that a test knows which one to kill."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[PROCESS] = str(os.getpid())
            await send(message)

        await self.app(scope, receive, named)


def main() -> None:
    """A cluster of two: `python -m tests.load.replica PORT`."""
    from livemind_app.serving import cluster
    from tests.load.replica import open_scripted  # by its name, not as a part of __main__

    settings = Settings(port=int(sys.argv[1]), place_header=cluster.PLACE_HEADER, drain_s=5)
    cluster.run(settings, partial(open_scripted, settings))


if __name__ == "__main__":
    main()
