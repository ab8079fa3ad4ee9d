"""A new user's first minute: what is special, an example that types itself, help."""

import re

from playwright.sync_api import expect

from livemind_app.protocol import Priority
from tests.ui.conftest import Gates, LivePage

QUICK = """async (text) => {
    const at = (name) => import(new URL(`static/${name}.js`, document.baseURI).href);
    const { Typist } = await at("typist");
    const seen = [];
    const write = (part) => seen.push(part);
    const wait = window.setTimeout;
    window.setTimeout = (act) => wait(act, 0);
    await new Promise((resolve) => new Typist({ write }, resolve).type(text));
    window.setTimeout = wait;
    return seen;
}"""


def test_one_line_says_what_is_special_until_something_was_asked(live: LivePage) -> None:
    intro = live.page.locator(".lm-intro")
    expect(intro).to_contain_text("thinks while you are still typing")
    live.ask("How many?")
    live.wait_for_lane("slm", "done")
    expect(intro).to_be_hidden()


def test_an_example_types_itself_and_is_thought_about_meanwhile(live: LivePage) -> None:
    sent = live.drafts_sent()
    live.page.get_by_role("button", name="Type an example for me").click()
    expect(live.box).to_have_value(re.compile("^A bakery bakes 240 rolls every morning. It"), timeout=60_000)
    expect(live.notes.filter(has_text="about A bakery bakes")).to_have_count(1)
    assert len(sent) > 10
    stop = live.page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_enabled()
    live.page.keyboard.press("Escape")
    expect(stop).to_be_disabled()
    stopped = live.box.input_value()
    live.wait_for_chips("noted", "typing")
    live.box.press_sequentially("!")
    expect(live.box).to_have_value(f"{stopped}!")


def test_the_users_own_key_takes_over(live: LivePage) -> None:
    live.page.get_by_role("button", name="Type an example for me").click()
    expect(live.box).to_have_value(re.compile("^A b"))
    live.box.press("x")
    expect(live.page.get_by_role("button", name="Stop", exact=True)).to_be_disabled()
    expect(live.box).to_have_value(re.compile("^A b.*x$"))


def test_the_typist_writes_every_character_in_turn(live: LivePage) -> None:
    text = "One. Two? 三。"
    seen = live.page.evaluate(QUICK, text)
    assert [part for part in seen if part] == [text[:end] for end in range(1, len(text) + 1)]


def test_the_question_mark_shows_the_keys(live: LivePage) -> None:
    live.box.press_sequentially("?")
    expect(live.page.locator("dialog[open]")).to_have_count(0)
    live.page.get_by_role("button", name="Keyboard shortcuts").focus()
    live.page.keyboard.press("?")
    expect(live.page.get_by_role("dialog", name="Keyboard")).to_contain_text("new line")
    live.page.keyboard.press("Escape")
    expect(live.page.locator("dialog[open]")).to_have_count(0)


def test_the_question_mark_can_be_switched_off(live: LivePage) -> None:
    help = live.page.get_by_role("button", name="Keyboard shortcuts")
    help.click()
    live.page.get_by_label("The key ? opens this sheet").uncheck()
    live.page.keyboard.press("Escape")
    live.page.reload()
    live.ready()
    help.focus()
    live.page.keyboard.press("?")
    expect(live.page.locator("dialog[open]")).to_have_count(0)
    help.click()
    live.page.get_by_label("The key ? opens this sheet").check()
    live.page.keyboard.press("Escape")
    live.page.keyboard.press("?")
    expect(live.page.locator("dialog[open]")).to_have_count(1)


def test_arrow_up_in_an_empty_box_brings_the_last_prompt(live: LivePage) -> None:
    live.ask("How many apples has Anna?")
    live.wait_for_lane("slm", "done")
    live.box.press("ArrowUp")
    expect(live.box).to_have_value("How many apples has Anna?")


def test_an_example_goes_on_where_it_ends(live: LivePage) -> None:
    live.page.get_by_role("button", name="A word problem").click()
    expect(live.box).to_be_focused()
    live.page.keyboard.type("!")
    expect(live.box).to_have_value(re.compile("^A bakery.*!$"))


def test_escape_in_the_help_stops_no_answer(live: LivePage, gates: Gates) -> None:
    gates.hold(Priority.ANSWER, after=2)
    live.ask("How many?")
    live.wait_for_lane("live", "writing")
    live.page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(live.page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    live.page.keyboard.press("Escape")
    expect(live.page.locator("dialog[open]")).to_have_count(0)
    gates.open()
    live.wait_for_lane("slm", "done")
    live.wait_for_lane("live", "done")


PLAYED = """async (text) => {
    const { Typist } = await import(new URL("static/typist.js", document.baseURI).href);
    let now = 0;
    const waits = [];
    const real = window.setTimeout;
    window.setTimeout = (act, ms) => (waits.push(ms), real(() => ((now += ms), act()), 0));
    await new Promise((resolve) => new Typist({ write() {} }, resolve).type(text));
    window.setTimeout = real;
    return { seconds: now / 1000, waits };
}"""


def test_the_typist_keeps_the_pace_of_a_person(live: LivePage) -> None:
    """Between 4 and 15 characters a second over all, no key at once and none after a second's rest."""
    text = "A bakery bakes 240 rolls every morning. It sells two thirds. How many remain? " * 3
    played = live.page.evaluate(PLAYED, text)
    assert 4 < len(text) / played["seconds"] < 15
    assert min(played["waits"]) > 20
    assert max(played["waits"]) < 1000
    assert len({round(wait) for wait in played["waits"]}) > 20  # unevenly
