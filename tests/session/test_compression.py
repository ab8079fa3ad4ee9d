"""The option `sentence_vae`: which requests carry it, and what is said where no model can do it."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.errors import ConfigError
from livemind_app.protocol import Ability, Role
from livemind_app.serving.app import create_api
from livemind_app.session import SessionManager
from tests.session.conftest import turn_done, until

TEXT = "The bakery bakes 120 rolls. By noon it has sold half of them. How many are left?"


class SmallCan(ScriptedEngine):
    """Its small model has a hybrid context, and nothing else is there."""

    def cannot(self, ability: Ability, role: Role) -> str | None:
        able = ability == "draft" or (ability, role) == ("hybrid", "slm")
        return None if able else f"train {ability} for {role}"


async def test_lanes_whose_model_can_do_it_carry_it_and_their_figures_say_so() -> None:
    engine = SmallCan()
    manager = SessionManager(engine)
    lanes = ["live", "exact-slm", "conventional", "slm"]
    session = manager.create({"lanes": lanes, "sentence_vae": "hybrid"})
    session.draft(1, TEXT[:40])
    await session.settled()
    session.submit(2, TEXT)
    await until(session, turn_done)
    told = {(request.cache_key, request.compression) for request in engine.requests if request.cache_key}
    assert {(key, kind) for key, kind in told if key in lanes} == {
        ("live", None),
        ("exact-slm", "hybrid"),
        ("conventional", None),
        ("slm", "hybrid"),
    }
    assert session.state.turn is not None
    metrics = {name: lane.metrics for name, lane in session.state.turn.lanes.items()}
    assert {name: each.compression for name, each in metrics.items() if each} == {
        "live": None,
        "exact-slm": "hybrid",
        "conventional": None,
        "slm": "hybrid",
    }
    await manager.close()
    engine.close()


async def test_what_no_model_can_do_is_refused_with_the_reason() -> None:
    engine = SmallCan()
    manager = SessionManager(engine)
    with pytest.raises(ConfigError, match="sentence_vae cannot be sllm: train sllm for slm"):
        manager.create({"sentence_vae": "sllm"})
    session = manager.create({"sentence_vae": "hybrid"})
    with pytest.raises(ConfigError, match="train sllm for slm"):
        session.configure({"sentence_vae": "sllm"})
    assert session.options.sentence_vae == "hybrid"
    await manager.close()
    engine.close()


@pytest.mark.parametrize(
    ("made", "choices"),
    [(SmallCan, {"sllm": "train sllm for slm"}), (ScriptedEngine, {})],
)
def test_the_api_names_choices_that_are_not_to_be_had(made: Any, choices: dict[str, str]) -> None:
    engine = made()
    with TestClient(create_api(SessionManager(engine))) as client:
        assert client.get("/api/health").json()["unavailable_choices"]["sentence_vae"] == choices
        offered = client.get("/api/options").json()["options"]["sentence_vae"]
    assert offered == {"kind": "choice", "choices": ["off", "sllm", "hybrid"], "default": "off"}
    engine.close()
