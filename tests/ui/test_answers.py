"""What happens after Enter: lanes, figures, stopping, new chats; and that model text stays text."""

import re

import pytest
from playwright.sync_api import expect

from livemind_app.protocol import Priority
from tests.ui.conftest import ANSWER, ATTACK, Gates, LivePage, Log

LANES = ("live", "conventional", "slm")
MODEL = {"live": "llm", "conventional": "llm", "slm": "slm"}
QUESTION = "Anna has five apples. Ben gives her three more. How many has she?"


def test_enter_answers_in_three_lanes_with_figures(live: LivePage) -> None:
    live.type("Anna has five apples. How ")
    live.wait_for_chips("noted", "typing")
    live.type("many has she?")
    live.box.press("Enter")
    for lane in LANES:
        live.wait_for_lane(lane, "done")
        expect(live.lane(lane).locator(".lm-answer")).to_have_text(f"The {MODEL[lane]} says: {ANSWER}")
        expect(live.lane(lane)).to_contain_text("First word")
        expect(live.lane(lane).locator(".lm-clock")).to_have_text(re.compile(r"^[\d.]+ s$"))
    expect(live.lane("live")).to_contain_text("Thought before Enter")
    expect(live.page.locator(".lm-headline")).to_have_text(re.compile(r"^Ready .* s (sooner|later) than"))
    expect(live.page.locator("#lm-turn .lm-bar-row")).to_have_count(3)
    expect(live.page.locator("#lm-turn summary")).to_have_text("1 note written before Enter")
    expect(live.page.locator("#lm-lane-live-slm")).to_be_hidden()
    expect(live.box).to_have_value("")
    expect(live.status).to_have_text(re.compile("All answers are there"))


MARKED = """(lane) => [...(CSS.highlights.get(`lm-drafted-${lane}`) ?? [])].map(String).join("|")"""


def test_drafted_text_is_underlined_and_counted(live: LivePage) -> None:
    live.ask("How many apples and pears has she? " + QUESTION)
    live.wait_for_lane("slm", "done")
    for lane in ("live", "conventional"):
        assert "many apples and" in live.page.evaluate(MARKED, lane)
        expect(live.lane(lane).locator(".lm-legend")).to_be_visible()
        expect(live.lane(lane)).to_contain_text(re.compile(r"[\d.]+ tokens a forward · \d+ forwards? saved"))
    live.page.reload()
    live.wait_for_lane("slm", "done")
    assert "many apples and" in live.page.evaluate(MARKED, "live")


def test_without_lookahead_nothing_is_marked(live: LivePage) -> None:
    live.open_options()
    live.page.get_by_label("Lookahead").uncheck()
    live.ask("How many apples and pears has she? " + QUESTION)
    live.wait_for_lane("slm", "done")
    assert live.page.evaluate(MARKED, "live") == ""
    expect(live.lane("live").locator(".lm-legend")).to_be_hidden()
    expect(live.lane("live")).not_to_contain_text("tokens a forward")


def test_lanes_stream_one_after_another(live: LivePage, gates: Gates) -> None:
    gates.hold(Priority.ANSWER, after=4)
    live.ask(QUESTION)
    live.wait_for_lane("live", "writing")
    expect(live.lane("live")).to_have_attribute("aria-busy", "true")
    live.wait_for_lane("conventional", "queued")
    expect(live.lane("live").locator(".lm-answer")).to_have_text("The llm says: so")
    first = live.lane("live").locator(".lm-clock").text_content()
    expect(live.lane("live").locator(".lm-clock")).not_to_have_text(first or "")
    expect(live.page.locator(".lm-headline")).to_have_text("")
    gates.open()
    live.wait_for_lane("slm", "done")
    expect(live.lane("live")).to_have_attribute("aria-busy", "false")


@pytest.mark.parametrize("way", ["Escape", "button"])
def test_stop_keeps_what_was_said(live: LivePage, gates: Gates, way: str) -> None:
    gates.hold(Priority.ANSWER, after=4)
    live.ask(QUESTION)
    live.wait_for_lane("live", "writing")
    if way == "Escape":
        live.page.keyboard.press("Escape")
    else:
        live.page.locator("#lm-stop").click()
    for lane in LANES:
        live.wait_for_lane(lane, "stopped")
    expect(live.lane("live").locator(".lm-answer")).to_have_text("The llm says: so")
    expect(live.page.locator("#lm-stop")).to_be_disabled()


def test_a_second_prompt_waits_for_the_answer_and_is_kept(live: LivePage, gates: Gates, log: Log) -> None:
    log.allowed.append("409 (Conflict)")
    gates.hold(Priority.ANSWER, after=2)
    live.ask(QUESTION)
    live.wait_for_lane("live", "writing")
    live.ask("Another question?")
    expect(live.status).to_contain_text("stop it first")
    expect(live.box).to_have_value("Another question?")
    gates.open()
    live.wait_for_lane("slm", "done")
    live.box.press("Enter")
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text("Another question?")


def test_earlier_turns_stay(live: LivePage) -> None:
    live.ask(QUESTION)
    live.wait_for_lane("slm", "done")
    live.ask("And what if Ben takes two back?")
    live.wait_for_lane("slm", "done")
    earlier = live.page.locator("#lm-history details")
    expect(earlier).to_have_count(1)
    expect(earlier.locator(".lm-earlier-prompt")).to_have_text(QUESTION)
    earlier.locator("summary").click()
    expect(earlier.locator(".lm-answer").first).to_have_text(f"The llm says: {ANSWER}")
    live.page.reload()
    live.ready()
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text("And what if Ben takes two back?")
    expect(live.page.locator("#lm-history .lm-earlier-prompt")).to_have_text(QUESTION)


def test_a_new_chat_is_empty(live: LivePage) -> None:
    live.ask(QUESTION)
    live.wait_for_lane("slm", "done")
    live.type("Half a sentence")
    live.page.locator("#lm-new").click()
    expect(live.page.locator("#lm-turn section")).to_be_hidden()
    expect(live.chips).to_have_count(0)
    expect(live.box).to_have_value("")
    live.wait_for_lane("live", "idle")
    live.ask("A fresh question?")
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text("A fresh question?")
    expect(live.page.locator("#lm-history details")).to_have_count(0)


def test_model_text_never_becomes_an_element(live: LivePage) -> None:
    live.type(f"{ATTACK} What", delay=1)
    expect(live.notes.filter(has_text="about <img src=x")).to_have_count(1)
    live.type(" is it?")
    live.box.press("Enter")
    live.wait_for_lane("slm", "done")
    expect(live.lane("live").locator(".lm-answer")).to_contain_text("<img src=x onerror=")
    expect(live.lane("live").locator("strong")).to_have_text("<b>bold</b>")
    assert live.page.locator("main :is(img, b, script)").count() == 0
    expect(live.page).to_have_title("LiveMind")


def test_the_small_model_may_answer(live: LivePage) -> None:
    live.open_options()
    with live.page.expect_response(lambda response: response.request.method == "PATCH"):
        live.page.locator("#lm-options").get_by_label("Small model", exact=True).check()
    expect(live.page.locator("#lm-lane-live-slm")).to_be_visible()
    expect(live.page.locator("#lm-lane-live")).to_be_hidden()
    live.ask(QUESTION)
    live.wait_for_lane("live-slm", "done")
    expect(live.lane("live-slm").locator(".lm-answer")).to_have_text(f"The slm says: {ANSWER}")


def test_models_that_are_not_ready_are_told_in_words(live: LivePage) -> None:
    models = [
        {"role": "llm", "name": "Big", "state": "fetching", "progress": 0.42, "detail": ""},
        {"role": "slm", "name": "Tiny", "state": "failed", "progress": None, "detail": "disk full"},
    ]
    body = {"status": "failed", "version": "1", "models": models, "sessions": 0}
    live.page.route("**/api/health", lambda route: route.fulfill(json=body))
    live.page.reload()
    live.ready()
    shown = live.page.locator("#lm-models .lm-model")
    expect(shown).to_have_text([re.compile("Big.*downloading 42 %"), re.compile("Tiny.*failed – disk full")])
    live.page.unroute("**/api/health")
    expect(shown).to_have_count(0)


def test_a_phone_shows_one_lane_at_a_time(live: LivePage) -> None:
    live.page.set_viewport_size({"width": 390, "height": 844})
    live.ask(QUESTION)
    live.wait_for_lane("slm", "done")
    expect(live.lane("live")).to_be_visible()
    expect(live.lane("slm")).to_be_hidden()
    live.page.locator("#lm-tabs").get_by_role("button", name="Small alone").click()
    expect(live.lane("slm")).to_be_visible()
    expect(live.lane("live")).to_be_hidden()
    width = live.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
