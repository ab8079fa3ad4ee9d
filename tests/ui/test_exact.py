"""The exact mode on the page: the answer is there before Enter, and nothing about it changes."""

import pytest
from playwright.sync_api import expect

from livemind_app.protocol import Priority
from tests.ui.conftest import ANSWER, Gates, LivePage

TEXT = "Anna has five apples. How many are left?"


@pytest.fixture
def exact(live: LivePage) -> LivePage:
    live.open_options()
    with live.page.expect_response(lambda response: response.request.method == "PATCH"):
        live.page.get_by_label("Get the exact answer ready").check()
    return live


def test_the_answer_is_ready_before_enter(exact: LivePage, gates: Gates) -> None:
    exact.type(TEXT)
    expect(exact.status).to_contain_text("The answer is ready")
    expect(exact.notes.locator(".lm-note-state")).to_have_text("drafted")
    gates.hold(Priority.ANSWER)
    exact.box.press("Enter")
    exact.wait_for_lane("live", "done")
    expect(exact.lane("live").locator(".lm-answer")).to_have_text(f"The llm says: {ANSWER}")
    figures = exact.lane("live").locator(".lm-figures")
    expect(figures).to_contain_text("Ready at Enter9 tokens")
    exact.wait_for_lane("conventional", "done")
    expect(exact.lane("conventional").locator(".lm-answer")).to_have_text(f"The llm says: {ANSWER}")


def test_half_an_answer_is_shown_at_once_and_goes_on(exact: LivePage, gates: Gates) -> None:
    gates.hold(Priority.SPECULATION, after=4)
    gates.hold(Priority.ANSWER)
    exact.type(TEXT)
    expect(exact.status).to_contain_text("Answering ahead")
    exact.box.press("Enter")
    expect(exact.lane("live").locator(".lm-answer")).to_have_text("The llm says: so")
    gates.open()
    exact.wait_for_lane("live", "done")
    expect(exact.lane("live").locator(".lm-answer")).to_have_text(f"The llm says: {ANSWER}")


def test_exact_stands_beside_notes_when_asked_for(live: LivePage) -> None:
    live.open_options()
    with live.page.expect_response(lambda response: response.request.method == "PATCH"):
        live.page.get_by_role("checkbox", name="Exact", exact=True).check()
    expect(live.lane("exact")).to_be_visible()
    live.type(TEXT)
    live.box.press("Enter")
    for lane in ("live", "exact", "conventional"):
        live.wait_for_lane(lane, "done")
    said = live.lane("exact").locator(".lm-answer")
    expect(said).to_have_text(live.lane("conventional").locator(".lm-answer").inner_text())
