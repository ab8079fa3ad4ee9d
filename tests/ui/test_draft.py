"""The mode draft on the page: the answer goes along with the text, and Enter shows what stays of it."""

import re

from playwright.sync_api import BrowserContext, expect

from livemind_app.config import Settings
from livemind_app.protocol import Priority
from tests.ui.conftest import ANSWER, Gates, LivePage, Log, open_page, page_served


def test_a_draft_is_told_while_typing_and_shown_at_enter(live: LivePage, gates: Gates) -> None:
    live.open_options()
    with live.options_changed():
        live.page.get_by_label("Draft the answer").check()
    expect(live.page.get_by_label("Strictness of drafts").first).to_be_enabled()
    expect(live.page.get_by_label("Longest note").first).to_be_disabled()
    live.box.fill("Anna has five apples. How many are ")
    expect(live.status).to_contain_text("Drafting along")
    expect(live.page.locator(".lm-status-count")).to_have_text("9 tokens")
    live.wait_for_chips("drafted", "typing")
    expect(live.notes).to_have_count(1)
    expect(live.notes).to_contain_text(f"The llm says: {ANSWER}")
    expect(live.notes.locator(".lm-note-number")).to_have_text("1–2")
    expect(live.notes.locator(".lm-note-state")).to_have_text("drafted")
    expect(live.notes.locator(".lm-note-cost")).to_have_text(re.compile(r"^9 tokens · .* s$"))
    begun = live.page.get_by_role("region", name="Your answer, begun before Enter")
    expect(begun.locator("p")).to_have_text(f"The llm says: {ANSWER}")
    gates.hold(Priority.ANSWER)
    live.box.fill("Anna has five apples. How many are left in the basket? Now say ")
    live.wait_for_chips("drafted", "drafted", "typing")
    expect(live.notes.locator(".lm-note-state")).to_have_text(["drafted", "nothing new"])
    live.type("it in short")
    live.box.press("Enter")
    live.wait_for_lane("live", "done")
    expect(begun).to_be_hidden()
    expect(live.lane("live").locator(".lm-answer")).to_have_text(f"The llm says: {ANSWER}")
    expect(live.lane("live").locator(".lm-figures")).to_contain_text("Ready at Enter9 tokens")
    live.wait_for_lane("conventional", "done")


def test_an_edit_takes_back_what_read_it(live: LivePage, gates: Gates) -> None:
    live.open_options()
    with live.options_changed():
        live.page.get_by_label("Draft the answer").check()
    live.box.fill("Anna 🍏 has five apples. How ")
    live.wait_for_chips("drafted", "typing")
    expect(live.notes.locator(".lm-note-text")).to_have_text(f"The llm says: {ANSWER}")
    gates.hold(Priority.SPECULATION)
    live.box.press("Control+Home")
    live.box.press("Control+ArrowRight")
    live.type("not ")
    expect(live.notes.filter(has_text="rolled back")).to_be_visible()
    gates.open()
    live.wait_for_chips("drafted", "typing")


def test_as_it_is_served_an_example_types_itself_and_its_answer_is_begun(
    context: BrowserContext, gates_of_server: Gates
) -> None:
    with page_served(Settings(), gates_of_server) as url:
        log = Log(url)
        live = open_page(context, log)
        live.page.get_by_role("button", name="Type an example for me").click()
        expect(live.status).to_contain_text("Drafting along", timeout=60_000)
        expect(live.page.locator(".lm-begun-text")).to_have_text(f"The llm says: {ANSWER}")
        expect(live.page.locator(".lm-headline")).to_have_text(re.compile("^Ready .* s"), timeout=90_000)
        live.page.close()
        assert not log.found
