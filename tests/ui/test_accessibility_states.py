"""What axe-core finds in states seldom seen: differences, dialogs, languages, a begun answer, the login."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect

from livemind_app.config import Settings
from livemind_app.protocol import Priority
from tests.ui.conftest import ANSWER, TIMEOUT_MS, Gates, LivePage, Log, page_served
from tests.ui.test_accessibility import SIZES, check
from tests.ui.test_speech import DOUBLE


@contextmanager
def dressed(
    browser: Browser, log: Log, scheme: str = "light", locale: str = "en-US", size: str = "desktop"
) -> Iterator[LivePage]:
    """A page, not yet open."""
    width, height = SIZES[size]
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        locale=locale,
        reduced_motion="reduce",
        viewport={"width": width, "height": height},
    )
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    log.watch(page)
    yield LivePage(page, log)
    context.close()


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_marked_differences(browser: Browser, log: Log, gates: Gates, scheme: str) -> None:
    with dressed(browser, log, scheme) as live:
        live.open()
        live.ask("How many apples?")
        live.wait_for_lane("slm", "done")
        live.page.get_by_role("button", name="Mark differences").click()
        expect(live.lane("slm").get_by_text("not so in the first answer")).to_be_visible()
        check(live)


def test_the_dialog_before_speech(browser: Browser, log: Log, gates: Gates, scheme: str) -> None:
    with dressed(browser, log, scheme) as live:
        live.page.add_init_script(DOUBLE)
        live.open()
        live.page.get_by_role("button", name="Speak").click()
        expect(live.page.get_by_role("dialog")).to_be_visible()
        check(live)


def test_a_begun_answer_as_it_is_served(browser: Browser, gates: Gates, scheme: str) -> None:
    with page_served(Settings(), gates) as url, dressed(browser, Log(url), scheme) as live:
        live.open()
        live.type("Anna has five apples. How many are ")
        expect(live.page.locator(".lm-begun-text")).to_have_text(f"The llm says: {ANSWER}")
        check(live)
        gates.hold(Priority.ANSWER, after=2)
        live.box.press("Enter")
        expect(live.page.locator("#lm-turn .lm-prompt-said")).to_be_visible()
        check(live)
        assert not live.log.found


def test_the_login_form(browser: Browser, gates: Gates, scheme: str) -> None:
    with page_served(Settings(password="secret"), gates) as url, dressed(browser, Log(url), scheme) as live:
        live.log.allowed.append("401")  # for the browser's own question for an icon, and the wrong password
        live.page.goto(f"{url}/login")
        check(live)
        live.page.get_by_label("Password").fill("wrong")
        live.page.get_by_role("button", name="Log in").click()
        expect(live.page.get_by_role("alert")).to_have_text("The password is wrong.")
        check(live)
        assert not live.log.found


@pytest.mark.parametrize(("locale", "send"), [("zh-CN", "发送"), ("ja-JP", "送信")])
def test_other_languages(browser: Browser, log: Log, gates: Gates, locale: str, send: str) -> None:
    with dressed(browser, log, locale=locale) as live:
        live.open()
        live.open_options()
        check(live)
        live.open_options()
        live.type("安娜有五个苹果。")
        live.page.get_by_role("button", name=send).click()
        live.wait_for_lane("slm", "done")
        check(live)
