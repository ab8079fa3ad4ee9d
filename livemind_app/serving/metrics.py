"""What the server does, counted for Prometheus: numbers only, nothing of what anybody typed.

Fed with the sessions' own events, so a figure here is the one that the page shows.
"""

from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from livemind_app.protocol import Priority, Usage
from livemind_app.serving.history import History
from livemind_app.session.events import Event, Failure, Lane, Metrics, Turn
from livemind_app.session.manager import SessionManager
from livemind_app.session.state import FINAL

SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 2, 5, 10, 20, 40, 80, 160)
QUICK = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5)
SHARES = (-1, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 0.9, 0.97, 1)
CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"


class ServerMetrics:
    """One server's; `see` is called with every event of every session."""

    def __init__(self, manager: SessionManager, history: History | None = None) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(EngineCollector(manager))
        if history:
            self._registry.register(HistoryCollector(history))
        admission = manager.admission
        self._gauge("livemind_sessions", "Sessions that are open").set_function(lambda: len(manager))
        self._gauge("livemind_answers", "Answers that users wait for").set_function(lambda: admission.answers)
        self._gauge("livemind_shedding", "1 while nothing is computed ahead, for load").set_function(
            lambda: admission.shedding
        )
        self._requests = self._counter("livemind_requests", "HTTP requests", "method", "route", "status")
        self._seconds = Histogram(
            *("livemind_request_seconds", "HTTP requests, streams apart"),
            labelnames=("method", "route"),
            registry=self._registry,
            buckets=QUICK,
        )
        self._turns = self._counter("livemind_turns", "Prompts submitted")
        self._lanes = self._counter("livemind_lanes", "Answers by how they ended", "lane", "status")
        self._failures = self._counter("livemind_failures", "What failed after it was accepted", "code")
        self._tokens = self._counter(
            "livemind_tokens",
            "Generated: in answers, before a submit, thrown away",
            "lane",
            "use",
        )
        self._thinking = self._counter("livemind_thinking_seconds", "Computed before a submit", "lane")
        self._ttft = self._histogram("livemind_ttft_seconds", "Submit to first token", SECONDS)
        self._latency = self._histogram("livemind_latency_seconds", "Submit to last token", SECONDS)
        self._overhead = self._histogram("livemind_overhead_seconds", "Submit waiting for others", SECONDS)
        self._reduction = self._histogram(
            "livemind_reduction", "1 - latency / latency of the conventional lane", SHARES
        )

    def see(self, event: Event) -> None:
        match event:
            case Turn(done=False):
                self._turns.inc()
            case Failure():
                self._failures.labels(event.code).inc()
            case Lane(metrics=Metrics(reduction=float() as reduction)):  # a finished lane, told again
                self._reduction.labels(event.lane).observe(reduction)
            case Lane() if event.status in FINAL:
                if event.status != "stopped" or not event.metrics:  # its figures are told after the stop
                    self._lanes.labels(event.lane, event.status).inc()
                if event.metrics:
                    self._measured(event.lane, event.metrics)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request ended."""
        self._requests.labels(method, route, status).inc()
        if not route.endswith("/events"):
            self._seconds.labels(method, route).observe(seconds)

    async def respond(self, request: Request) -> Response:
        """All of it, in Prometheus' text format."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE)

    def _measured(self, lane: str, metrics: Metrics) -> None:
        self._tokens.labels(lane, "answer").inc(metrics.tokens)
        self._tokens.labels(lane, "before").inc(metrics.thinking_tokens)
        self._tokens.labels(lane, "wasted").inc(metrics.wasted_tokens)
        self._thinking.labels(lane).inc(metrics.thinking_s)
        self._latency.labels(lane).observe(metrics.latency)
        self._overhead.labels(lane).observe(metrics.overhead_s)
        if metrics.ttft is not None:
            self._ttft.labels(lane).observe(metrics.ttft)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, ("lane",), registry=self._registry, buckets=buckets)


class EngineCollector(Collector):
    """What the engine has to do and holds, asked for when somebody reads it."""

    def __init__(self, manager: SessionManager) -> None:
        self._engines = list(manager.engines.values())

    def collect(self) -> Iterator[Metric]:
        usage = sum((engine.usage() for engine in self._engines), Usage())
        queue = GaugeMetricFamily("livemind_queue", "Generations that have not ended", labels=["priority"])
        for priority in Priority:
            queue.add_metric([priority.name.lower()], usage.queued.get(priority, 0))
        yield queue
        yield GaugeMetricFamily("livemind_cache_bytes", "KV caches at rest", usage.cache_bytes)
        yield CounterMetricFamily("livemind_cache_evictions", "Caches that had to go", usage.evictions)


class HistoryCollector(Collector):
    """What the run history could not keep up with."""

    def __init__(self, history: History) -> None:
        self._history = history

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "livemind_history_dropped", "Turns that are not in the run history", self._history.dropped
        )
