"""Where the lanes are: side by side on a wide screen, tabs on a phone."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, FloatRect, expect

from livemind_app.protocol import Priority
from tests.ui.conftest import TIMEOUT_MS, Gates, LivePage, Log, open_page

LANES = {"live": "LiveMind", "exact": "Exact", "conventional": "Conventional", "slm": "Small alone"}


@pytest.fixture
def four(request: pytest.FixtureRequest, browser: Browser, log: Log, gates: Gates) -> Iterator[LivePage]:
    """A page so wide that answers in four lanes."""
    context = browser.new_context(viewport={"width": request.param, "height": 1000})
    context.set_default_timeout(TIMEOUT_MS)
    live = open_page(context, log)
    live.open_options()
    with live.options_changed():
        live.page.get_by_role("checkbox", name="Exact", exact=True).check()
    live.open_options()
    live.ask("How many apples has Anna?")
    for lane in LANES:
        live.wait_for_lane(lane, "done")
    yield live
    context.close()


def place(live: LivePage, lane: str) -> FloatRect:
    box = live.lane(lane).bounding_box()
    assert box
    return box


@pytest.mark.parametrize("four", [1440, 1920], indirect=True)
def test_four_lanes_are_side_by_side_on_a_wide_screen(four: LivePage) -> None:
    boxes = [place(four, lane) for lane in LANES]
    assert len({round(box["y"]) for box in boxes}) == 1
    assert len({round(box["width"]) for box in boxes}) == 1
    for left, right in pairwise(boxes):
        assert left["x"] + left["width"] < right["x"]
    assert boxes[0]["x"] >= 0
    assert boxes[-1]["x"] + boxes[-1]["width"] <= four.page.evaluate("innerWidth")
    expect(four.page.locator(".lm-tabs")).to_be_hidden()


@pytest.mark.parametrize("four", [390], indirect=True)
def test_on_a_phone_a_tab_shows_one_lane(four: LivePage) -> None:
    tabs = four.page.get_by_role("group", name="Lane shown").get_by_role("button")
    expect(tabs).to_have_count(len(LANES))
    for lane, title in LANES.items():
        tab = tabs.filter(has_text=title).first
        tab.click()
        expect(tab).to_have_attribute("aria-pressed", "true")
        for other in LANES:
            expect(four.lane(other)).to_be_visible(visible=other == lane)
        box = place(four, lane)
        assert box["x"] >= 0
        assert 300 < box["width"] <= 390
        clock = four.lane(lane).locator(".lm-clock").inner_text()
        expect(tab.locator(".lm-tab-time")).to_have_text(clock)


def test_a_tab_tells_the_time_of_its_lane_while_it_runs(browser: Browser, log: Log, gates: Gates) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(TIMEOUT_MS)
    live = open_page(context, log)
    times = live.page.locator(".lm-tab-time")
    expect(times).to_have_text(["", "", ""])
    gates.hold(Priority.ANSWER, after=2)
    live.ask("How many apples has Anna?")
    running, *queued = times.all()
    expect(running).to_have_text(re.compile(r"^\d+\.\d+ s$"))
    before = running.inner_text()
    expect(running).not_to_have_text(before)
    for time in queued:
        expect(time).to_have_text("")
    gates.open()
    live.wait_for_lane("live", "done")
    expect(running).to_have_text(live.lane("live").locator(".lm-clock").inner_text())
    context.close()
