"""Sessions whose users choose among models."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
from fastapi.testclient import TestClient

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.errors import ConfigError, TurnRunning
from livemind_app.protocol import ROLES, Ability, ModelStatus, Priority, Role
from livemind_app.serving.app import create_api
from livemind_app.session import Session, SessionManager
from tests.session.conftest import ASK, ONE, TWO, Gate, settled, turn_done, until


class Named(ScriptedEngine):
    """Its models have names, and say them."""

    def __init__(self, *names: str, failed: str = "", drafts: bool = True, gate: Gate | None = None) -> None:
        steps = {"step": gate} if gate else {}
        super().__init__(lambda role, prompt: f"{self.names[role]} says five", **steps)  # type: ignore[arg-type]
        self.names: dict[Role, str] = dict(zip(ROLES, names, strict=True))
        self.failed = failed
        self.drafts = drafts
        self.forgotten: list[str] = []
        self.waited = 0

    async def ready(self) -> None:
        self.waited += 1

    def status(self) -> tuple[ModelStatus, ...]:
        state = "failed" if self.failed else "ready"
        return tuple(ModelStatus(role, self.names[role], state, detail=self.failed) for role in ROLES)

    def cannot(self, ability: Ability, role: Role) -> str | None:
        return "it is behind a server" if ability == "draft" and not self.drafts else None

    def forget(self, session: str) -> None:
        self.forgotten.append(session)
        super().forget(session)


class Place:
    """A manager of several engines, closed at the end."""

    def __init__(self) -> None:
        self.gate = Gate(Priority.ANSWER)
        self.engines = {
            "base": Named("large", "middle", gate=self.gate),
            "small": Named("middle", "little"),
            "far": Named("huge", "little", drafts=False),
            "gone": Named("lost", "little", failed="no network"),
        }
        self.manager = SessionManager(self.engines)

    @property
    def base(self) -> Named:
        return self.engines["base"]

    @property
    def small(self) -> Named:
        return self.engines["small"]


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    place = Place()
    place.gate.open()
    async with AsyncExitStack() as stack:
        for engine in place.engines.values():
            stack.callback(engine.close)
        stack.push_async_callback(place.manager.close)
        yield place


async def answered(session: Session, text: str, number: int) -> dict[str, tuple[str, str | None]]:
    """Text and models by lane."""
    session.submit(number, text)
    await until(session, lambda now: turn_done(now) and len(now.state.turns) == number)
    assert session.state.turn
    return {name: (lane.text, lane.models) for name, lane in session.state.turn.lanes.items()}


async def test_a_session_has_the_first_unless_it_chooses(place: Place) -> None:
    assert place.manager.create().options.models == "base"
    session = place.manager.create({"models": "small", "lanes": ["live", "live-slm", "slm"]})
    assert await answered(session, ASK, 1) == {
        "live": ("middle says five", "middle"),
        "live-slm": ("little says five", "middle + little"),
        "slm": ("little says five", "little"),
    }
    with pytest.raises(ConfigError, match="models must be one of base, small, far, gone"):
        place.manager.create({"models": "huge"})


async def test_others_answer_what_comes_and_know_what_was_said(place: Place) -> None:
    session = place.manager.create({"lanes": ["live"]})
    assert (await answered(session, ONE + ASK, 1))["live"] == ("large says five", "large")
    session.configure({"models": "small"})
    assert (await answered(session, ASK, 2))["live"] == ("middle says five", "middle")
    assert [turn.answer for turn in session.state.turns] == ["large says five", "middle says five"]
    prompt = place.small.tokenizer("llm").decode(place.small.requests[-1].ids)
    assert "large says five" in prompt
    session.retry("live")
    await until(session, turn_done)


async def test_a_draft_is_thought_about_anew(place: Place) -> None:
    session = place.manager.create({"mode": "infer"})
    session.draft(1, ONE + TWO)
    await until(session, settled)
    notes = session.state.notes
    assert notes
    session.configure({"models": "small"})
    assert session.state.text == ONE + TWO
    assert not session.state.notes
    await until(session, settled)
    assert {request.cache_key for request in place.small.requests} >= {"notes"}
    while session.token not in place.base.forgotten:
        await asyncio.sleep(0.01)
    await place.manager.delete(session.token)
    assert session.token in place.small.forgotten


async def test_what_runs_for_the_draft_ends_there(place: Place) -> None:
    gate = Gate(Priority.NOTE)
    async with AsyncExitStack() as stack:
        held = Named("large", "middle", gate=gate)
        stack.callback(held.close)
        manager = SessionManager({"held": held, "small": place.small})
        stack.push_async_callback(manager.close)
        session = manager.create({"mode": "infer"})
        session.draft(1, ONE + TWO)
        await gate.reached()
        session.configure({"models": "small"})
        gate.open()
        await until(session, settled)
        assert all("middle says" in note.text for note in session.state.notes if note.text)
        while session.token not in held.forgotten:
            await asyncio.sleep(0.01)
        assert all(request.cancel.cancelled for request in held.requests[-1:])


async def test_not_while_an_answer_is_written(place: Place) -> None:
    place.gate = Gate(Priority.ANSWER)
    place.engines["base"] = held = Named("large", "middle", gate=place.gate)
    manager = SessionManager(place.engines)
    session = manager.create({"lanes": ["live"]})
    session.submit(1, ASK)
    await place.gate.reached()
    with pytest.raises(TurnRunning):
        session.configure({"models": "small"})
    assert session.options.models == "base"
    session.configure({"temperature": 0.5})
    place.gate.open()
    await until(session, turn_done)
    session.configure({"models": "small"})
    await manager.close()
    held.close()


async def test_the_mode_is_one_that_they_have(place: Place) -> None:
    session = place.manager.create()
    assert session.options.mode == "draft"
    session.configure({"models": "far"})
    assert session.options.mode == "infer"
    session.configure({"models": "base"})
    with pytest.raises(ConfigError, match="mode cannot be draft: it is behind a server"):
        session.configure({"models": "far", "mode": "draft"})
    assert (session.options.models, session.options.mode) == ("base", "infer")


async def test_those_that_cannot_be_loaded_are_refused_with_the_reason(place: Place) -> None:
    session = place.manager.create()
    with pytest.raises(ConfigError, match="models cannot be gone: no network"):
        session.configure({"models": "gone"})
    with pytest.raises(ConfigError, match="models cannot be gone: no network"):
        place.manager.create({"models": "gone"})
    assert session.options.models == "base"


async def test_choosing_begins_to_load(place: Place) -> None:
    session = place.manager.create({"mode": "off"})
    assert not place.small.waited
    session.configure({"models": "small"})
    await asyncio.sleep(0)
    assert place.small.waited == 1


@pytest.fixture
def http() -> Iterator[TestClient]:
    place = Place()
    with TestClient(create_api(place.manager)) as client:
        yield client
    for engine in place.engines.values():
        engine.close()


def test_the_api_lists_them(http: TestClient) -> None:
    offered = http.get("/api/options").json()["options"]["models"]
    assert offered == {
        "kind": "choice",
        "default": "base",
        "choices": ["base", "small", "far", "gone"],
        "titles": {
            "base": "large + middle",
            "small": "middle + little",
            "far": "huge + little",
            "gone": "lost + little",
        },
    }
    own, far = http.get("/api/health").json(), http.get("/api/health", params={"models": "far"}).json()
    assert [model["name"] for model in own["models"]] == ["large", "middle"]
    assert [model["name"] for model in far["models"]] == ["huge", "little"]
    assert far["unavailable_choices"]["mode"] == {"draft": "it is behind a server"}
    for told in (own, far):
        assert told["unavailable_choices"]["models"] == {"gone": "no network"}
    assert http.get("/api/health", params={"models": "gone"}).json()["status"] == "failed"
    refused = http.get("/api/health", params={"models": "huge"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_option")
    assert http.get("/api/ready").status_code == 200
