"""Composition: settings → engine → sessions → HTTP API → page → server."""

import asyncio
import gc
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import ceil
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
from livemind_app.engine.later import LaterEngine
from livemind_app.engine.local import LocalEngine
from livemind_app.errors import ConfigError
from livemind_app.loading import open_offer
from livemind_app.protocol import Engine
from livemind_app.sentence_vae.inspector import Inspector
from livemind_app.serving import logs
from livemind_app.serving.access import Access
from livemind_app.serving.addresses import TrustedProxies
from livemind_app.serving.app import create_api
from livemind_app.serving.connections import ConnectionLimits
from livemind_app.serving.first_paint import FirstPaint
from livemind_app.serving.history import History, open_history
from livemind_app.serving.inspector_routes import inspector_router
from livemind_app.serving.page_routes import PageRoutes
from livemind_app.serving.server import Server, listen
from livemind_app.session.limits import Limits
from livemind_app.session.manager import SessionManager
from livemind_app.session.requests import defaults_for
from livemind_app.ui.login import SpaceUsers
from livemind_app.ui.page import build_page, mount_options

Engines = Engine | Mapping[str, Engine]  # several by the names that users choose by
LOOPBACK = ("127.0.0.1", "::1", "localhost")
A_BROWSER = 8  # connections: the two streams of a page, and what it asks beside them
ADDRESSES = 4  # that all connections suffice for, whatever each of them does
OTHERS = 100  # and for programs, load balancers and who does not get a session


def serve(settings: Settings) -> None:
    """Serve until a signal says stop. The page is up at once; models load behind it."""
    logs.configure(settings.log)
    with listen(settings.host, settings.port) as listening:
        offer = open_offer(settings)
        try:
            history = open_history(settings.history, texts=settings.history_texts)
            app = create_app(settings, offer.engines, history)
            gc.freeze()
            gc.enable()
            Server(
                app,
                listening,
                drain=app.state.drain,
                end_streams=app.state.end_streams,
                connections=_connections(settings),
            ).run()
        finally:
            offer.close()


def _limits(settings: Settings) -> Limits:
    limits = Limits(**settings.limits)
    return limits if settings.rate else replace(limits, new_sessions=None, submits=None)


def _connections(settings: Settings) -> ConnectionLimits:
    return ConnectionLimits(
        _most_connections(settings), _per_address(settings), TrustedProxies(settings.proxies)
    )


def _most_connections(settings: Settings) -> int:
    sessions = settings.max_sessions or Limits().max_sessions
    return settings.max_connections or A_BROWSER * sessions + OTHERS


def _per_address(settings: Settings) -> int:
    given = settings.connections_per_address
    return ceil(_most_connections(settings) / ADDRESSES) if given is None else given


def serve_cluster(settings: Settings) -> None:
    """Serve from several processes, on one machine or more, until a signal says stop."""
    try:
        from livemind_app.serving import cluster
    except ModuleNotFoundError as error:
        raise ConfigError(f"{error.name} is missing; a cluster needs livemind-app[cluster]") from None
    settings = replace(settings, place_header=cluster.PLACE_HEADER)
    cluster.run(settings, partial(open_replica, settings))


async def open_replica(settings: Settings) -> tuple[FastAPI, Callable[[], None]]:
    """One of several servers, and what closes its engine. A history has to be named: all write to it."""
    logs.configure(settings.log)
    offer = open_offer(settings)
    history = open_history(settings.history or "off", texts=settings.history_texts)
    return await assemble(settings, offer.engines, history), offer.close


def create_app(settings: Settings, engines: Engines, history: History | None = None) -> FastAPI:
    """The page at `/`, the API at `/api`, files of the page at `/static`."""
    # A loop because Gradio, off a running one, makes loops of its own and never closes them.
    return asyncio.run(assemble(settings, engines, history))


async def assemble(settings: Settings, engines: Engines, history: History | None = None) -> FastAPI:
    """`create_app`, on a running loop."""
    own = next(iter(engines.values())) if isinstance(engines, Mapping) else engines
    manager = SessionManager(engines, _limits(settings), defaults_for(own, settings.mode))
    users = SpaceUsers() if settings.login else None
    access = Access(
        at_once=_per_address(settings),
        rate=settings.rate,
        origins=settings.allow_origin,
        framed_by=settings.framed_by,
        password=settings.password,
        proxies=settings.proxies,
        user=users,
    )
    prompts, place = OwnPrompts(manager, settings), settings.place_header
    # With several servers none of them would know of the run that another one has begun.
    benchmark = [] if place else [own_prompts_router(prompts)]
    others = [*benchmark, *_inspectors(manager, settings)]
    app = create_api(manager, access=access, history=history, others=others, place_header=place)
    # Gradio's page asks for its own fonts and pictures under /static too.
    files = FreshFiles(directory=static_folder(), packages=[("gradio", "templates/frontend/static")])
    app.mount("/static", files)
    read = history is not None and (settings.password is not None or settings.host in LOOPBACK)
    parts = {"endpoints": not place and not users, "login": bool(users), "history": read}
    page = _mount_page(app, manager, parts)
    if users:
        users.follow(page)

    async def drain() -> None:
        await manager.drain(settings.drain_s)

    async def end_streams() -> None:
        await prompts.close()
        await manager.close()

    app.state.drain = drain
    app.state.end_streams = end_streams
    return app


def _inspectors(manager: SessionManager, settings: Settings) -> list[APIRouter]:
    """Where models are computed on here."""
    inspectors = {
        name: Inspector(engine, settings.sentence_vae)
        for name, engine in manager.engines.items()
        if isinstance(engine, LocalEngine | LaterEngine)
    }
    return [inspector_router(inspectors)] if inspectors else []


def _mount_page(app: FastAPI, manager: SessionManager, parts: dict[str, bool]) -> gr.routes.App:
    options = mount_options(endpoints=parts["endpoints"])
    gr.mount_gradio_app(app, build_page(manager, **parts), "/", ssr_mode=False, run_history=False, **options)
    apps = (route.app for route in app.routes if isinstance(route, Mount))
    page = next(mounted for mounted in apps if isinstance(mounted, gr.routes.App))
    page.add_middleware(PageRoutes, endpoints=parts["endpoints"], login=parts["login"])
    page.add_middleware(FirstPaint, first=(static_folder() / "first_paint.html").read_bytes())
    return page


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
