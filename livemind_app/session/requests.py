"""What a lane asks of the engine."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, get_args

from livemind_app.config import Mode
from livemind_app.errors import ConfigError
from livemind_app.protocol import ROLES, Compression, Engine, Request, Role
from livemind_app.session.lanes import BOTH_LANES, GUIDED_LANES, LANE_ROLE, LaneName
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


def check_able(engine: Engine, options: Options, names: Collection[str]) -> None:
    """Raises ConfigError where one of these options is what none of the loaded models can do.

    Models that still load may be able to.
    """
    if any(model.state != "ready" for model in engine.status()):
        return
    for name, reasons in unable_choices(engine).items():
        chosen = str(getattr(options, name)).lower()  # of a switch "true", as in JSON
        if name in names and chosen in reasons:
            raise ConfigError(f"{name} cannot be {chosen}: {reasons[chosen]}")


def chosen(engines: Mapping[str, Engine], before: Options, changes: Mapping[str, Any]) -> Options:
    """The options after `changes`; other models take their best mode, where they have not the one of before.

    Raises ConfigError for what cannot be. What was accepted while models were loading is in no other change's
    way.
    """
    options = before.changed(changes)
    if options.models not in engines:
        raise ConfigError(f"models must be one of {', '.join(engines)}")
    engine = engines[options.models]
    if options.models != before.models:
        if reason := unloadable(engine):
            raise ConfigError(f"models cannot be {options.models}: {reason}")
        if options.mode == "draft" and "mode" not in changes:
            options = replace(options, mode=_usual_mode(engine))
    check_able(engine, options, changes if options.models == before.models else options.to_dict())
    return options


def unloadable(engine: Engine) -> str:
    """Why these models are not to be had, or nothing."""
    return next((model.detail for model in engine.status() if model.state == "failed"), "")


def models_of(engine: Engine, lane: LaneName) -> str:
    """The models that have a part in a lane's answer."""
    roles = ROLES if lane in BOTH_LANES else (LANE_ROLE[lane],)
    names = {model.role: model.name for model in engine.status()}
    return " + ".join(dict.fromkeys(names[role] for role in roles))


def defaults_for(engine: Engine, mode: Mode | None = None, models: str = "") -> Options:
    """What a session has that chooses nothing: this mode, or the best one that the engine can do."""
    reason = engine.cannot("draft", "llm")
    if mode == "draft" and reason:
        raise ConfigError(f"mode cannot be draft: {reason}")
    return Options(models, mode=mode or _usual_mode(engine), lookahead=len(_undrafted(engine)) < len(ROLES))


def _usual_mode(engine: Engine) -> Mode:
    return "infer" if engine.cannot("draft", "llm") else "draft"


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
