"""Choosing the models on the page: they load when they are chosen, and answer from there on."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from livemind_app.config import Settings
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.protocol import ROLES, ModelStatus, Priority, Role
from tests.ui.conftest import Gates, LivePage, Log, page_served
from tests.ui.test_accessibility import SIZES, check
from tests.ui.test_accessibility_states import dressed
from tests.ui.test_chats import downloaded

SHORT = "it needs 5.3 GB of memory, 3.0 GB is free"
ASK = "Anna has five apples. How many are left?"


class Named(ScriptedEngine):
    """Its models have names, say them, and are there when they are let in."""

    def __init__(self, gates: Gates, *names: str, failed: str = "") -> None:
        self.names: dict[Role, str] = dict(zip(ROLES, names, strict=True))
        super().__init__(lambda role, prompt: f"I am {self.names[role]}.", step=gates.step)
        self.there = threading.Event()
        self.failed = failed

    async def ready(self) -> None:
        assert await asyncio.to_thread(self.there.wait, 30)

    def status(self) -> tuple[ModelStatus, ...]:
        if self.failed:
            return tuple(ModelStatus(role, self.names[role], "failed", detail=self.failed) for role in ROLES)
        state = "ready" if self.there.is_set() else "loading"
        return tuple(ModelStatus(role, self.names[role], state) for role in ROLES)

    def close(self) -> None:
        self.there.set()
        super().close()


@pytest.fixture
def engines(gates: Gates) -> dict[str, ScriptedEngine]:
    base = Named(gates, "large-1.5b", "middle-0.5b")
    base.there.set()
    small, huge = Named(gates, "middle-0.5b", "little-0.1b"), Named(gates, "huge", "large", failed=SHORT)
    return {"base": base, "small": small, "huge": huge}


@pytest.fixture
def served(engines: dict[str, ScriptedEngine], gates: Gates) -> Iterator[str]:
    with page_served(Settings(mode="infer"), gates, engines=engines) as url:
        yield url


def radio(live: LivePage, name: str) -> Locator:
    return live.page.locator(f"#lm-drawer input[name=lm-option-models][value={name}]")


def choose(live: LivePage, name: str) -> None:
    live.open_options()
    with live.options_changed():
        radio(live, name).check()
    live.page.keyboard.press("Escape")


@pytest.mark.parametrize("size", SIZES)
def test_a_user_chooses_and_others_answer(
    browser: Browser, served: str, engines: dict[str, ScriptedEngine], size: str
) -> None:
    with dressed(browser, Log(served), size=size) as live:
        live.open()
        live.ask(ASK)
        live.wait_for_lane("slm", "done")
        live.open_options()
        labels = live.page.locator(".lm-drawer-models label")
        expect(labels).to_have_text(
            ["base: large-1.5b + middle-0.5b", "small: middle-0.5b + little-0.1b", "huge: huge + large"]
        )
        expect(radio(live, "base")).to_be_checked()
        expect(radio(live, "huge")).to_be_disabled()
        expect(live.page.locator("#lm-option-models-why")).to_have_text(f"huge: huge + large: {SHORT}")
        check(live)
        with live.options_changed():
            radio(live, "small").check()
        expect(live.page.locator(".lm-chosen dd")).to_have_text(
            [re.compile("^middle-0.5b – loading"), re.compile("^little-0.1b – loading")]
        )
        live.page.keyboard.press("Escape")
        expect(live.status).to_contain_text("getting ready")
        expect(live.page.locator(".lm-model-name")).to_contain_text(["middle-0.5b", "little-0.1b"])
        live.ask(ASK)
        engines["small"].there.set()  # type: ignore[attr-defined]
        live.wait_for_lane("slm", "done")
        expect(live.lane("live")).to_contain_text("I am middle-0.5b.")
        expect(live.lane("slm")).to_contain_text("I am little-0.1b.")
        expect(live.page.locator(".lm-model")).to_have_count(0)
        rows = json.loads(downloaded(live, "Figures as JSON"))
        assert {(row["turn"], row["lane"], row["model"]) for row in rows} == {
            *((1, "live", "large-1.5b"), (1, "conventional", "large-1.5b"), (1, "slm", "middle-0.5b")),
            *((2, "live", "middle-0.5b"), (2, "conventional", "middle-0.5b"), (2, "slm", "little-0.1b")),
        }
        assert not live.log.found


def test_a_link_and_a_reload_keep_the_choice(
    browser: Browser, served: str, engines: dict[str, ScriptedEngine]
) -> None:
    engines["small"].there.set()  # type: ignore[attr-defined]
    with dressed(browser, Log(served)) as live:
        live.open()
        choose(live, "small")
        assert live.page.url.endswith("#models=small")
        live.page.reload()
        live.ready()
        live.ask(ASK)
        expect(live.lane("live")).to_contain_text("I am middle-0.5b.")
        link = live.page.url
        choose(live, "base")
        assert "models" not in live.page.url
    with dressed(browser, Log(served)) as other:
        other.page.goto(link)
        other.ready()
        other.ask(ASK)
        expect(other.lane("live")).to_contain_text("I am middle-0.5b.")
    with dressed(browser, Log(served)) as wrong:
        wrong.page.goto(f"{served}/#models=none-such&temperature=0.5")
        wrong.ready()
        expect(wrong.status).to_contain_text("models")
        wrong.open_options()
        expect(radio(wrong, "base")).to_be_checked()


def test_what_is_typed_stays_and_is_thought_about_anew(
    browser: Browser, served: str, engines: dict[str, ScriptedEngine]
) -> None:
    engines["small"].there.set()  # type: ignore[attr-defined]
    with dressed(browser, Log(served)) as live:
        live.open()
        live.type("Anna has five apples. Ben has two. And")
        expect(live.notes.first).to_contain_text("large-1.5b")
        choose(live, "small")
        expect(live.box).to_have_value("Anna has five apples. Ben has two. And")
        expect(live.notes.first).to_contain_text("middle-0.5b")
        assert not live.log.found


def test_while_an_answer_is_written_the_choice_is_refused_in_words(
    browser: Browser, served: str, engines: dict[str, ScriptedEngine], gates: Gates
) -> None:
    engines["small"].there.set()  # type: ignore[attr-defined]
    with dressed(browser, Log(served)) as live:
        live.log.allowed.append("409")
        live.open()
        gates.hold(Priority.ANSWER, after=2)
        live.ask(ASK)
        live.wait_for_lane("live", "writing")
        choose(live, "small")
        expect(live.status).to_contain_text("an answer is being written")
        live.open_options()
        expect(radio(live, "base")).to_be_checked()
        gates.open()
        live.wait_for_lane("slm", "done")
        with live.options_changed():
            radio(live, "small").check()
        expect(radio(live, "small")).to_be_checked()
        expect(live.page.locator(".lm-chosen dd").first).to_have_text("middle-0.5b")
