"""The app on several processes and machines: replicas on Ray Serve, a session always on the same one.

A session's token begins with the id of the request that created it (`place_header`), and every request is
placed by that id: the one that creates by its own, later ones by the token in their path. So a session is
where its requests go, and no replica has to know of another. When replicas come or go, some of the sessions
are looked for where they are not; their pages make new ones from the texts that they hold.
"""

import asyncio
import os
import pickle
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before Ray is imported

import ray
from fastapi import FastAPI
from ray import serve
from ray.exceptions import TaskCancelledError
from ray.serve.experimental.consistent_hash_router import ConsistentHashRouter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livemind_app.config import Settings
from livemind_app.session.limits import Limits
from livemind_app.session.manager import place_of

PLACE_HEADER = "X-Request-ID"  # Ray gives one to every request that has none
BESIDES = 100  # requests a replica answers at a time beside the streams
QUEUED = 200  # requests that wait for a replica; beyond them 429
RETRY_AFTER_S = 3
SIGNALS = (signal.SIGINT, signal.SIGTERM)
END_S = 5  # for streams to end, beyond what answers get
FULL = 0.75  # of the sessions a replica takes, at which another one is begun
QUIET = {"enable_access_log": False, "log_level": "WARNING"}  # paths hold tokens

Close = Callable[[], None]
Build = Callable[[], Awaitable[tuple[FastAPI, Close]]]  # an app, and what closes the engine behind it


def run(settings: Settings, build: Build) -> None:
    """Serve until a signal says stop, then give running answers `drain_s` seconds; less at a second one."""
    with cluster(settings, build) as replicas:
        print(f"LiveMind is at {_address(settings)}, on {_told(settings.replicas)}", flush=True)
        _wait_for_signal()
        asyncio.run(_drain(replicas, settings.drain_s))


async def _drain(replicas: Any, seconds: float) -> None:
    """Let answers be finished while the proxies still reach the replicas, but not beyond a second signal.

    Then end the streams: Ray would wait for them as for any request, and they never end by themselves.
    """
    hurry = asyncio.Event()
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, hurry.set)
    drained = asyncio.ensure_future(_all(replicas, "drain", seconds + END_S))
    hurried = asyncio.ensure_future(hurry.wait())
    await asyncio.wait({drained, hurried}, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    await _all(replicas, "end", END_S)
    await asyncio.wait({drained}, timeout=END_S)


async def _all(replicas: Any, method: str, seconds: float) -> None:
    """Call this method of every replica; one that was lost meanwhile is no failure."""
    with suppress(TimeoutError):
        await replicas.broadcast(method).results_async(timeout_s=seconds, return_exceptions=True)


@contextmanager
def cluster(settings: Settings, build: Build) -> Iterator[Any]:
    """Ray's handle of the replicas: on the cluster that `settings.ray` names, or on this machine alone."""
    own = settings.ray is None
    ray.init(
        address=settings.ray,
        include_dashboard=False if own else None,
        num_cpus=max(settings.replicas[1], os.cpu_count() or 1) if own else None,
        logging_level="WARNING",
    )
    try:
        serve.start(
            proxy_location="EveryNode",
            http_options={"host": settings.host, "port": settings.port},
            logging_config=QUIET,
        )
        yield serve.run(application(settings, build), name="livemind", logging_config=QUIET)
    finally:
        serve.shutdown()
        ray.shutdown()


def application(settings: Settings, build: Build) -> Any:
    """The app as a deployment; scaled by the pages that are open."""
    sessions = settings.max_sessions or Limits().max_sessions
    low, high = settings.replicas
    deployment = serve.deployment(serve.ingress()(Replica)).options(
        name="livemind",
        autoscaling_config={
            "min_replicas": low,
            "max_replicas": high,
            "target_ongoing_requests": FULL * sessions,  # an open page keeps one, its stream of events
        },
        max_ongoing_requests=sessions + BESIDES,
        max_queued_requests=QUEUED,
        backpressure_config={"status_code": 429, "retry_after_s": RETRY_AFTER_S},
        graceful_shutdown_timeout_s=settings.drain_s,
        health_check_period_s=2,
        health_check_timeout_s=10,
        request_router_config={"request_router_class": f"{__name__}:Placed"},
        ray_actor_options={"num_cpus": 1},  # one process, one event loop
    )
    return deployment.bind(build)


class Replica:
    """One process of the app."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._close: Close | None = None
        self._draining: asyncio.Future[None] | None = None

    async def __serve_build_asgi_app__(self) -> FastAPI:
        self._app, self._close = await self._build()
        self._app.add_middleware(Disconnects)
        return self._app

    async def drain(self) -> None:
        """Finish the running answers, and take nothing new."""
        self._draining = asyncio.ensure_future(self._app.state.drain())
        await asyncio.wait({self._draining})

    async def end(self) -> None:
        """End the streams, and what is still answered."""
        if self._draining:
            self._draining.cancel()
        await self._app.state.end_streams()

    def __del__(self) -> None:
        if self._close:
            self._close()


class Disconnects:
    """Tells the app that a client went, as ASGI has it; Ray raises where it waits for a message."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told() -> Message:
            try:
                return await receive()
            except TaskCancelledError:
                return {"type": "http.disconnect"}

        await self.app(scope, told, send)


class Placed(ConsistentHashRouter):  # type: ignore[misc]
    """Hashes what a session's token begins with; a request that has no session goes by its own id."""

    def initialize_state(self, **kwargs: Any) -> None:
        # A session is on one replica only: another one, tried when that is busy, would not know it.
        super().initialize_state(num_fallback_replicas=0, **kwargs)

    async def choose_replicas(self, candidate_replicas: Any, pending_request: Any = None) -> Any:
        if pending_request is not None:
            metadata = pending_request.metadata
            metadata.session_id = _place(pending_request.args) or metadata.request_id
        return await super().choose_replicas(candidate_replicas, pending_request)


def _place(args: Any) -> str:
    """Of the session that an HTTP request names in its path: `/api/sessions/TOKEN/…`."""
    request = pickle.loads(args[0])  # noqa: S301 - by the proxy, which is this very process
    _, _, rest = request.asgi_scope["path"].partition("/api/sessions/")
    return place_of(rest.partition("/")[0])


def _told(replicas: tuple[int, int]) -> str:
    low, high = replicas
    return f"{low} replicas" if low == high else f"{low} to {high} replicas"


def _address(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _wait_for_signal() -> None:
    stop = threading.Event()
    for number in SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
