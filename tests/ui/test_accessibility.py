"""WCAG 2.2 A and AA, as far as axe-core can tell, in the states of the page; focus, announcements, motion."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from livemind_app.protocol import Priority
from tests.ui.conftest import TIMEOUT_MS, Gates, LivePage, Log, open_page

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
FOCUS = """() => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
    return { name: document.activeElement.tagName, seen: outlineStyle !== "none" && outlineWidth !== "0px" };
}"""


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(SIZES))
def page_in(
    request: pytest.FixtureRequest, browser: Browser, log: Log, gates: Gates, scheme: str
) -> Iterator[LivePage]:
    width, height = SIZES[request.param]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(TIMEOUT_MS)
    yield open_page(context, log)
    context.close()


def check(live: LivePage) -> None:
    found = Axe().run(live.page, options={"runOnly": LEVELS})
    assert found.violations_count == 0, found.generate_report()


def test_axe_finds_nothing(page_in: LivePage, gates: Gates, scheme: str) -> None:
    live = page_in
    assert live.page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    check(live)
    live.open_options()
    live.page.get_by_label("Temperature").focus()
    check(live)
    live.open_options()
    panels = [live.page.locator(f"#{name} summary") for name in ("lm-benchmark", "lm-inspector")]
    for panel in panels:
        panel.click()
    check(live)
    for panel in panels:
        panel.click()
    gates.hold(Priority.NOTE, after=2)
    live.type("Anna has five apples. And")
    live.wait_for_chips("thinking", "typing")
    check(live)
    gates.open()
    live.wait_for_chips("noted", "typing")
    gates.hold(Priority.BASELINE, after=3)
    live.box.press("Enter")
    live.wait_for_lane("conventional", "writing")
    check(live)
    gates.open()
    live.wait_for_lane("slm", "done")
    live.ask("And then?")
    live.wait_for_lane("slm", "done")
    live.page.locator("#lm-history summary").first.click()
    live.page.locator(".lm-plane").focus()
    live.page.keyboard.press("ArrowRight")
    check(live)
    live.page.get_by_role("button", name="Keyboard shortcuts").click()
    check(live)


def test_every_stop_of_the_tab_key_is_seen(live: LivePage) -> None:
    live.ask("How many?")
    live.wait_for_lane("slm", "done")
    live.page.evaluate("document.activeElement.blur()")
    for _ in range(25):
        live.page.keyboard.press("Tab")
        focus = live.page.evaluate(FOCUS)
        assert focus["seen"] or focus["name"] == "BODY", live.page.evaluate(
            "document.activeElement.outerHTML"
        )


def test_start_and_end_of_an_answer_are_announced_in_one_place(live: LivePage, gates: Gates) -> None:
    gates.hold(Priority.ANSWER, after=2)
    live.ask("How many?")
    expect(live.page.get_by_role("status").filter(has_text="LiveMind is writing")).to_have_count(1)
    assert live.page.locator(".lm-answer [aria-live], .lm-answer[aria-live]").count() == 0
    gates.open()
    expect(live.page.get_by_role("status").filter(has_text="All answers are there")).to_have_count(1)


def rolled_back(live: LivePage, gates: Gates) -> None:
    """A note is taken back, which is where the page moves; no new one is written meanwhile."""
    live.type("Anna has five apples. And")
    live.wait_for_chips("noted", "typing")
    gates.hold(Priority.NOTE)
    live.page.evaluate(WATCH_ANIMATIONS)
    live.box.press("Home")
    live.type("Once ")
    expect(live.notes.and_(live.page.locator("[data-status=rolled-back]"))).to_be_visible()


WATCH_ANIMATIONS = """() => {
    window.animated = [];
    for (const kind of ["animationstart", "transitionrun"])
        document.addEventListener(kind, (event) => window.animated.push(event.animationName ?? kind));
}"""
MOVING = """() => [
    ...window.animated, ...document.getAnimations().map((one) => one.animationName ?? one.constructor.name),
]"""


def test_nothing_moves_where_less_motion_is_asked_for(page_in: LivePage, gates: Gates) -> None:
    rolled_back(page_in, gates)
    assert page_in.page.evaluate(MOVING) == []


def test_a_note_that_is_taken_back_fades_elsewhere(live: LivePage, gates: Gates) -> None:
    rolled_back(live, gates)
    assert "lm-fade" in live.page.evaluate(MOVING)


def test_right_to_left_text_is_shown_from_the_right(live: LivePage) -> None:
    live.ask("كم تفاحة لدى آنا؟")
    live.wait_for_lane("slm", "done")
    prompt = live.page.locator("#lm-turn .lm-prompt-said")
    assert prompt.evaluate("node => getComputedStyle(node).direction") == "rtl"
    assert (
        live.lane("live").locator(".lm-answer p").evaluate("node => getComputedStyle(node).direction")
        == "ltr"
    )
    width = live.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0
