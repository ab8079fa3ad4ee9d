"""Which part of the time axis is shown, after wheel, drag, pinch, double click, keys and buttons.

It is read from the marks of an export.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect

from livemind_app.protocol import Priority
from tests.ui.conftest import Gates, LivePage
from tests.ui.test_timeline import SVG, ask

MARK = re.compile(r"(−?)(?:(\d+):)?(\d+(?:\.\d+)?)(?: s)?")
LEFT, RIGHT = 104, 8  # pixels beside the axis on a wide page
ZOOM = 1.4  # of one step
POLLS = 300
EXPORT = """() => {
    let exported;
    const [make, click] = [URL.createObjectURL, HTMLAnchorElement.prototype.click];
    URL.createObjectURL = (blob) => ((exported = blob), "#");
    HTMLAnchorElement.prototype.click = () => {};
    document.querySelector('[aria-label="Export SVG"]').click();
    [URL.createObjectURL, HTMLAnchorElement.prototype.click] = [make, click];
    return exported.text();
}"""  # without a download, a pointer or the focus


@dataclass(frozen=True)
class Span:
    """What is shown, in seconds from the chat's beginning."""

    start: float
    end: float
    pixels: float

    @property
    def length(self) -> float:
        return self.end - self.start

    def at(self, share: float) -> float:
        """The time below a point of the axis, 0 at its left end and 1 at its right."""
        return self.start + share * self.length

    def near(self, time: float) -> object:
        """To a pixel: the browser tells where the pointer is in whole ones."""
        return pytest.approx(time, abs=self.length / self.pixels)


def span(live: LivePage) -> Span:
    svg = ElementTree.fromstring(live.page.evaluate(EXPORT))
    found = [(mark(text.text or ""), float(text.attrib["x"])) for text in svg.iter(f"{SVG}text")]
    marks = [(time, x) for time, x in found if time is not None]
    assert len(marks) >= 2
    (early, low), (late, high) = marks[0], marks[-1]
    per_px = (late - early) / (high - low)
    right = float(svg.attrib["width"]) - RIGHT
    return Span(early - (low - LEFT) * per_px, late + (right - high) * per_px, right - LEFT)


def mark(text: str) -> float | None:
    """
    >>> mark("−2.5 s"), mark("1:15"), mark("Notes")
    (-2.5, 75.0, None)
    """
    match = MARK.fullmatch(text)
    if not match or not (match[2] or text.endswith(" s")):
        return None
    return (-1 if match[1] else 1) * (60 * int(match[2] or 0) + float(match[3]))


def changed(live: LivePage, before: Span) -> Span:
    """The span after what was just done has reached the page."""
    for _ in range(POLLS):
        now = span(live)
        if now != before:
            return now
    raise AssertionError("the axis did not change")


def everything(live: LivePage) -> Span:
    live.page.get_by_role("button", name="Everything").click()
    expect(live.page.get_by_role("button", name="Everything")).to_have_attribute("aria-pressed", "true")
    return span(live)


def point(live: LivePage, share: float) -> tuple[float, float]:
    """Where on the page a share of the axis is."""
    stage = live.page.locator(".lm-plane")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    return box["x"] + LEFT + share * (box["width"] - LEFT - RIGHT), box["y"] + 60


def wheel(live: LivePage, share: float, delta: float) -> None:
    live.page.mouse.move(*point(live, share))
    live.page.keyboard.down("Control")
    live.page.mouse.wheel(0, delta)
    live.page.keyboard.up("Control")


def wheel_in(live: LivePage, share: float) -> None:
    wheel(live, share, -200)


def double_click(live: LivePage, share: float) -> None:
    live.page.mouse.dblclick(*point(live, share))


def pinch(live: LivePage, share: float) -> None:
    """Two fingers, as far to the left as to the right of the point, move apart."""
    x, y = point(live, share)
    session = live.page.context.new_cdp_session(live.page)

    def touch(kind: str, *places: float) -> None:
        points = [{"x": place, "y": y, "id": number} for number, place in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", x - 40)
    touch("touchStart", x - 40, x + 40)
    for apart in (60, 90, 120):
        touch("touchMove", x - apart, x + apart)
    touch("touchEnd")
    session.detach()


@pytest.mark.parametrize("share", [0.3, 0.7])
@pytest.mark.parametrize(
    "gesture",
    [lambda live, share: wheel(live, share, -200), double_click, pinch],
    ids=["wheel", "double click", "pinch"],
)
def test_zooming_keeps_what_is_pointed_at(
    live: LivePage, gesture: Callable[[LivePage, float], None], share: float
) -> None:
    ask(live)
    before = everything(live)
    gesture(live, share)
    after = settled(live, before)
    assert after.length < 0.8 * before.length
    assert after.at(share) == before.near(before.at(share))
    expect(live.page.get_by_role("button", name="Everything")).to_have_attribute("aria-pressed", "false")


def settled(live: LivePage, before: Span) -> Span:
    """The span when it changes no more: a gesture may be several movements."""
    now = changed(live, before)
    while (later := span(live)) != now:
        now = later
    return now


def test_the_wheel_zooms_out_again_and_not_beyond_everything(live: LivePage) -> None:
    ask(live)
    before = everything(live)
    wheel(live, 0.5, -200)
    near = changed(live, before)
    wheel(live, 0.5, 150)
    middle = changed(live, near)
    assert near.length < middle.length < before.length
    wheel(live, 0.5, 5000)
    assert changed(live, middle).length == pytest.approx(before.length, rel=0.1)


def test_dragging_moves_the_time_along_with_the_pointer(live: LivePage) -> None:
    ask(live)
    whole = everything(live)
    double_click(live, 0.5)
    before = changed(live, whole)
    live.page.mouse.move(*point(live, 0.6))
    live.page.mouse.down()
    live.page.mouse.move(*point(live, 0.4), steps=4)
    live.page.mouse.up()
    after = settled(live, before)
    assert after.length == pytest.approx(before.length, rel=0.01)
    assert after.at(0.4) == before.near(before.at(0.6))
    live.page.mouse.move(*point(live, 0.2))  # let go
    assert span(live) == after


def test_the_shift_wheel_moves_and_the_bare_wheel_scrolls_the_page(live: LivePage) -> None:
    ask(live)
    whole = everything(live)
    double_click(live, 0.5)
    before = changed(live, whole)
    live.page.mouse.move(*point(live, 0.5))
    live.page.mouse.wheel(60, 0)
    after = changed(live, before)
    assert after.length == pytest.approx(before.length, rel=0.01)
    assert after.start > before.start
    live.page.evaluate("scrollTo(0, 0)")
    live.page.mouse.wheel(0, 100)
    live.page.wait_for_function("scrollY > 0")
    assert span(live) == after


def test_keys_zoom_about_the_middle_and_home_shows_everything(live: LivePage) -> None:
    ask(live)
    whole = everything(live)
    live.page.locator(".lm-plane").focus()
    live.page.keyboard.press("+")
    near = changed(live, whole)
    live.page.keyboard.press("+")
    nearer = changed(live, near)
    assert near.length == pytest.approx(whole.length / ZOOM, rel=0.01)
    assert nearer.length == pytest.approx(near.length / ZOOM, rel=0.01)
    assert nearer.at(0.5) == whole.near(whole.at(0.5))
    live.page.keyboard.press("-")
    assert changed(live, nearer).length == pytest.approx(near.length, rel=0.01)
    live.page.keyboard.press("Home")
    expect(live.page.get_by_role("button", name="Everything")).to_have_attribute("aria-pressed", "true")
    assert span(live) == whole


def test_buttons_zoom_and_show_a_prompt_or_everything(live: LivePage, gates: Gates) -> None:
    ask(live)
    first = everything(live)
    gates.hold(Priority.BASELINE)
    live.ask("And then?")
    expect(live.page.locator("#lm-history .lm-earlier-prompt")).to_have_count(1)
    for _ in range(POLLS):  # a second is the least that is shown, and both may have taken less
        if everything(live).length > 1.2 * first.length:
            break
    gates.open()
    live.wait_for_lane("slm", "done")
    whole = everything(live)
    assert whole.length > first.length
    assert whole.start < 0 < first.end < whole.end
    live.page.get_by_role("button", name="Zoom in").click()
    near = changed(live, whole)
    assert near.length == pytest.approx(whole.length / ZOOM, rel=0.01)
    live.page.get_by_role("button", name="Zoom out").click()
    assert changed(live, near).length == pytest.approx(whole.length, rel=0.02)
    live.page.get_by_role("button", name="This prompt").click()
    expect(live.page.get_by_role("button", name="This prompt")).to_have_attribute("aria-pressed", "true")
    assert span(live).length < 0.9 * whole.length
