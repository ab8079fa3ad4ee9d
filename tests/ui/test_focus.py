"""Where the keyboard's focus is after what it stood on went away."""

from playwright.sync_api import expect

from livemind_app.protocol import Priority
from tests.ui.conftest import Gates, LivePage

FIRST, SECOND, THIRD = "How many apples has Anna?", "How many pears has Ben?", "And how many has Carl?"


def ask(live: LivePage, text: str) -> None:
    live.ask(text)
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text(text)
    live.wait_for_lane("slm", "done")
    expect(live.page.locator(".lm-chat-title").first).to_have_text(text)


def three_chats(live: LivePage) -> None:
    live.page.evaluate("indexedDB.deleteDatabase('livemind')")
    live.page.reload()
    live.ready()
    for text in (FIRST, SECOND, THIRD):
        ask(live, text)
        live.page.locator("#lm-new").click()
        expect(live.page.locator("#lm-turn section")).to_be_hidden()


def delete(live: LivePage, title: str) -> None:
    live.page.once("dialog", lambda dialog: dialog.accept())
    chat = live.page.locator(".lm-chat", has_text=title)
    chat.get_by_role("button", name="Delete").focus()
    live.page.keyboard.press("Enter")
    expect(chat).to_have_count(0)


def test_stopping_a_lane_leaves_it_to_what_can_be_done_next(live: LivePage, gates: Gates) -> None:
    gates.hold(Priority.ANSWER, after=2)
    live.ask(FIRST)
    live.wait_for_lane("live", "writing")
    live.page.get_by_role("button", name="Stop LiveMind").focus()
    live.page.keyboard.press("Enter")
    live.wait_for_lane("live", "stopped")
    expect(live.page.get_by_role("button", name="Copy the answer of LiveMind")).to_be_focused()


def test_stopping_a_lane_that_said_nothing_leaves_it_to_the_pane(live: LivePage, gates: Gates) -> None:
    gates.hold(Priority.ANSWER)
    live.ask(FIRST)
    live.wait_for_lane("live", "reading")
    live.page.get_by_role("button", name="Stop LiveMind").focus()
    live.page.keyboard.press("Enter")
    live.wait_for_lane("live", "stopped")
    expect(live.lane("live")).to_be_focused()


def test_a_retry_leaves_it_to_stop(live: LivePage, gates: Gates) -> None:
    live.ask(FIRST)
    live.wait_for_lane("slm", "done")
    retry = live.page.get_by_role("button", name="Have Conventional answer again")
    expect(retry).to_be_visible()
    gates.hold(Priority.BASELINE)
    retry.focus()
    live.page.keyboard.press("Enter")
    expect(live.page.get_by_role("button", name="Stop Conventional")).to_be_focused()


def test_deleting_a_chat_leaves_it_to_the_next(live: LivePage) -> None:
    three_chats(live)
    title = live.page.locator(".lm-chat-title")
    delete(live, SECOND)
    expect(title.filter(has_text=FIRST)).to_be_focused()
    delete(live, FIRST)
    expect(title.filter(has_text=THIRD)).to_be_focused()
    delete(live, THIRD)
    expect(live.page.get_by_role("button", name="Import")).to_be_focused()


def test_leaving_a_new_name_is_not_called_back(live: LivePage) -> None:
    three_chats(live)
    rename = live.page.locator(".lm-chat").first.get_by_role("button", name="Rename")
    title = live.page.locator(".lm-chat-title").first
    rename.click()
    live.page.get_by_label("Name of the chat").fill("Fruit")
    live.box.click()
    expect(title).to_have_text("Fruit")
    expect(live.box).to_be_focused()
    rename.click()
    live.page.get_by_label("Name of the chat").fill("Apples")
    live.page.keyboard.press("Tab")
    expect(title).to_have_text("Apples")
    expect(live.page.locator(".lm-chat-title").nth(1)).to_be_focused()
    rename.click()
    live.page.keyboard.press("Enter")
    expect(title).to_be_focused()
