"""How the page looks, against reviewed pictures in reference/.

On a phone another font would break lines elsewhere and move all that follows: there no line is broken.

Fonts differ from machine to machine, and so do times: what is compared are pictures of cells of 24 × 24
pixels, with what changes from run to run left out. Two tests hold the tolerance in place: another font
passes, a missing style sheet does not. After a change that is meant to be seen:
LIVEMIND_REFERENCE=write pytest tests/ui/test_look.py, look at the pictures in the temporary folder
livemind-look, in full size, and commit the small ones.
"""

import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Browser, expect

from tests.ui.conftest import TIMEOUT_MS, LivePage, Log, open_page

REFERENCE = Path(__file__).parent / "reference"
FULL_SIZE = Path(tempfile.gettempdir()) / "livemind-look"
CELL = 24  # pixels
DIFFERENT = 16  # of 255: most cells of text in another font differ by less
MOST = 0.03  # of all cells: another font changes 0.7 %, a missing style sheet 6 % and more
CHANGING = (
    ".lm-track, .lm-clock, .lm-bar-value, .lm-figures dd, .lm-stage canvas, .lm-plot, .lm-badge,"
    " .lm-headline, .lm-earlier-times, .lm-chats .lm-caption, .lm-runs-table td { visibility: hidden; }"
)
UNBROKEN = "p, span, summary, dt, .lm-prompt-said { white-space: nowrap !important; overflow: hidden; }"
SIZES = {"desktop": (1440, 1200), "phone": (390, 1200)}
QUESTION = "Anna has five apples. Ben gives her three more. How many has she?"


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shown(browser: Browser, log: Log, scheme: str, size: str) -> Iterator[LivePage]:
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


def answered(live: LivePage) -> None:
    live.type(QUESTION)
    live.wait_for_chips("noted", "noted", "typing")
    live.box.press("Enter")
    live.wait_for_lane("slm", "done")
    expect(live.status).to_contain_text("All answers are there")
    expect(live.page.locator(".lm-chat")).to_have_count(1)
    live.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def cells(live: LivePage) -> tuple[Image.Image, Image.Image]:
    """The page as it is, and as cells."""
    picture = Image.open(io.BytesIO(live.page.screenshot())).convert("RGB")
    smooth = picture.filter(ImageFilter.BoxBlur(CELL / 2))
    return picture, smooth.resize((picture.width // CELL, picture.height // CELL), Image.Resampling.BOX)


def difference(one: Image.Image, other: Image.Image) -> float:
    """The share of cells that differ."""
    assert one.size == other.size
    worst = [max(pixel) for pixel in ImageChops.difference(one, other).get_flattened_data()]
    return sum(value > DIFFERENT for value in worst) / len(worst)


def compare(live: LivePage, name: str) -> None:
    picture, found = cells(live)
    FULL_SIZE.mkdir(exist_ok=True)
    picture.save(FULL_SIZE / f"{name}.png")
    if os.environ.get("LIVEMIND_REFERENCE") == "write":
        found.save(REFERENCE / f"{name}.png", optimize=True)
    share = difference(found, Image.open(REFERENCE / f"{name}.png").convert("RGB"))
    assert share <= MOST, f"{share:.1%} of the page looks different: see {FULL_SIZE / name}.png"


def test_the_page_looks_as_it_was_reviewed(shown: LivePage, scheme: str, size: str) -> None:
    compare(shown, f"{size}-start-{scheme}")
    answered(shown)
    compare(shown, f"{size}-answered-{scheme}")


def test_another_font_is_no_difference(shown: LivePage) -> None:
    answered(shown)
    _, before = cells(shown)
    shown.page.add_style_tag(content="* { font-family: serif !important; }")
    assert difference(before, cells(shown)[1]) <= MOST


@pytest.mark.parametrize("sheet", ["colors", "base", "answers"])
def test_a_missing_style_sheet_is_a_difference(shown: LivePage, sheet: str) -> None:
    answered(shown)
    _, before = cells(shown)
    shown.page.evaluate("(name) => document.querySelector(`link[href$='style/${name}.css']`).remove()", sheet)
    assert difference(before, cells(shown)[1]) > MOST
