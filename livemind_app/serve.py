"""Composition: settings → engine → sessions → HTTP API → page → server."""

import asyncio
import gc
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before Gradio is imported

import gradio as gr
from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from livemind_app.benchmark.typing.own_prompts import OwnPrompts
from livemind_app.benchmark.typing.own_prompts_routes import own_prompts_router
from livemind_app.config import Settings
from livemind_app.engine.local import LocalEngine
from livemind_app.loading import open_engine
from livemind_app.protocol import Engine
from livemind_app.sentence_vae.inspector import Inspector
from livemind_app.serving import logs
from livemind_app.serving.access import Access
from livemind_app.serving.app import create_api
from livemind_app.serving.history import History, open_history
from livemind_app.serving.inspector_routes import inspector_router
from livemind_app.serving.server import Server, listen
from livemind_app.session.limits import Limits
from livemind_app.session.manager import SessionManager
from livemind_app.ui.page import build_page, mount_options


def serve(settings: Settings) -> None:
    """Serve until a signal says stop. The page is up at once; models load behind it."""
    logs.configure(settings.log)
    with listen(settings.host, settings.port) as listening:
        engine = open_engine(settings)
        try:
            app = create_app(settings, engine, open_history(settings.history, texts=settings.history_texts))
            gc.freeze()
            gc.enable()
            Server(app, listening, drain=app.state.drain, end_streams=app.state.end_streams).run()
        finally:
            engine.close()


def create_app(settings: Settings, engine: Engine, history: History | None = None) -> FastAPI:
    """The page at `/`, the API at `/api`, files of the page at `/static`."""
    manager = SessionManager(engine, Limits(**settings.limits))
    access = Access(settings.rate, settings.allow_origin, settings.framed_by, settings.password)
    own = OwnPrompts(engine, settings)
    others = [own_prompts_router(own), *_inspector(engine, settings)]
    app = create_api(manager, engine.status, access=access, history=history, others=others)
    # Gradio's page asks for its own fonts and pictures under /static too.
    files = FreshFiles(directory=static_folder(), packages=[("gradio", "templates/frontend/static")])
    app.mount("/static", files)
    page = asyncio.run(_mount_page(app, manager))

    async def drain() -> None:
        await manager.drain(settings.drain_s)

    async def end_streams() -> None:
        page.stop_event.set()  # Gradio keeps a heartbeat open for every page
        await own.close()
        await manager.close()

    app.state.drain = drain
    app.state.end_streams = end_streams
    return app


def _inspector(engine: Engine, settings: Settings) -> list[APIRouter]:
    """Where models are computed on here."""
    if not isinstance(engine, LocalEngine):
        return []
    return [inspector_router(Inspector(engine, settings.sentence_vae))]


async def _mount_page(app: FastAPI, manager: SessionManager) -> gr.routes.App:
    """A coroutine because Gradio, off a running loop, makes loops of its own and never closes them."""
    options = {"path": "/", "ssr_mode": False, "run_history": False, **mount_options()}
    gr.mount_gradio_app(app, build_page(manager), **options)
    apps = (route.app for route in app.routes if isinstance(route, Mount))
    return next(mounted for mounted in apps if isinstance(mounted, gr.routes.App))


class FreshFiles(StaticFiles):
    """Asked for again at every load, so that an upgrade never mixes old scripts with new ones."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def static_folder() -> Path:
    """In a wheel static/ lies inside the package, in a checkout beside it."""
    package = Path(__file__).parent
    inside, beside = package / "static", package.parent / "static"
    return inside if inside.is_dir() else beside
