"""The ways of answering that are compared. Each is a lane of the app's own session and its options."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from livemind_app.errors import ConfigError
from livemind_app.protocol import Engine, Priority, Request
from livemind_app.session.formats import FORMATS, Block
from livemind_app.session.lanes import LANE_ROLE, LIVE_LANES, LaneName
from livemind_app.session.options import Options
from livemind_app.session.session import Session
from livemind_app.text.prefix import common_prefix


@dataclass(frozen=True)
class BenchLane:
    """A name, the session's lane behind it, and what its options change."""

    name: str
    runs: LaneName
    changes: Mapping[str, Any] = field(default_factory=dict)

    def options(self, defaults: Options) -> Options:
        return defaults.changed({"lanes": [self.runs], **self.changes})


OFF = {"mode": "off"}
LANES: dict[str, BenchLane] = {
    lane.name: lane
    for lane in (
        BenchLane("live", "live"),
        BenchLane("live-slm", "live-slm"),
        BenchLane("infer", "live", {"mode": "infer"}),
        BenchLane("infer-slm", "live-slm", {"mode": "infer"}),
        BenchLane("draft", "live", {"mode": "draft"}),
        BenchLane("draft-slm", "live-slm", {"mode": "draft"}),
        BenchLane("exact", "exact"),
        BenchLane("exact-slm", "exact-slm"),
        BenchLane("llm-to-slm", "llm-to-slm"),
        BenchLane("conventional", "conventional", OFF),
        BenchLane("slm", "slm", OFF),
        # What the live lane's prompt gives without any thinking: its style, its examples, no notes.
        BenchLane("conventional-brief", "live", OFF),
        # The conventional prompt, of which typing time computed the cache and nothing else.
        BenchLane("prefill", "exact", {"speculate_tokens": 0}),
    )
}


def lanes(names: Sequence[str], changes: Mapping[str, Any]) -> list[BenchLane]:
    """Lanes by name; `changes` are options of all of them but never take a control lane's own away."""
    if not names or (unknown := [name for name in names if name not in LANES]):
        raise ConfigError(f"--lanes: {', '.join(unknown) if names else 'none'}; there are {', '.join(LANES)}")
    if len(set(names)) < len(names):
        raise ConfigError("--lanes names a lane twice")
    if fixed := sorted({"lanes", "mode"} & set(changes)):
        raise ConfigError(f"--set: {', '.join(fixed)} is for the lanes to say")
    return [replace(LANES[name], changes={**changes, **LANES[name].changes}) for name in names]


async def warm(engine: Engine, session: Session, lane: BenchLane) -> None:
    """Compute what every prompt of a lane that does not think begins with, as a server would have it.

    The session does that itself for its baselines, and a live lane while the user types.
    """
    if lane.runs not in LIVE_LANES or session.options.mode != "off":
        return
    layout, role = FORMATS[session.options.format], LANE_ROLE[lane.runs]
    render = engine.tokenizer(role).render
    one, other = (render(layout.answer([], [Block(text)])) for text in ("1", "2"))
    ids = one[: common_prefix(one, other)]
    request = Request(ids, role, 0, session=session.token, cache_key=lane.runs, priority=Priority.BASELINE)
    async with aclosing(engine.stream(request)) as outputs:
        async for _ in outputs:
            pass
