"""Before Gradio's scripts have run: a title, and a box that loses nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.ui.conftest import LivePage, Log

BUNDLE = "**/assets/index-*.js"


class Bundle:
    """Gradio's scripts, which do not come before the test lets them."""

    def __init__(self, page: Page) -> None:
        self._waiting: list[Route] | None = []
        page.route(BUNDLE, self._asked)

    def _asked(self, route: Route) -> None:
        if self._waiting is None:
            route.continue_()
        else:
            self._waiting.append(route)

    def let(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        for route in waiting:
            route.continue_()


@pytest.fixture
def begun(context: BrowserContext, log: Log) -> Iterator[tuple[Page, Bundle]]:
    page = context.new_page()
    log.watch(page)
    bundle = Bundle(page)
    page.goto(log.host, wait_until="commit")
    yield page, bundle
    page.evaluate("localStorage.clear()")
    page.close()


def test_what_is_typed_before_the_page_is_there_goes_on_in_it(begun: tuple[Page, Bundle], log: Log) -> None:
    page, bundle = begun
    early = page.locator("#lm-first textarea")
    expect(early).to_be_focused()
    expect(page.locator("#lm-first h1")).to_have_text("LiveMind")
    page.keyboard.type("Anna has five apples. How")
    bundle.let()
    live = LivePage(page, log).ready()
    expect(live.box).to_have_value("Anna has five apples. How")
    expect(live.box).to_be_focused()
    expect(early).to_have_count(0)
    page.keyboard.type(" many?")
    expect(live.box).to_have_value("Anna has five apples. How many?")
    live.wait_for_chips("noted", "typing")
    assert page.evaluate("performance.getEntriesByName('first-contentful-paint').length") == 1


def test_after_a_reload_the_draft_is_in_the_early_box(live: LivePage) -> None:
    live.type("Anna has")
    bundle = Bundle(live.page)
    live.page.reload(wait_until="commit")
    early = live.page.locator("#lm-first textarea")
    expect(early).to_have_value("Anna has")
    early.press("End")
    early.press_sequentially(" five")
    bundle.let()
    expect(live.ready().box).to_have_value("Anna has five")


def test_an_input_method_ends_in_the_box_it_began_in(begun: tuple[Page, Bundle], log: Log) -> None:
    page, bundle = begun
    early = page.locator("#lm-first textarea")
    early.dispatch_event("compositionstart")
    early.fill("にほん")
    bundle.let()
    page.wait_for_selector("#lm-prompt textarea", state="attached")
    expect(early).to_be_visible()
    early.fill("日本")
    early.dispatch_event("compositionend")
    expect(LivePage(page, log).ready().box).to_have_value("日本")
