"""Notes and the segments that they are about, in their rarer states, with what they cost."""

import re
from typing import Any

from playwright.sync_api import expect

from livemind_app.protocol import Priority
from tests.ui.conftest import Gates, LivePage
from tests.ui.test_accessibility import check

COST = re.compile(r"^\d+ tokens? · \d+\.\d+ s$")
SHOW = """async (events) => {
    const at = (path) => import(new URL(`static/${path}`, document.baseURI).href);
    // Views of its own, which the page does not draw its own state on whenever it draws.
    const own = [at("view/notes.js?own"), at("view/segments.js?own")];
    const [store, notes, segments] = await Promise.all([at("store.js"), ...own]);
    const state = events.reduce(store.fold, store.EMPTY);
    segments.renderSegments(state, 9);
    notes.renderNotes(state, 9);
}"""
TEXT = ("Anna has five apples. ", "Ben has two. ", "Carl has none. ", "And")
DRAFT = {
    "type": "segments",
    "at": 1,
    "revision": 1,
    "kept": 0,
    "segments": [{"text": text, "finished": text != TEXT[-1]} for text in TEXT],
}


def action(index: int, **more: Any) -> dict[str, Any]:
    usual = {"kind": "inference", "delta": "a note", "status": "done", "tokens": 12, "seconds": 0.25}
    return {"type": "action", "at": 2 + index, "first": index, "index": index, **usual, **more}


def test_a_note_tells_what_it_cost(live: LivePage) -> None:
    live.type("Anna has five apples. And")
    live.wait_for_chips("noted", "typing")
    expect(live.notes.locator(".lm-note-state")).to_have_text("noted")
    expect(live.notes.locator(".lm-note-cost")).to_have_text(COST)


def test_a_segment_on_which_the_model_waits_and_one_that_was_cut(live: LivePage) -> None:
    expect(live.status).to_have_text("Ready. Start typing.")
    wait = action(1, kind="wait", delta="", tokens=1, probability=0.2)
    live.page.evaluate(SHOW, [DRAFT, action(0), wait, action(2, status="cut", tokens=1, seconds=0.5)])
    live.wait_for_chips("noted", "waiting", "cut", "typing")
    expect(live.chips.locator(".lm-chip-word")).to_have_text(
        ["noted", "waits for more", "cut short", "being typed"]
    )
    expect(live.notes.locator(".lm-note-number")).to_have_text(["1", "3"])  # a wait says nothing
    expect(live.notes.locator(".lm-note-about")).to_have_text([TEXT[0].strip(), TEXT[2].strip()])
    expect(live.notes.locator(".lm-note-state")).to_have_text(["noted", "cut short"])
    expect(live.notes.locator(".lm-note-cost")).to_have_text(["12 tokens · 0.25 s", "1 token · 0.50 s"])
    check(live)


def test_a_note_that_enter_cut_is_told_with_the_turn(live: LivePage, gates: Gates) -> None:
    gates.hold(Priority.NOTE, after=2)
    live.type("Anna has five apples. And")
    live.wait_for_chips("thinking", "typing")
    expect(live.notes.locator(".lm-note-text")).to_have_text("about Anna")
    live.box.press("Enter")
    live.wait_for_lane("slm", "done")
    live.page.locator("#lm-turn details summary").first.click()
    note = live.page.locator("#lm-turn .lm-note[data-status=cut]")
    expect(note.locator(".lm-note-text")).to_have_text("about Anna")
    expect(note.locator(".lm-note-state")).to_have_text("cut short")
    expect(note.locator(".lm-note-cost")).to_have_text(COST)
