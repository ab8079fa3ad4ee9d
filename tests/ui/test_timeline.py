"""The time axis: what it shows, how it is moved, what is exported, and what an hour of it costs."""

import io
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import expect

from livemind_app.protocol import Priority
from tests.ui.conftest import Gates, LivePage
from tests.ui.pictures import colored, drawn

TEXT = "Anna has five apples. Ben gives her three more. How many has she?"
LEFT, AXIS = 104, 24  # pixels of the names of rows, and of the marks above them
SVG = "{http://www.w3.org/2000/svg}"


def ask(live: LivePage) -> None:
    live.type("Anna has five apples. Ben gives ")
    live.wait_for_chips("noted", "typing")
    live.type("her three more. How many has she?")
    live.box.press("Enter")
    live.wait_for_lane("slm", "done")


def exported_svg(live: LivePage) -> ElementTree.Element:
    with live.page.expect_download() as download:
        live.page.get_by_role("button", name="Export SVG").click()
    assert download.value.suggested_filename == "livemind-timeline.svg"
    return ElementTree.fromstring(download.value.path().read_text(encoding="utf-8"))


def words(svg: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in svg.iter(f"{SVG}text")]


def titles(svg: ElementTree.Element) -> list[str]:
    return [title.text or "" for title in svg.iter(f"{SVG}title")]


def test_there_is_no_axis_before_anything_happened(live: LivePage) -> None:
    expect(live.page.locator(".lm-timeline")).to_have_count(1)
    expect(live.page.locator(".lm-timeline")).to_be_hidden()
    live.type("A")
    expect(live.page.locator(".lm-timeline")).to_be_visible()


def test_a_prompt_is_shown_from_its_first_key_to_its_last_answer(live: LivePage) -> None:
    ask(live)
    svg = exported_svg(live)
    for row in ("Typing", "Parts", "Notes", "Ahead", "LiveMind", "Conventional", "Small alone"):
        assert row in words(svg)
    shown = "\n".join(titles(svg))
    assert "Anna has five apples." in shown
    assert "Note on part 1\nabout Anna has five" in shown
    assert "Enter" in titles(svg)
    for lane in ("LiveMind", "Conventional", "Small model alone"):
        assert f"{lane}\ndone\nfirst word" in shown
    typed = [title for title in titles(svg) if "typed\n" in title]
    assert sum(int(title.split()[0]) for title in typed) == len(TEXT)


def test_figures_of_the_axis_are_those_of_the_pane(live: LivePage) -> None:
    ask(live)
    first = live.lane("live").locator("dt", has_text="First word").locator("+ dd").inner_text()
    tokens = live.lane("live").get_by_text("Answer", exact=True).locator("+ dd").inner_text()
    shown = next(title for title in titles(exported_svg(live)) if title.startswith("LiveMind\n"))
    assert f"first word {first}" in shown
    assert tokens in shown


def test_arrow_keys_go_from_one_to_the_next(live: LivePage) -> None:
    ask(live)
    tip = live.page.locator(".lm-tip")
    live.page.locator(".lm-plane").focus()
    live.page.keyboard.press("ArrowRight")
    expect(tip).to_contain_text("Part 1Anna has five apples.")
    live.page.keyboard.press("ArrowRight")
    expect(tip).to_contain_text("Part 2Ben gives her three more.")
    live.page.keyboard.press("ArrowDown")
    expect(tip).to_contain_text("Note on part 1")


def test_what_was_thrown_away_is_told(live: LivePage, gates: Gates) -> None:
    live.type("Anna has five apples. And")
    live.wait_for_chips("noted", "typing")
    gates.hold(Priority.NOTE)
    live.box.press("Home")
    live.type("Once ")
    gates.open()
    live.wait_for_chips("noted", "typing")
    expect(live.page.locator("#lm-timeline-summary")).to_contain_text("thrown away")
    assert any("rolled back: the text before it changed" in title for title in titles(exported_svg(live)))


def test_a_part_can_be_pointed_at(live: LivePage) -> None:
    ask(live)
    live.page.get_by_role("button", name="Zoom in").hover()
    stage = live.page.locator(".lm-plane canvas")
    tip = live.page.locator(".lm-tip")
    box = stage.bounding_box()
    assert box
    groups = exported_svg(live).iter(f"{SVG}g")
    bar = next(group[1] for group in groups if (group[0].text or "").startswith("Part 2"))
    x, y = float(bar.attrib["x"]) + float(bar.attrib["width"]) / 2, float(bar.attrib["y"]) + 8
    stage.hover(position={"x": x, "y": y})
    expect(tip).to_contain_text("Ben gives her three more.")
    live.page.get_by_role("button", name="Send", exact=True).hover()
    expect(tip).to_be_hidden()


def test_the_picture_is_exported_twice_as_fine(live: LivePage) -> None:
    ask(live)
    with live.page.expect_download() as download:
        live.page.get_by_role("button", name="Export PNG").click()
    data = download.value.path().read_bytes()
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    size = live.page.locator(".lm-plane canvas").bounding_box()
    assert size
    assert picture.size == (2 * round(size["width"]), 2 * round(size["height"]))
    bars = picture.crop((2 * LEFT, 2 * AXIS, picture.width, picture.height))
    assert 0.02 < drawn(bars) < 0.6
    assert colored(bars) > 0.001


def test_a_reload_draws_the_same_rows(live: LivePage) -> None:
    ask(live)
    before = exported_svg(live)
    live.page.reload()
    live.ready()
    live.wait_for_lane("slm", "done")
    after = exported_svg(live)
    assert [title for title in titles(after) if title.startswith(("Part", "Note", "Enter"))] == [
        title for title in titles(before) if title.startswith(("Part", "Note", "Enter"))
    ]


def test_a_new_chat_begins_a_new_axis(live: LivePage) -> None:
    ask(live)
    live.page.locator("#lm-new").click()
    expect(live.page.locator(".lm-timeline")).to_be_hidden()


HOUR = """async (hour) => {
    const at = (path) => import(new URL(`static/timeline/${path}.js`, document.baseURI).href);
    const [{ Record }, { paint }] = await Promise.all([at("record"), at("paint")]);
    const record = hour(Record);
    const drawn = (from, to) => {
        let calls = 0;
        const pen = new Proxy({}, { get: () => () => { calls++; } });
        const view = { from, to, origin: 0, left: 100, right: 1100, width: 1100, now: record.end };
        const hits = paint(pen, record, view, { font: "serif" });
        return { calls, rows: new Set(hits.map((hit) => hit.row)).size, hits: hits.length };
    };
    const counts = { keys: record.typing.length, notes: record.rows.notes.length };
    return { ...counts, all: drawn(0, record.end), one: drawn(1800, 1830) };
}"""
HOUR_OF_EVENTS = Path(__file__).parents[2] / "scripts" / "hour.js"


def test_an_hour_costs_no_more_to_draw_than_the_window_is_wide(live: LivePage) -> None:
    source = HOUR_OF_EVENTS.read_text(encoding="utf-8").partition("\n")[2].strip().rstrip(";")
    hour = live.page.evaluate(f"({HOUR})({source})")
    assert hour["keys"] == 120 * 75
    assert hour["notes"] >= 120 * 5
    assert hour["all"]["rows"] == hour["one"]["rows"] == 5  # typing, parts, notes, the lane and Enter
    assert hour["all"]["calls"] < 5 * 4 * 1000  # rows, strokes of the pen for one thing, pixels
    assert 0 < hour["one"]["hits"] < 200


@pytest.mark.parametrize("key", ["+", "Home", "ArrowDown"])
def test_keys_move_the_axis_only_where_it_has_the_focus(live: LivePage, key: str) -> None:
    ask(live)
    live.box.press_sequentially(key) if len(key) == 1 else live.box.press(key)
    expect(live.page.get_by_role("button", name="This prompt")).to_have_attribute("aria-pressed", "true")
    expect(live.page.locator(".lm-tip")).to_be_hidden()
