"""Models that are loaded when somebody chooses them, and again when that failed."""

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest

from livemind_app.engine.later import AGAIN_S, LaterEngine
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.errors import DownloadFailed, EngineError
from livemind_app.protocol import ModelStatus, Request, Role, Usage

NAMES: dict[Role, str] = {"llm": "large", "slm": "little"}


class Unreachable(ScriptedEngine):
    """Its models cannot be fetched."""

    closed = False

    async def ready(self) -> None:
        raise DownloadFailed("no network")

    def close(self) -> None:
        self.closed = True
        super().close()


class Opened:
    """What was opened, in order: these, and then good ones."""

    def __init__(self, *first: ScriptedEngine) -> None:
        self._coming = list(first)
        self.engines: list[ScriptedEngine] = []

    def __call__(self) -> ScriptedEngine:
        self.engines.append(self._coming.pop(0) if self._coming else ScriptedEngine())
        return self.engines[-1]


@pytest.fixture
def opened() -> Iterator[Opened]:
    opened = Opened()
    yield opened
    for engine in opened.engines:
        engine.close()


async def test_nothing_is_opened_before_somebody_waits_for_it(opened: Opened) -> None:
    later = LaterEngine(NAMES, opened)
    assert later.status() == (
        ModelStatus("llm", "large", "missing"),
        ModelStatus("slm", "little", "missing"),
    )
    assert later.usage() == Usage()
    later.forget("a session")
    with pytest.raises(EngineError, match="not loaded"):
        later.generate(Request((1,), "llm", 1))
    assert not opened.engines

    await asyncio.gather(later.ready(), later.ready())
    assert len(opened.engines) == 1
    assert {model.state for model in later.status()} == {"ready"}
    assert list(later.generate(Request(later.tokenizer("llm").encode("Hello"), "llm", 1)))


def test_what_a_server_will_compute_cannot_draft_and_says_so_before(opened: Opened) -> None:
    later = LaterEngine(NAMES, opened, remote=["llm"])
    for ability in ("draft", "lookahead"):
        assert "server" in (later.cannot(ability, "llm") or "")  # type: ignore[arg-type]
        assert later.cannot(ability, "slm") is None  # type: ignore[arg-type]
    assert later.cannot("hybrid", "slm") == "the models are still loading"


async def test_what_is_too_large_is_not_opened_until_there_is_room(opened: Opened) -> None:
    short = "it needs 9 GB of memory, 1 GB is free"
    later = LaterEngine(NAMES, opened, lambda: short)
    assert {(model.state, model.detail) for model in later.status()} == {("failed", short)}
    with pytest.raises(EngineError, match="9 GB"):
        await later.ready()
    assert not opened.engines
    short = ""
    assert {model.state for model in later.status()} == {"missing"}
    await later.ready()


async def test_a_failure_is_told_to_all_and_tried_again_later() -> None:
    now, bad = 100.0, Unreachable()
    opened = Opened(bad)
    with closing(LaterEngine(NAMES, opened, clock=lambda: now)) as later:
        for error in await asyncio.gather(later.ready(), later.ready(), return_exceptions=True):
            assert isinstance(error, DownloadFailed)
        assert {(model.name, model.state, model.detail) for model in later.status()} == {
            ("large", "failed", "no network"),
            ("little", "failed", "no network"),
        }
        now += AGAIN_S - 1
        with pytest.raises(DownloadFailed):
            await later.ready()
        assert opened.engines == [bad]
        now += 1
        assert {model.state for model in later.status()} == {"missing"}  # so that it may be chosen again
        await later.ready()
        assert len(opened.engines) == 2
        while not bad.closed:
            await asyncio.sleep(0.01)
