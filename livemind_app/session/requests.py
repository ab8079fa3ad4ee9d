"""What a lane asks of the engine."""

from typing import Any, get_args

from livemind_app.config import Mode
from livemind_app.errors import ConfigError
from livemind_app.protocol import ROLES, Compression, Engine, Request, Role
from livemind_app.session.lanes import GUIDED_LANES, LANE_ROLE, LaneName
from livemind_app.session.options import Options


def lane_request(
    engine: Engine,
    session: str,
    options: Options,
    lane: LaneName,
    ids: tuple[int, ...],
    role: Role | None = None,
    **rest: Any,
) -> Request:
    """On the lane's own cache; `role`: of another model than the lane's own."""
    role = role or LANE_ROLE[lane]
    compressed = compression(engine, options, lane, role)
    return Request(ids, role, session=session, cache_key=lane, compression=compressed, **rest)


def compression(
    engine: Engine, options: Options, lane: LaneName, role: Role | None = None
) -> Compression | None:
    """As chosen, where the model can do it; the others go on token by token."""
    if options.sentence_vae == "off" or lane in GUIDED_LANES:
        return None
    return None if engine.cannot(options.sentence_vae, role or LANE_ROLE[lane]) else options.sentence_vae


def check_able(engine: Engine, options: Options) -> None:
    """Raises ConfigError for what none of the loaded models can do. Models that still load may be able to."""
    if any(model.state != "ready" for model in engine.status()):
        return
    for name, reasons in unable_choices(engine).items():
        chosen = str(getattr(options, name)).lower()  # of a switch "true", as in JSON
        if chosen in reasons:
            raise ConfigError(f"{name} cannot be {chosen}: {reasons[chosen]}")


def defaults_for(engine: Engine, mode: Mode | None = None) -> Options:
    """What a session has that chooses nothing: this mode, or the best one that the engine can do."""
    reason = engine.cannot("draft", "llm")
    if mode == "draft" and reason:
        raise ConfigError(f"mode cannot be draft: {reason}")
    return Options(
        mode=mode or ("infer" if reason else "draft"), lookahead=len(_undrafted(engine)) < len(ROLES)
    )


def unable_choices(engine: Engine) -> dict[str, dict[str, str]]:
    """By option: choices that these models do not have, why, and what to do."""
    reason, undrafted = engine.cannot("draft", "llm"), _undrafted(engine)
    return {
        "sentence_vae": _uncompressed(engine),
        **({"mode": {"draft": reason}} if reason else {}),
        **({"lookahead": {"true": undrafted["llm"]}} if len(undrafted) == len(ROLES) else {}),
    }


def limited_options(engine: Engine) -> dict[str, dict[Role, str]]:
    """Options that do something for one of these models only: for which one not, and why."""
    undrafted = _undrafted(engine)
    return {"lookahead": undrafted} if len(undrafted) == 1 else {}


def _undrafted(engine: Engine) -> dict[Role, str]:
    """Models without lookahead."""
    reasons = {role: engine.cannot("lookahead", role) for role in ROLES}
    return {role: reason for role, reason in reasons.items() if reason}


def _uncompressed(engine: Engine) -> dict[str, str]:
    """What no model can do; the small model's reason."""
    reasons = {one: [engine.cannot(one, role) or "" for role in ROLES] for one in get_args(Compression)}
    return {one: each[-1] for one, each in reasons.items() if all(each)}


def unable_lanes(engine: Engine) -> dict[LaneName, str]:
    """Lanes that these models cannot run, and what to do about it."""
    reason = engine.cannot("guide", "slm")
    return dict.fromkeys(GUIDED_LANES, reason) if reason else {}
