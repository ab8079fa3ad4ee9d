"""What a lane asks of the engine."""

from typing import Any, get_args

from livemind_app.errors import ConfigError
from livemind_app.protocol import ROLES, Compression, Engine, Request
from livemind_app.session.lanes import GUIDED_LANES, LANE_ROLE, LaneName
from livemind_app.session.options import Options


def lane_request(
    engine: Engine, session: str, options: Options, lane: LaneName, ids: tuple[int, ...], **rest: Any
) -> Request:
    """On the lane's own cache."""
    compressed = compression(engine, options, lane)
    role = LANE_ROLE[lane]
    return Request(ids, role, session=session, cache_key=lane, compression=compressed, **rest)


def compression(engine: Engine, options: Options, lane: LaneName) -> Compression | None:
    """As chosen, where the lane's model can do it; the others go on token by token."""
    if options.sentence_vae == "off" or lane in GUIDED_LANES:
        return None
    return None if engine.cannot(options.sentence_vae, LANE_ROLE[lane]) else options.sentence_vae


def check_able(engine: Engine, options: Options) -> None:
    """Raises ConfigError for what none of the loaded models can do. Models that still load may be able to."""
    if any(model.state != "ready" for model in engine.status()):
        return
    for name, reasons in unable_choices(engine).items():
        chosen = getattr(options, name)
        if chosen in reasons:
            raise ConfigError(f"{name} cannot be {chosen}: {reasons[chosen]}")


def unable_choices(engine: Engine) -> dict[str, dict[str, str]]:
    """By option: choices that these models do not have, why, and what to do."""
    drafting = [reason for role in ROLES if (reason := engine.cannot("draft", role))]
    return {"sentence_vae": _uncompressed(engine), **({"mode": {"draft": drafting[-1]}} if drafting else {})}


def _uncompressed(engine: Engine) -> dict[str, str]:
    """What no model can do; the small model's reason."""
    reasons = {one: [engine.cannot(one, role) or "" for role in ROLES] for one in get_args(Compression)}
    return {one: each[-1] for one, each in reasons.items() if all(each)}


def unable_lanes(engine: Engine) -> dict[LaneName, str]:
    """Lanes that these models cannot run, and what to do about it."""
    reason = engine.cannot("guide", "slm")
    return dict.fromkeys(GUIDED_LANES, reason) if reason else {}
