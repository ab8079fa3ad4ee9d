"""The page of the run history in a real browser: from the chat to its figures, on a desktop and a phone."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from livemind_app.config import Settings
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.serve import create_app
from livemind_app.serving.history import History
from livemind_app.serving.history_words import CHINESE, ENGLISH, JAPANESE
from livemind_app.serving.server import Server, address, listen
from tests.ui.conftest import TIMEOUT_MS, LivePage, Log


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[tuple[str, History]]:
    """The address of a server that keeps a history."""
    started, running = threading.Event(), list[Server]()
    history = History(str(tmp_path / "h.sqlite"))
    with listen("127.0.0.1", 0) as listening:

        def run() -> None:  # on a thread of its own: the browser's library has an event loop on this one
            engine = ScriptedEngine()
            app = create_app(Settings(), engine, history)
            server = Server(
                app, listening, end_streams=app.state.end_streams, announce=lambda _: started.set()
            )
            running.append(server)
            server.run()
            engine.close()

        thread = threading.Thread(target=run)
        thread.start()
        assert started.wait(60), "the server did not start"
        yield address(listening), history
        running[0].should_exit = True
        thread.join(20)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_from_the_chat_to_its_figures(
    browser: Browser, kept: tuple[str, History], width: int, scheme: str
) -> None:
    url, history = kept
    log = Log(url)
    context = browser.new_context(viewport={"width": width, "height": 850}, color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    log.watch(page)
    live = LivePage(page, log).open()
    live.ask("Two and two?")
    live.wait_for_lane("slm", "done")
    expect(page.locator("#lm-header").get_by_role("link", name="Run history")).to_be_visible()
    history.flush()
    page.get_by_role("link", name="Run history").click()
    for lane in ("live", "conventional", "slm"):
        expect(
            page.locator(".figures").get_by_role("rowheader", name=ENGLISH.lanes[lane], exact=True)
        ).to_be_visible()
    expect(page.locator(".runs tbody tr")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert len(Path(download.value.path()).read_text("utf-8").splitlines()) == 4
    page.get_by_role("link", name="24 hours").click()
    expect(page.get_by_role("link", name="24 hours")).to_have_attribute("aria-current", "page")
    context.close()
    assert not log.found, "\n".join(log.found)


def test_it_speaks_the_language_wished_or_chosen(browser: Browser, kept: tuple[str, History]) -> None:
    url, _ = kept
    log = Log(url)
    context = browser.new_context(locale="ja-JP")
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    log.watch(page)
    live = LivePage(page, log).open()
    page.get_by_role("link", name=JAPANESE.title).click()
    expect(page.get_by_role("heading", name=JAPANESE.title)).to_be_visible()
    live.open()
    page.locator(".lm-language").select_option("zh")
    page.get_by_role("link", name=CHINESE.title).click()
    expect(page.get_by_role("heading", name=CHINESE.title)).to_be_visible()
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
    context.close()
    assert not log.found, "\n".join(log.found)
