"""A replica of a cluster on the scripted engine, made in a process of Ray's."""

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livemind_app.config import Settings
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.protocol import Request
from livemind_app.serve import assemble

TOKEN_S = 0.05  # slow enough to be killed in the middle of an answer
PROCESS = "x-process"
CLIENT = "x-client"


async def open_scripted(settings: Settings, gate: Path | None) -> tuple[FastAPI, Callable[[], None]]:
    """With a gate no answer goes on until that file is there."""

    def step(request: Request) -> None:
        while gate and not gate.exists() and not request.cancel.cancelled:
            time.sleep(0.01)

    engine = ScriptedEngine(token_s=TOKEN_S, step=step)
    app = await assemble(settings, engine)
    app.add_middleware(Named)
    return app, engine.close


class Named:
    """Says in every answer which process gave it, so that a test knows which one to kill, and to whom."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[PROCESS], headers[CLIENT] = str(os.getpid()), str(scope["client"][0])
            await send(message)

        await self.app(scope, receive, named)


def main() -> None:
    """A cluster: `python -m tests.load.replica PORT`."""
    from livemind_app.serving import cluster
    from tests.load.replica import open_scripted  # by its name, not as a part of __main__

    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--replicas", default="2")
    parser.add_argument("--max-sessions", type=int)
    parser.add_argument("--max-answers", type=int)
    parser.add_argument("--drain-s", type=float, default=5)
    parser.add_argument("--gate", type=Path)
    parser.add_argument("--crowded", action="store_true", help="few requests at a time, and few that wait")
    args = vars(parser.parse_args())
    gate, crowded = args.pop("gate"), args.pop("crowded")
    if crowded:
        cluster.BESIDES = cluster.QUEUED = 2
    settings = Settings(place_header=cluster.PLACE_HEADER, **args)
    cluster.run(settings, partial(open_scripted, settings, gate))


if __name__ == "__main__":
    main()
