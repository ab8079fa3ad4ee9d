"""What can be done with an answer: copied, asked for again, its prompt edited, compared with the others."""

import re

import pytest
from playwright.sync_api import expect

from livemind_app.protocol import Priority
from tests.ui.conftest import ANSWER, Gates, LivePage

QUESTION = "Anna has five apples. How many has she?"
MARKED = """(lane) => [...(CSS.highlights.get(`lm-different-${lane}`) ?? [])].map(String).join("|")"""


def ask(live: LivePage, text: str = QUESTION) -> None:
    live.ask(text)
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text(text)
    live.wait_for_lane("slm", "done")


def test_copying_an_answer(live: LivePage) -> None:
    live.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(live)
    live.page.get_by_role("button", name="Copy the answer of Small model alone").click()
    expect(live.lane("slm").locator(".lm-copy")).to_have_text("Copied")
    assert live.page.evaluate("navigator.clipboard.readText()") == f"The slm says: {ANSWER}"


def test_copying_where_there_is_no_clipboard_api(live: LivePage) -> None:
    ask(live)
    live.page.evaluate(
        """() => {
            Object.defineProperty(navigator, "clipboard", { value: undefined });
            document.addEventListener("copy", () => (window.copied = document.activeElement.value));
        }"""
    )
    live.page.get_by_role("button", name="Copy the answer of Small model alone").click()
    expect(live.lane("slm").locator(".lm-copy")).to_have_text("Copied")
    assert live.page.evaluate("window.copied") == f"The slm says: {ANSWER}"


def test_first_word_and_speed_are_told_while_a_lane_writes(live: LivePage, gates: Gates) -> None:
    gates.hold(Priority.ANSWER, after=2)
    live.ask(QUESTION)
    figures = live.lane("live").locator(".lm-figures")
    expect(figures.locator("dt")).to_have_text(["First word"])
    gates.hold(Priority.ANSWER, after=5)
    expect(figures.locator("dt")).to_have_text(["First word", "Speed"])
    first = figures.locator("dd").first.inner_text()
    expect(figures.locator("dd").last).to_have_text(re.compile(r"^[\d.,]+ tok/s$"))
    gates.open()
    live.wait_for_lane("live", "done")
    assert figures.locator("dd").first.inner_text() == first


def test_asking_again_replaces_the_turn(live: LivePage) -> None:
    ask(live, "A first question?")
    ask(live)
    with live.page.expect_request(lambda request: request.url.endswith("/submit")):
        live.page.get_by_role("button", name="Ask again").click()
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text(QUESTION)
    live.wait_for_lane("slm", "done")
    expect(live.page.locator("#lm-history .lm-earlier-prompt")).to_have_text(["A first question?"])


def test_an_only_answer_that_was_asked_for_again_is_the_one_that_is_kept(live: LivePage) -> None:
    live.page.evaluate("indexedDB.deleteDatabase('livemind')")
    live.page.reload()
    live.ready()
    ask(live)
    with live.page.expect_response(lambda response: response.url.endswith("/submit")):
        live.page.get_by_role("button", name="Ask again").click()
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text(QUESTION)
    live.wait_for_lane("slm", "done")
    expect(live.status).to_contain_text("All answers are there")
    latency = live.lane("live").locator(".lm-clock").inner_text()
    live.page.reload()
    live.ready()
    expect(live.lane("live").locator(".lm-clock")).to_have_text(latency)
    expect(live.page.locator(".lm-chat-title")).to_have_text([QUESTION])


def test_editing_takes_the_prompt_back_into_the_box(live: LivePage) -> None:
    ask(live, "A first question?")
    ask(live)
    live.page.get_by_role("button", name="Edit and resend").click()
    expect(live.box).to_have_value(QUESTION)
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text("A first question?")
    live.box.press("End")
    live.type(" And Ben?")
    live.box.press("Enter")
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text(f"{QUESTION} And Ben?")
    live.wait_for_lane("slm", "done")
    expect(live.page.locator("#lm-history .lm-earlier-prompt")).to_have_text(["A first question?"])


def test_nothing_is_taken_back_while_it_is_answered(live: LivePage, gates: Gates) -> None:
    gates.hold(Priority.ANSWER, after=2)
    live.ask(QUESTION)
    live.wait_for_lane("live", "writing")
    expect(live.page.get_by_role("button", name="Ask again")).to_be_disabled()
    gates.open()
    live.wait_for_lane("slm", "done")
    expect(live.page.get_by_role("button", name="Ask again")).to_be_enabled()


def test_differences_are_marked_when_asked_for(live: LivePage) -> None:
    ask(live)
    assert live.page.evaluate(MARKED, "slm") == ""
    toggle = live.page.get_by_role("button", name="Mark differences")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    expect(live.lane("slm").get_by_text("not so in the first answer")).to_be_visible()
    assert live.page.evaluate(MARKED, "slm") == "slm"
    assert live.page.evaluate(MARKED, "conventional") == ""
    toggle.click()
    expect(live.lane("slm").get_by_text("not so in the first answer")).to_be_hidden()


@pytest.mark.parametrize(
    ("text", "other", "expected"),
    [
        ("so 40 remain", "so 35 remain", ["40"]),
        ("a b c d", "a d", ["b c"]),
        ("same", "same", []),
        ("", "something", []),
        ("安娜有五个苹果。", "安娜有三个苹果。", ["五"]),
        ("3.5 m, then", "3.5 m then", [","]),
    ],
)
def test_differences_are_words(live: LivePage, text: str, other: str, expected: list[str]) -> None:
    found = live.page.evaluate(
        """async ([text, other]) => {
            const { differences } = await import(new URL("static/difference.js", document.baseURI).href);
            return differences(text, other).map(([from, to]) => text.slice(from, to));
        }""",
        [text, other],
    )
    assert found == expected


def test_one_lane_is_stopped_and_the_others_go_on(live: LivePage, gates: Gates) -> None:
    gates.hold(Priority.BASELINE, after=2)
    live.ask(QUESTION)
    live.wait_for_lane("conventional", "writing")
    live.page.get_by_role("button", name="Stop Conventional").click()
    live.wait_for_lane("conventional", "stopped")
    gates.open()
    live.wait_for_lane("slm", "done")
    expect(live.lane("live")).to_have_attribute("data-status", "done")
    expect(live.status).to_contain_text("All answers are there")


def test_one_lane_answers_again_and_the_others_stay(live: LivePage, gates: Gates) -> None:
    ask(live)
    latency = live.lane("conventional").locator(".lm-clock").inner_text()
    gates.hold(Priority.BASELINE, after=2)
    live.page.get_by_role("button", name="Have Small model alone answer again").click()
    live.wait_for_lane("slm", "writing")
    expect(live.page.get_by_role("button", name="Have LiveMind answer again")).to_be_hidden()
    gates.open()
    live.wait_for_lane("slm", "done")
    expect(live.lane("slm").locator(".lm-answer")).to_have_text(f"The slm says: {ANSWER}")
    expect(live.lane("conventional").locator(".lm-clock")).to_have_text(latency)
    expect(live.page.locator("#lm-history .lm-earlier")).to_have_count(0)


def test_editing_an_earlier_prompt_goes_on_in_a_new_chat(live: LivePage) -> None:
    live.page.evaluate("indexedDB.deleteDatabase('livemind')")
    live.page.reload()
    live.ready()
    for text in ("A first question?", "A second question?", QUESTION):
        ask(live, text)
    expect(live.page.locator(".lm-chat .lm-caption")).to_contain_text(["3 turns"])
    live.page.locator("#lm-history summary", has_text="A second question?").click()
    live.page.locator("#lm-history details[open]").get_by_role("button", name="Edit and resend").click()
    expect(live.box).to_have_value("A second question?")
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text("A first question?")
    ask(live, "Another second question?")
    expect(live.page.locator("#lm-history .lm-earlier-prompt")).to_have_text(["A first question?"])
    expect(live.page.locator(".lm-chat .lm-caption")).to_contain_text(["2 turns", "3 turns"])
