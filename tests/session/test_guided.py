"""The lane in which the large model reads and the small one writes: on tiny models."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from livemind_app.engine.local import Abilities, LocalEngine, Models
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.llm_to_slm.loading import paired
from livemind_app.protocol import ROLES, Chunk, Message, ModelStatus, Request
from livemind_app.serving.app import create_api
from livemind_app.session import SessionManager
from livemind_app.session.events import Failure
from livemind_app.session.formats import conventional
from livemind_app.session.guides import open_turn, rendered, steady
from tests.llm_to_slm import tiny
from tests.llm_to_slm.test_generation import made
from tests.session.conftest import turn_done, until

TOKENS = 10
FIRST = "The bakery bakes 120 rolls. By noon it has sold half of them."
TEXT = f"{FIRST} How many 👩‍👩‍👧 are left?"


def engine_of(folder: Path | None) -> LocalEngine:
    models = {"llm": tiny.reader(), "slm": tiny.writer()}

    def load(report: object) -> dict:  # type: ignore[type-arg]
        for role in ROLES:
            report(ModelStatus(role, models[role].name, "ready"))  # type: ignore[operator]
        return models

    def enable(models: Models) -> Abilities:
        return {("guide", "slm"): paired(models, str(folder) if folder else None)}

    engine = LocalEngine(load, enable=enable)
    engine.wait()
    return engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    folder = tmp_path_factory.mktemp("guided") / "adapter"
    made(folder, trained=True)
    engine = engine_of(folder)
    yield engine
    engine.close()


def cold(engine: LocalEngine, messages: list[Message]) -> str:
    prompt = rendered(engine.tokenizer, "llm-to-slm", messages)
    chunks = engine.generate(Request(prompt.ids, "slm", TOKENS, guide=prompt.guide))
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, Chunk)).lstrip()


@pytest.mark.parametrize("speculate", [0, 200])
async def test_what_is_read_while_typing_changes_nothing_but_the_time(
    engine: LocalEngine, speculate: int
) -> None:
    manager = SessionManager(engine)
    options = {"lanes": ["llm-to-slm", "slm"], "max_tokens": TOKENS, "speculate_tokens": speculate}
    session = manager.create(options)
    for revision, text in enumerate(["The bak", "The bakery burns. ", FIRST + " How", FIRST, TEXT]):
        session.draft(revision, text)
        await session.settled()
    session.submit(9, TEXT)
    await until(session, turn_done, timeout=120)
    turn = session.state.turn
    assert turn is not None
    guided, plain = turn.lanes["llm-to-slm"], turn.lanes["slm"]
    assert guided.text == cold(engine, conventional([], TEXT))
    assert guided.text != plain.text
    assert guided.metrics is not None
    prompt = rendered(engine.tokenizer, "llm-to-slm", conventional([], TEXT))
    assert prompt.guide is not None
    assert guided.metrics.prefilled_after_submit < 0.5 * len(prompt.ids + prompt.guide.ids)
    assert guided.text.isascii()  # else any answer looks like any other
    if speculate:
        assert guided.metrics.ready_tokens > 0
    await manager.close()


async def test_a_second_turn_reads_the_first(engine: LocalEngine) -> None:
    manager = SessionManager(engine)
    session = manager.create({"lanes": ["llm-to-slm"], "max_tokens": TOKENS})
    session.submit(1, FIRST)
    await until(session, turn_done, timeout=120)
    assert session.state.turn is not None
    said = session.state.turn.answer
    past: list[Message] = [{"role": "user", "content": FIRST}, {"role": "assistant", "content": said}]
    session.submit(2, TEXT)
    await until(session, lambda s: turn_done(s) and len(s.state.turns) == 2, timeout=120)
    expected = cold(engine, conventional(past if said.strip() else [], TEXT))
    assert session.state.turn.answer == expected
    await manager.close()


@pytest.mark.parametrize("text", [FIRST, FIRST + " ", "👩‍👩‍👧", "汉字", "Tom.\n"])
def test_what_is_read_ahead_begins_the_whole_prompt(engine: LocalEngine, text: str) -> None:
    whole = rendered(engine.tokenizer, "llm-to-slm", conventional([], text + " What else? 😀"))
    assert whole.guide is not None
    ahead = steady(engine.tokenizer, "llm-to-slm", conventional([], text))
    for part in (ahead, open_turn(engine.tokenizer, "llm-to-slm", conventional([], text))[0]):
        assert part.guide is not None
        assert not part.guide.complete
        assert len(part.ids) == len(part.guide.places)
        assert max(part.guide.places) < len(part.guide.ids)
    assert ahead.guide is not None
    assert whole.ids[: len(ahead.ids)] == ahead.ids
    assert whole.guide.ids[: len(ahead.guide.ids)] == ahead.guide.ids


async def test_without_an_adapter_the_lane_says_which_command_trains_one() -> None:
    engine = engine_of(None)
    reason = engine.cannot("guide", "slm")
    assert reason is not None
    assert "livemind train llm-to-slm --llm tiny-qwen2-48 --slm tiny-llama-32" in reason
    manager = SessionManager(engine)
    session = manager.create({"lanes": ["llm-to-slm", "slm"], "max_tokens": 3})
    failures: list[Failure] = []
    manager.observers.append(lambda event: failures.append(event) if isinstance(event, Failure) else None)
    session.draft(1, FIRST)
    await session.settled()
    session.submit(2, FIRST)
    await until(session, turn_done, timeout=60)
    assert [(failure.code, failure.message, failure.lane) for failure in failures] == [
        ("engine_error", reason, "llm-to-slm")
    ]
    assert session.state.turn is not None
    assert {name: lane.status for name, lane in session.state.turn.lanes.items()} == {
        "llm-to-slm": "failed",
        "slm": "done",
    }
    await manager.close()
    engine.close()


def test_a_bad_adapter_is_a_reason_too(tmp_path: Path) -> None:
    engine = engine_of(tmp_path)
    assert "holds no checkpoint" in (engine.cannot("guide", "slm") or "")
    engine.close()


async def test_a_scripted_engine_is_asked_with_both_prompts() -> None:
    engine = ScriptedEngine()
    manager = SessionManager(engine)
    session = manager.create({"lanes": ["llm-to-slm"]})
    session.submit(1, FIRST)
    await until(session, turn_done)
    last = engine.requests[-1]
    assert last.role == "slm"
    assert last.guide is not None
    assert last.guide.complete
    assert last.guide.places == tuple(range(len(last.ids)))
    await manager.close()
    engine.close()


@pytest.mark.parametrize("reason", [None, "train one"])
def test_the_api_says_why_the_lane_is_not_to_be_had(reason: str | None) -> None:
    engine = ScriptedEngine(cannot={"guide": reason} if reason else {})
    with TestClient(create_api(SessionManager(engine))) as client:
        body = client.get("/api/health").json()
    assert body["unavailable"] == ({"llm-to-slm": reason} if reason else {})
    engine.close()
