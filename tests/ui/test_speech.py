"""Speech input: a recognizer of the browser, played here by a double, writes into the box."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.ui.conftest import LivePage, Log

DOUBLE = """
window.heard = [];
class Double {
    start() { window.recognizer = this; window.heard.push("start"); }
    abort() { window.heard.push("abort"); this.onerror?.({ error: "aborted" }); this.onend?.(); }
    say(...parts) { this.onresult({ results: parts.map((transcript) => [{ transcript }]) }); }
}
window.SpeechRecognition = window.webkitSpeechRecognition = Double;
"""
NONE = "delete window.SpeechRecognition; delete window.webkitSpeechRecognition;"


def opened(context: BrowserContext, log: Log, script: str) -> LivePage:
    page = context.new_page()
    log.watch(page)
    page.add_init_script(script)
    return LivePage(page, log).open()


@pytest.fixture
def speaking(context: BrowserContext, live: LivePage, log: Log) -> LivePage:
    return opened(context, log, DOUBLE)


def listen(live: LivePage) -> None:
    live.page.get_by_role("button", name="Speak").click()
    live.page.get_by_role("button", name="Listen", exact=True).click()
    expect(live.page.get_by_role("button", name="Stop listening")).to_be_visible()


def test_what_is_said_is_thought_about_while_it_is_said(speaking: LivePage) -> None:
    speaking.type("First of all.")
    listen(speaking)
    speaking.page.evaluate("recognizer.say('Anna has five apples. ', 'And')")
    speaking.wait_for_chips("noted", "noted", "typing")
    expect(speaking.box).to_have_value("First of all. Anna has five apples. And")
    speaking.page.evaluate("recognizer.say('Anna has five apples. ', 'And Ben has two.')")
    expect(speaking.box).to_have_value("First of all. Anna has five apples. And Ben has two.")
    speaking.box.press("Enter")
    speaking.wait_for_lane("slm", "done")
    expect(speaking.page.get_by_role("button", name="Speak")).to_be_visible()


def test_nothing_is_heard_before_the_user_has_agreed(speaking: LivePage) -> None:
    speaking.page.get_by_role("button", name="Speak").click()
    expect(speaking.page.get_by_role("dialog")).to_contain_text("may send what you say to its vendor")
    speaking.page.get_by_role("button", name="Not now").click()
    assert speaking.page.evaluate("window.heard") == []
    listen(speaking)
    speaking.page.get_by_role("button", name="Stop listening").click()
    speaking.page.get_by_role("button", name="Speak").click()  # asked once
    assert speaking.page.evaluate("window.heard") == ["start", "abort", "start"]


def test_a_key_takes_over_and_what_was_understood_stays(speaking: LivePage) -> None:
    listen(speaking)
    speaking.page.evaluate("recognizer.say('Anna has')")
    speaking.box.press_sequentially(" six")
    expect(speaking.box).to_have_value("Anna has six")
    speaking.page.evaluate("recognizer.say('Anna has five')")  # too late
    expect(speaking.box).to_have_value("Anna has six")


def test_a_failure_is_told_in_words(speaking: LivePage) -> None:
    listen(speaking)
    speaking.page.evaluate("recognizer.onerror({ error: 'not-allowed' }); recognizer.onend()")
    expect(speaking.status).to_have_text("The browser may not use the microphone for this page.")
    expect(speaking.page.get_by_role("button", name="Speak")).to_be_visible()


def test_the_page_may_use_the_microphone(live: LivePage, log: Log) -> None:
    policy = live.page.request.get(log.host).headers["permissions-policy"]
    assert "microphone=(self)" in policy


def test_there_is_no_microphone_where_the_browser_has_no_recognition(
    context: BrowserContext, live: LivePage, log: Log
) -> None:
    expect(opened(context, log, NONE).page.locator(".lm-microphone")).to_be_hidden()
