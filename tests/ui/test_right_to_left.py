"""Hebrew and Arabic: each text is shown in its own direction, inside a page that stays from left to right."""

import pytest
from playwright.sync_api import Locator, expect

from livemind_app.protocol import Priority
from tests.ui.conftest import Gates, LivePage

HEBREW = "לאנה יש חמישה תפוחים. כמה נשארו לה?"
ARABIC = "لدى آنا خمس تفاحات. كم بقي لها؟"


def direction(node: Locator) -> str:
    return str(node.evaluate("node => getComputedStyle(node).direction"))


@pytest.fixture(params=[HEBREW, ARABIC], ids=["Hebrew", "Arabic"])
def text(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_segments_and_notes(live: LivePage, text: str) -> None:
    live.type(text)
    live.wait_for_chips("noted", "typing")
    for chip in live.chips.locator(".lm-chip-text").all():
        assert direction(chip) == "rtl"
    note = live.notes.first
    assert direction(note.locator(".lm-note-about")) == "rtl"
    assert direction(note.locator(".lm-note-text")) == "ltr"  # "about …", as the script says
    assert direction(note) == "ltr"


def test_a_note_in_the_language_of_the_prompt(live: LivePage, gates: Gates, text: str) -> None:
    gates.hold(Priority.NOTE)
    live.type(text)
    live.wait_for_chips("thinking", "typing")
    live.page.evaluate(
        """async (text) => {
            const { renderList } = await import(new URL("static/view/notes.js", document.baseURI).href);
            const list = document.createElement("ol");
            list.id = "noted";
            document.body.append(list);
            const note = { first: 0, index: 0, kind: "inference", status: "done", text };
            renderList(list, [{ ...note, tokens: 3, seconds: 0.1 }], [{ text }]);
        }""",
        text,
    )
    assert direction(live.page.locator("#noted .lm-note-text")) == "rtl"


def test_titles_of_chats_and_the_field_for_a_new_one(live: LivePage, text: str) -> None:
    live.ask(text)
    live.wait_for_lane("slm", "done")
    title = live.page.locator(".lm-chat-title", has_text=text).first
    expect(title).to_be_visible()
    assert direction(title) == "rtl"
    live.page.locator(".lm-chat", has=title).get_by_role("button", name="Rename").click()
    field = live.page.get_by_label("Name of the chat")
    assert direction(field) == "rtl"
    field.fill("Apples")
    assert direction(field) == "ltr"


def test_details_of_the_timeline(live: LivePage, text: str) -> None:
    live.type(text)
    live.wait_for_chips("noted", "typing")
    live.page.locator(".lm-plane").focus()
    live.page.keyboard.press("ArrowRight")
    tip = live.page.locator(".lm-tip")
    expect(tip).to_contain_text(text.split(".")[0])
    title, said, *_ = [tip.locator("> *").nth(number) for number in range(2)]
    assert direction(title) == "ltr"
    assert direction(said) == "rtl"
    assert live.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
