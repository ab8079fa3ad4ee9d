"""What was typed and answered stays: chats that are left, refused or open twice, words half composed."""

from playwright.sync_api import BrowserContext, Page, Route, expect

from livemind_app.protocol import Priority
from tests.ui.conftest import ANSWER, Gates, LivePage, Log
from tests.ui.test_chats import FIRST, SECOND, ask, chats, server_turns, titles
from tests.ui.test_first_paint import Bundle, begun

__all__ = ["begun", "chats"]  # fixtures

SAID = f"The llm says: {ANSWER}"


def test_a_chat_that_is_left_while_lanes_still_run_is_kept(chats: LivePage, gates: Gates) -> None:
    gates.hold(Priority.BASELINE, after=1)
    chats.ask(FIRST)
    chats.wait_for_lane("live", "done")
    chats.wait_for_lane("conventional", "writing")
    chats.page.locator("#lm-new").click()
    expect(chats.page.locator("#lm-turn section")).to_be_hidden()
    expect(chats.page.locator(".lm-chat-title")).to_have_text([FIRST])
    gates.open()
    chats.page.get_by_role("button", name=FIRST, exact=True).click()
    expect(chats.page.locator("#lm-turn .lm-prompt-said")).to_have_text(FIRST)
    expect(chats.lane("live").locator(".lm-answer")).to_have_text(SAID)
    chats.wait_for_lane("conventional", "stopped")
    expect(chats.page.get_by_role("button", name="Ask again")).to_be_enabled()


def test_nothing_of_the_chat_that_is_left_gets_into_the_one_that_is_opened(
    chats: LivePage, gates: Gates
) -> None:
    ask(chats, FIRST)
    chats.page.locator("#lm-new").click()
    expect(chats.page.locator("#lm-turn section")).to_be_hidden()
    gates.hold(Priority.BASELINE, after=1)
    chats.ask(SECOND)
    chats.wait_for_lane("conventional", "writing")
    held: list[Route] = []
    chats.page.route("**/clear", lambda route: held.append(route))
    chats.page.get_by_role("button", name=FIRST, exact=True).click()
    gates.open()
    chats.wait_for_lane("slm", "done")  # of the chat that is still there
    held[0].continue_()
    expect(chats.page.locator("#lm-turn .lm-prompt-said")).to_have_text(FIRST)
    expect(chats.lane("conventional").locator(".lm-answer")).to_have_text(SAID)
    expect(chats.page.locator(".lm-chat-title")).to_have_text([SECOND, FIRST])
    chats.page.reload()
    chats.ready()
    expect(chats.page.locator("#lm-turn .lm-prompt-said")).to_have_text(FIRST)
    expect(chats.lane("conventional").locator(".lm-answer")).to_have_text(SAID)


def test_a_prompt_without_an_answer_outlives_its_session(chats: LivePage, gates: Gates, log: Log) -> None:
    log.allowed.append("404 (Not Found)")
    ask(chats, FIRST)
    gates.hold(Priority.ANSWER)
    chats.ask(SECOND)
    chats.wait_for_lane("live", "reading")
    chats.page.request.delete(f"{log.host}/api/sessions/{chats.token}")
    expect(chats.status).to_contain_text("a new one has begun")
    gates.open()
    expect(chats.page.locator("#lm-turn .lm-prompt-said")).to_have_text(SECOND)
    chats.wait_for_lane("live", "stopped")
    assert [turn["prompt"] for turn in server_turns(chats)] == [FIRST, SECOND]
    chats.page.get_by_role("button", name="Ask again").click()
    chats.wait_for_lane("slm", "done")
    assert [turn["prompt"] for turn in server_turns(chats)] == [FIRST, SECOND]


def test_a_chat_that_a_new_session_does_not_take_stays_among_the_chats(chats: LivePage, log: Log) -> None:
    log.allowed += ["404 (Not Found)", "413"]
    ask(chats, FIRST)
    chats.page.route("**/clear", lambda route: route.fulfill(status=413, json={"error": {"code": "x"}}))
    chats.page.request.delete(f"{log.host}/api/sessions/{chats.token}")
    expect(chats.page.locator("#lm-turn section")).to_be_hidden()
    assert titles(chats) == [FIRST]
    ask(chats, SECOND)
    expect(chats.page.locator(".lm-chat-title")).to_have_text([SECOND, FIRST])


def test_a_chat_that_two_tabs_go_on_with_becomes_two(chats: LivePage) -> None:
    ask(chats, FIRST)
    with chats.page.expect_popup() as popup:
        chats.page.evaluate("() => { window.open(location.href); }")
    copy = LivePage(popup.value, chats.log)
    expect(copy.page.locator("#lm-turn .lm-prompt-said")).to_have_text(FIRST)
    ask(chats, SECOND)
    ask(copy, "And what if she takes one?")
    chats.page.reload()
    chats.ready()
    expect(chats.page.locator(".lm-chat-title")).to_have_text([FIRST, FIRST])
    expect(chats.page.locator("#lm-turn .lm-prompt-said")).to_have_text(SECOND)
    copy.page.reload()
    copy.ready()
    expect(copy.page.locator("#lm-turn .lm-prompt-said")).to_have_text("And what if she takes one?")


def test_asking_again_leaves_what_is_typed(chats: LivePage) -> None:
    ask(chats, FIRST)
    chats.open_options()
    with chats.options_changed():
        chats.page.get_by_label("Nothing").check()  # else the draft stands where the turn does
    chats.page.keyboard.press("Escape")
    chats.type("Half a thought")
    chats.page.get_by_role("button", name="Ask again").click()
    expect(chats.lane("live")).not_to_have_attribute("data-status", "done")
    chats.wait_for_lane("slm", "done")
    expect(chats.box).to_have_value("Half a thought")
    chats.page.get_by_role("button", name="Edit and resend").first.click()
    expect(chats.box).to_have_value(f"{FIRST}\nHalf a thought")


def test_an_option_that_is_taken_no_more_does_not_keep_the_page_from_opening(
    live: LivePage, log: Log
) -> None:
    log.allowed.append("422")

    def refuse(route: Route) -> None:
        if (route.request.post_data or "{}") == "{}":
            route.continue_()
        else:
            route.fulfill(status=422, json={"error": {"code": "invalid_option", "message": "mode: no"}})

    live.page.route(
        "**/options", lambda route: refuse(route) if route.request.method == "PATCH" else route.continue_()
    )
    live.page.goto(f"{log.host}/?max_tokens=77")
    live.page.reload()
    live.ready()
    live.ask(FIRST)
    live.wait_for_lane("live", "done")


def test_a_word_that_an_input_method_composes_is_not_cut_off(
    begun: tuple[Page, Bundle], log: Log, context: BrowserContext
) -> None:
    """By the browser's own events, between whose listeners promises are settled."""
    page, bundle = begun
    early = page.locator("#lm-first textarea")
    expect(early).to_be_focused()
    keys = context.new_cdp_session(page)
    keys.send("Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3})
    bundle.let()
    page.wait_for_selector("#lm-prompt textarea", state="attached")
    expect(early).to_be_visible()
    keys.send("Input.insertText", {"text": "日本"})
    expect(LivePage(page, log).ready().box).to_have_value("日本")
