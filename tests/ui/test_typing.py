"""What happens while the user types: every way of changing the text reaches the server."""

import re

from playwright.sync_api import BrowserContext, Route, expect

from livemind_app.protocol import Priority
from tests.ui.conftest import Gates, LivePage, Log, open_page


def test_notes_appear_while_typing(live: LivePage) -> None:
    live.type("Anna has five apples. Ben gives her three more. How ma", delay=25)
    expect(live.notes.locator(".lm-note-text")).to_have_text(["about Anna has five", "about Ben gives her"])
    expect(live.notes.locator(".lm-note-about").first).to_have_text("Anna has five apples.")
    live.wait_for_chips("noted", "noted", "typing")


def test_a_note_is_shown_while_it_is_written(live: LivePage, gates: Gates) -> None:
    gates.hold(Priority.NOTE, after=2)
    live.type("Anna has five apples. And")
    live.wait_for_chips("thinking", "typing")
    expect(live.notes.locator(".lm-note-text")).to_have_text("about Anna")
    expect(live.status).to_have_text("Thinking about part 1 of 2.")
    gates.open()
    live.wait_for_chips("noted", "typing")


def test_editing_a_sentence_rolls_back_the_later_notes(live: LivePage, gates: Gates) -> None:
    for part, notes in (
        ("Anna has five apples. Ben", 1),
        (" gives her three more. She", 2),
        (" eats two. And", 3),
    ):
        live.type(part)
        live.wait_for_chips(*["noted"] * notes, "typing")
    gates.hold(Priority.NOTE)
    live.box.evaluate("box => box.setSelectionRange(32, 32)")
    live.box.press_sequentially("all ")
    rolled_back = live.page.locator('#lm-notes .lm-note[data-status="rolled-back"]')
    expect(rolled_back).to_have_count(2)
    expect(rolled_back).to_have_count(0)
    expect(live.notes.filter(has_text="about Anna has five")).to_have_count(1)
    gates.open()
    live.wait_for_chips("noted", "noted", "noted", "typing")
    expect(live.notes.locator(".lm-note-text")).to_have_text(["about Anna has five", "about Ben gives all"])


def test_backspace_delete_and_undo_are_sent(live: LivePage) -> None:
    live.type("Anna has five apples. B")
    live.wait_for_chips("noted", "typing")
    live.box.press("Backspace")
    live.box.press("Backspace")
    live.box.press("Backspace")
    live.wait_for_chips("typing")
    live.box.press("Control+Home")
    live.box.press("Delete")
    expect(live.chips.locator(".lm-chip-text")).to_have_text("nna has five apples")
    live.box.press("Control+z")
    expect(live.chips.locator(".lm-chip-text")).to_have_text("Anna has five apples")


def test_pasted_text_is_sent(live: LivePage) -> None:
    live.box.focus()
    live.box.evaluate(
        """box => {
            const clipboardData = new DataTransfer();
            const text = "Anna has five apples. Ben has";
            clipboardData.setData("text/plain", text);
            const paste = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
            if (box.dispatchEvent(paste)) document.execCommand("insertText", false, text);
        }"""
    )
    live.wait_for_chips("noted", "typing")


def test_an_example_fills_the_box_and_is_thought_about(live: LivePage) -> None:
    live.page.get_by_role("button", name="A word problem").click()
    expect(live.box).to_have_value(re.compile("^A bakery bakes"))
    expect(live.notes.filter(has_text="about A bakery bakes")).to_have_count(1)


def test_nothing_is_sent_while_an_input_method_composes(live: LivePage) -> None:
    sent = live.drafts_sent()
    ime = live.page.context.new_cdp_session(live.page)
    live.box.focus()
    for text in ("n", "ni", "你"):
        ime.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
        )
    expect(live.box).to_have_value("你")
    composing_enter = {"key": "Enter", "keyCode": 229, "which": 229, "isComposing": True, "bubbles": True}
    live.box.evaluate("(box, init) => box.dispatchEvent(new KeyboardEvent('keydown', init))", composing_enter)
    assert sent == []
    ime.send("Input.insertText", {"text": "你现在一共有五个苹果。然后"})
    live.wait_for_chips("noted", "typing")
    expect(live.box).to_have_value("你现在一共有五个苹果。然后")
    expect(live.page.locator("#lm-turn section")).to_be_hidden()
    assert [text for text in sent if '"ni"' in text or '"n"' in text] == []


def test_shift_enter_begins_a_new_line(live: LivePage) -> None:
    live.type("One line")
    live.box.press("Shift+Enter")
    live.type("and another")
    expect(live.box).to_have_value("One line\nand another")
    expect(live.page.locator("#lm-turn section")).to_be_hidden()


def test_offline_keeps_the_text_and_sends_it_when_back(live: LivePage, log: Log) -> None:
    log.allowed.append("ERR_INTERNET_DISCONNECTED")
    live.type("Anna has five ")
    expect(live.chips).to_have_count(1)
    live.page.context.set_offline(True)
    expect(live.status).to_contain_text("Offline")
    live.type("apples. Ben")
    expect(live.box).to_have_value("Anna has five apples. Ben")
    live.page.context.set_offline(False)
    live.wait_for_chips("noted", "typing")
    expect(live.status).not_to_contain_text("Offline")


def test_what_was_asked_before_the_network_went_does_not_bring_it_back(live: LivePage) -> None:
    held: list[Route] = []
    live.page.route("**/draft", lambda route: held.append(route))
    with live.page.expect_request("**/draft"):
        live.type("A")
    live.page.evaluate("dispatchEvent(new Event('offline'))")
    expect(live.status).to_contain_text("Offline")
    with live.page.expect_response("**/draft"):
        held.pop(0).continue_()
    expect(live.chips).to_have_count(1)
    expect(live.status).to_contain_text("Offline")
    live.page.unroute("**/draft")
    live.type("nna")
    expect(live.status).not_to_contain_text("Offline")


def test_a_reload_keeps_draft_session_and_notes(live: LivePage) -> None:
    live.type("Anna has five apples. Ben")
    live.wait_for_chips("noted", "typing")
    token = live.token
    live.page.reload()
    live.ready()
    expect(live.box).to_have_value("Anna has five apples. Ben")
    live.wait_for_chips("noted", "typing")
    expect(live.notes.locator(".lm-note-text")).to_have_text("about Anna has five")
    assert live.token == token


def test_a_session_that_the_server_forgot_is_replaced(live: LivePage, log: Log) -> None:
    log.allowed.append("404 (Not Found)")
    live.type("Anna has five apples. Ben")
    live.wait_for_chips("noted", "typing")
    token = live.token
    live.page.request.delete(f"{log.host}/api/sessions/{token}")
    live.page.wait_for_function("token => sessionStorage.getItem('livemind.session') !== token", arg=token)
    expect(live.status).to_contain_text("a new one has begun")
    live.type(" has")
    live.wait_for_chips("noted", "typing")
    expect(live.box).to_have_value("Anna has five apples. Ben has")


def test_a_stale_revision_is_caught_up(live: LivePage, log: Log) -> None:
    log.allowed.append("409 (Conflict)")
    live.type("Anna has five ")
    expect(live.chips).to_have_count(1)
    body = {"revision": 500, "text": ""}
    live.page.request.put(f"{log.host}/api/sessions/{live.token}/draft", data=body)
    live.type("apples. Ben")
    live.wait_for_chips("noted", "typing")


def test_two_tabs_do_not_mix(live: LivePage, context: BrowserContext, log: Log) -> None:
    other = open_page(context, log)
    live.type("Anna has five apples. So")
    other.type("The sky is blue. So")
    expect(live.notes.locator(".lm-note-text")).to_have_text("about Anna has five")
    expect(other.notes.locator(".lm-note-text")).to_have_text("about The sky is")
    assert live.token != other.token


def test_a_duplicated_tab_gets_a_session_of_its_own(live: LivePage) -> None:
    live.type("Anna has five apples. So")
    live.wait_for_chips("noted", "typing")
    with live.page.expect_popup() as popup:  # a window that a page opens starts with its sessionStorage
        live.page.evaluate("() => { window.open(location.href); }")
    copy = LivePage(popup.value, live.log)
    live.log.watch(popup.value)
    expect(copy.box).to_have_value("Anna has five apples. So")
    copy.wait_for_chips("noted", "typing")
    assert copy.token != live.token


def test_thinking_can_be_switched_off(live: LivePage) -> None:
    live.open_options()
    with live.page.expect_response(lambda response: response.request.method == "PATCH"):
        live.page.get_by_label("Nothing").check()
    expect(live.status).to_contain_text("is off")
    sent = live.drafts_sent()
    live.type("Anna has five apples. Ben has two.")
    live.box.press("Enter")
    live.wait_for_lane("live", "done")
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text("Anna has five apples. Ben has two.")
    assert sent == []
    live.page.reload()
    live.ready()
    live.open_options()
    expect(live.page.get_by_label("Nothing")).to_be_checked()


DROP = """([name, bytes]) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([new Uint8Array(bytes)], name, { type: "text/plain" }));
    const box = document.querySelector("#lm-prompt textarea");
    const event = (kind) => new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
    return ["dragover", "drop"].map((kind) => !box.dispatchEvent(event(kind)));
}"""
BOTH = [True, True]  # dragover and drop are kept from the browser, which would open the file


def test_a_dropped_text_file_goes_into_the_box(live: LivePage) -> None:
    live.type("Read this: ")
    assert live.page.evaluate(DROP, ["apples.txt", list("Anna has five äpples.\r\nBen".encode())]) == BOTH
    expect(live.box).to_have_value("Read this: Anna has five äpples.\nBen")
    live.wait_for_chips("noted", "typing")


def test_a_dropped_file_without_text_changes_nothing(live: LivePage) -> None:
    live.type("Read this")
    assert live.page.evaluate(DROP, ["picture.png", [0x89, 0x50, 0x4E, 0x47, 0xFF, 0x00]]) == BOTH
    expect(live.status).to_contain_text("picture.png holds no plain text")
    expect(live.box).to_have_value("Read this")


def test_a_dragged_word_is_left_to_the_browser(live: LivePage) -> None:
    """Text that is dragged into the box is no file."""
    prevented = live.box.evaluate(
        """box => {
            const dataTransfer = new DataTransfer();
            dataTransfer.setData("text/plain", "word");
            const event = new DragEvent("dragover", { dataTransfer, bubbles: true, cancelable: true });
            return !box.dispatchEvent(event);
        }"""
    )
    assert not prevented
