"""How the page looks, against reviewed pictures in reference/.

What is compared are pictures of cells of 12 × 12 pixels, smoothed, with what changes from run to run left
out. Most of the page must look as reviewed, whatever the fonts. Where they are those of the review, which a
reference remembers by the width of a line, no place as large as a button may differ, either. Tests hold both
tolerances: another font passes the first, a missing style sheet does not; another rasterisation passes the
second, a missing button does not. On a phone another font would break lines elsewhere and move all that
follows: there no line is broken.

After a change that is meant to be seen: LIVEMIND_REFERENCE=write pytest tests/ui/test_look.py, look at the
pictures in the temporary folder livemind-look, in full size, and commit the small ones.
"""

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image, ImageChops, ImageFilter
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, expect

from livemind_app.protocol import Priority
from tests.ui.conftest import CHROMIUM_ARGS, TIMEOUT_MS, Gates, LivePage, Log, find_chromium, open_page

REFERENCE = Path(__file__).parent / "reference"
FULL_SIZE = Path(tempfile.gettempdir()) / "livemind-look"
CELL = 12  # pixels
COARSE = 2  # cells to a side, where fonts may be others
DIFFERENT = 16  # of 255: most coarse cells of text in another font differ by less
MOST = 0.03  # of all coarse cells: another font changes 0.7 %, a missing style sheet 6 % and more
PLACE = (3, 6)  # cells: as large as a button
NOTICED = 4.5  # of 255, the mean over a place: other rasterisation 3.3, the smallest button 5.6
SAME_FONT = 0.01  # of the width of a line
LINE = """() => {
    const pen = new OffscreenCanvas(1, 1).getContext("2d");
    pen.font = `100px ${getComputedStyle(document.querySelector("#lm-send")).fontFamily}`;
    return pen.measureText("Thinks while you type, so the answer is there sooner.").width;
}"""
CHANGING = (
    ".lm-track, .lm-clock, .lm-bar-value, .lm-figures dd, .lm-plane canvas, .lm-plot, .lm-badge,"
    " .lm-headline, .lm-earlier-times, #lm-turn summary,"
    " .lm-chats .lm-caption, .lm-runs-table td { visibility: hidden; }"
)
UNBROKEN = "p, span, summary, dt, .lm-prompt-said { white-space: nowrap !important; overflow: hidden; }"
SIZES = {"desktop": (1440, 1200), "phone": (390, 1200)}
HINTED = ["--font-render-hinting=full", "--disable-font-subpixel-positioning"]
ALWAYS = ("#lm-send", "#lm-new", ".lm-tools button", "#lm-options button")
AT_FIRST = (".lm-example", ".lm-watch")
ANSWERED = ("#lm-turn button", "#lm-lane-live .lm-copy")
QUESTION = "Anna has five apples. Ben gives her three more. How many has she?"


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shown(browser: Browser, log: Log, gates: Gates, scheme: str, size: str) -> Iterator[LivePage]:
    with page_of(browser, log, scheme, size) as live:
        yield live


@contextmanager
def page_of(browser: Browser, log: Log, scheme: str, size: str) -> Iterator[LivePage]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-US",
    )
    context.set_default_timeout(TIMEOUT_MS)
    live = open_page(context, log)
    live.page.add_style_tag(content=CHANGING + (UNBROKEN if size == "phone" else ""))
    expect(live.status).to_have_text("Ready. Start typing.")
    yield live
    context.close()


def answered(live: LivePage, gates: Gates | None = None) -> None:
    live.type(QUESTION)
    live.wait_for_chips("noted", "noted", "typing")
    live.box.press("Enter")
    live.wait_for_lane("slm", "done")
    expect(live.status).to_contain_text("All answers are there")
    expect(live.page.locator(".lm-chat")).to_have_count(1)
    live.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def thinking(live: LivePage, gates: Gates) -> None:
    gates.hold(Priority.NOTE, after=2)
    live.type("Anna has five apples. And")
    live.wait_for_chips("thinking", "typing")
    expect(live.status).to_contain_text("Thinking about part 1")


def cells(live: LivePage) -> tuple[Image.Image, Image.Image]:
    """The page as it is, and as cells."""
    picture = Image.open(io.BytesIO(live.page.screenshot(caret="hide"))).convert("RGB")
    smooth = picture.filter(ImageFilter.BoxBlur(CELL))
    return picture, smooth.resize((picture.width // CELL, picture.height // CELL), Image.Resampling.BOX)


def share(one: Image.Image, other: Image.Image) -> float:
    """The share of coarse cells that differ."""
    worst = _worst(one, other).reduce(COARSE)
    values = list(worst.get_flattened_data())
    return sum(value > DIFFERENT for value in values) / len(values)


def place(one: Image.Image, other: Image.Image) -> float:
    """By how much the place that differs most does."""
    worst = np.asarray(_worst(one, other), dtype=float)
    return float(sliding_window_view(worst, PLACE).mean(axis=(2, 3)).max())


def _worst(one: Image.Image, other: Image.Image) -> Image.Image:
    """By cell, the difference in the colour channel that differs most."""
    assert one.size == other.size
    red, green, blue = ImageChops.difference(one, other).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def compare(live: LivePage, name: str, *, lines_break: bool = False) -> None:
    """`lines_break`: in another font elsewhere, so that there is nothing to compare."""
    picture, found = cells(live)
    line = live.page.evaluate(LINE)
    FULL_SIZE.mkdir(exist_ok=True)
    picture.save(FULL_SIZE / f"{name}.png")
    if os.environ.get("LIVEMIND_REFERENCE") == "write":
        remembered = PngInfo()
        remembered.add_text("line", f"{line:.0f}")
        found.save(REFERENCE / f"{name}.png", optimize=True, pnginfo=remembered)
    with Image.open(REFERENCE / f"{name}.png") as opened:
        reviewed, width = opened.convert("RGB"), float(opened.info["line"])
    same_fonts = abs(line - width) <= SAME_FONT * width
    if lines_break and not same_fonts:
        pytest.skip("the reference was made with other fonts")
    other = share(found, reviewed)
    assert other <= MOST, f"{other:.1%} of the page looks different: see {FULL_SIZE / name}.png"
    if same_fonts:
        most = place(found, reviewed)
        assert most <= NOTICED, f"a place looks different, by {most:.1f}: see {FULL_SIZE / name}.png"


def test_the_page_looks_as_it_was_reviewed(shown: LivePage, scheme: str, size: str) -> None:
    compare(shown, f"{size}-start-{scheme}")
    answered(shown)
    compare(shown, f"{size}-answered-{scheme}")


@pytest.mark.parametrize("scheme", ["light"], indirect=True)
def test_thinking_looks_as_it_was_reviewed(shown: LivePage, size: str, gates: Gates) -> None:
    thinking(shown, gates)
    compare(shown, f"{size}-thinking-light")


@pytest.mark.parametrize("scheme", ["light"], indirect=True)
def test_the_open_options_look_as_they_were_reviewed(shown: LivePage, size: str) -> None:
    shown.open_options()
    expect(shown.page.get_by_label("Temperature")).to_be_visible()
    shown.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    compare(shown, f"{size}-options-light", lines_break=True)


@pytest.mark.parametrize("state", [thinking, answered])
def test_another_font_is_no_difference(
    shown: LivePage, state: Callable[[LivePage, Gates], None], gates: Gates
) -> None:
    state(shown, gates)
    _, before = cells(shown)
    line = shown.page.evaluate(LINE)
    shown.page.add_style_tag(content="* { font-family: serif !important; }")
    assert share(before, cells(shown)[1]) <= MOST
    assert abs(shown.page.evaluate(LINE) - line) > SAME_FONT * line  # so that no place is compared


def test_another_rasterisation_is_no_difference(
    shown: LivePage, browser: Browser, log: Log, scheme: str, size: str
) -> None:
    answered(shown)
    _, before = cells(shown)
    hinted = browser.browser_type.launch(executable_path=find_chromium(), args=[*CHROMIUM_ARGS, *HINTED])
    try:
        with page_of(hinted, log, scheme, size) as other:
            answered(other)
            assert 0 < place(before, cells(other)[1]) <= NOTICED
    finally:
        hinted.close()


@pytest.mark.parametrize("sheet", ["colors", "base", "answers"])
def test_a_missing_style_sheet_is_a_difference(shown: LivePage, sheet: str) -> None:
    answered(shown)
    _, before = cells(shown)
    shown.page.evaluate("(name) => document.querySelector(`link[href$='style/${name}.css']`).remove()", sheet)
    after = cells(shown)[1]
    assert share(before, after) > MOST or place(before, after) > 4 * NOTICED


@pytest.mark.parametrize("state", [None, answered])
def test_a_missing_button_is_a_difference(shown: LivePage, state: Callable[[LivePage], None] | None) -> None:
    if state:
        state(shown)
    _, before = cells(shown)
    assert place(before, cells(shown)[1]) <= NOTICED / 4
    for button in (*ALWAYS, *(ANSWERED if state else AT_FIRST)):
        shown.page.evaluate("(button) => document.querySelector(button).style.visibility = 'hidden'", button)
        assert place(before, cells(shown)[1]) > NOTICED, button
        shown.page.evaluate("(button) => document.querySelector(button).style.visibility = ''", button)
