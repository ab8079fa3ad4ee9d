"""What an answer cost, and what was ready of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from livemind_app.protocol import Compression, Finished
from livemind_app.session.events import LaneStatus, Metrics
from livemind_app.session.lanes import LaneName
from livemind_app.session.options import Options
from livemind_app.session.speculated import Speculated
from livemind_app.session.state import LaneState, Preparation, Spent, TurnState


@dataclass
class Stopwatch:
    """When a lane was submitted, and its first and last token; seconds of the session's clock."""

    start: float
    first: float | None = None
    last: float | None = None

    def token(self, now: float) -> None:
        self.first = self.first if self.first is not None else now
        self.last = now

    @property
    def ttft(self) -> float | None:
        return None if self.first is None else self.first - self.start


def measured(
    options: Options,
    name: LaneName,
    turn: TurnState,
    watch: Stopwatch,
    ready: Speculated,
    finished: Finished,
    now: float,
    used: Compression | None,
) -> Metrics:
    """`finished` is about what was computed after the submit only; `ready` is what was there at it."""
    last = watch.last if watch.last is not None else now
    notes = turn.spent if options.method(name) == "notes" else Spent()
    tried = turn.prepared.get(name, Preparation())
    ready_tokens = len(ready.said) + finished.kept
    return Metrics(
        ttft=watch.ttft,
        latency=last - watch.start,
        tokens=len(ready.said) + finished.tokens,
        tokens_per_s=_speed(finished),
        prompt_tokens=len(ready.ids),
        prefilled_after_submit=0 if ready.finished else finished.prefilled_tokens,
        ready_tokens=ready_tokens,
        kept_tokens=ready.kept + finished.kept,
        thinking_s=notes.seconds + tried.seconds,
        thinking_tokens=notes.tokens + tried.tokens,
        wasted_tokens=notes.wasted + max(0, tried.tokens - ready_tokens),
        forwards=ready.forwards + finished.forwards,
        drafted_tokens=finished.drafted,
        overhead_s=finished.waited_s,
        positions=finished.positions,
        kv_bytes=finished.kv_bytes,
        compression=used,
    )


def _speed(finished: Finished) -> float:
    """Tokens written a second."""
    return (finished.tokens - finished.kept) / finished.decode_s if finished.decode_s > 0 else 0.0


def status_of(finished: Finished) -> LaneStatus:
    if finished.reason == "cancelled":
        return "stopped"
    return "interrupted" if finished.interrupted else "done"


def compared(lanes: Mapping[LaneName, LaneState]) -> dict[LaneName, Metrics]:
    """What is new to tell of finished lanes: how much sooner than conventional they were."""
    done = {name: lane.metrics for name, lane in lanes.items() if lane.status == "done" and lane.metrics}
    baseline = done.pop("conventional", None)
    if not (baseline and baseline.latency):
        return {}
    told = {name: replace(own, reduction=1 - own.latency / baseline.latency) for name, own in done.items()}
    return {name: metrics for name, metrics in told.items() if metrics != done[name]}
