"""Lookahead where models are behind servers: off and named where none has it, named where one has not."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.errors import ConfigError
from livemind_app.protocol import ROLES, Ability, ModelStatus, Role
from livemind_app.serving.app import create_api
from livemind_app.session import SessionManager
from livemind_app.session.requests import limited_options, unable_choices

WHY = "behind a server"


class Behind(ScriptedEngine):
    """Models of these roles are behind a server."""

    def __init__(self, *roles: Role) -> None:
        super().__init__()
        self._remote = roles

    def cannot(self, ability: Ability, role: Role) -> str | None:
        return f"{role} is {WHY}" if ability == "lookahead" and role in self._remote else None


@pytest.fixture
def none() -> Iterator[Behind]:
    with closing(Behind("llm", "slm")) as engine:
        yield engine


async def test_a_switch_that_no_model_can_do_is_off_and_stays_off(none: Behind) -> None:
    manager = SessionManager(none)
    session = manager.create()
    assert session.options.lookahead is False
    session.configure({"temperature": 0.5})
    with pytest.raises(ConfigError, match=f"lookahead cannot be true: llm is {WHY}"):
        session.configure({"lookahead": True})
    await manager.close()


class Loading(Behind):
    """Its models are loading until they are `there`."""

    there = False

    def status(self) -> tuple[ModelStatus, ...]:
        found = super().status()
        return found if self.there else tuple(replace(each, state="loading") for each in found)

    async def ready(self) -> None:
        while not self.there:
            await asyncio.sleep(0.01)


async def test_what_was_chosen_while_models_were_loading_is_in_no_other_changes_way() -> None:
    with closing(Loading("llm", "slm")) as engine:
        manager = SessionManager(engine)
        session = manager.create()
        session.configure({"lookahead": True})
        engine.there = True
        assert session.configure({}).lookahead
        assert session.configure({"temperature": 0.5}).temperature == 0.5
        with pytest.raises(ConfigError, match="lookahead cannot be true"):
            session.configure({"lookahead": True})
        assert not session.configure({"lookahead": False}).lookahead
        await manager.close()


def test_the_api_names_it(none: Behind) -> None:
    with TestClient(create_api(SessionManager(none))) as client:
        health = client.get("/api/health").json()
        assert health["unavailable_choices"]["lookahead"] == {"true": f"llm is {WHY}"}
        assert health["limited_options"] == {}
        assert client.get("/api/options").json()["options"]["lookahead"]["default"] is False


@pytest.mark.parametrize("role", ROLES)
async def test_where_one_model_can_the_option_stays_and_the_other_is_named(role: Role) -> None:
    with closing(Behind(role)) as engine:
        manager = SessionManager(engine)
        session = manager.create({"lookahead": True})
        assert session.options.lookahead
        assert "lookahead" not in unable_choices(engine)
        assert limited_options(engine) == {"lookahead": {role: f"{role} is {WHY}"}}
        await manager.close()


def test_where_both_can_nothing_is_said() -> None:
    with closing(Behind()) as engine:
        assert "lookahead" not in unable_choices(engine)
        assert limited_options(engine) == {}
        assert SessionManager(engine).defaults.lookahead
