"""The drawer, its permalink, and the switch that says whether half-typed text may leave the browser."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from livemind_app.llm_to_slm.adapter import missing
from tests.ui.conftest import LivePage, Log, open_page

TEXT = "Anna has five apples. Ben has two."


def held(live: LivePage) -> dict[str, object]:
    """The options as the server holds them."""
    url = f"{live.log.host}/api/sessions/{live.token}/options"
    options = live.page.request.patch(url, data={}).json()["options"]
    assert isinstance(options, dict)
    return options


def everything_sent(live: LivePage) -> list[str]:
    """Bodies of all requests from now on; the list grows."""
    sent: list[str] = []
    live.page.on("request", lambda request: sent.append(request.post_data or ""))
    return sent


def test_the_models_are_told_and_who_chooses_them(live: LivePage) -> None:
    live.open_options()
    chosen = live.page.locator("#lm-drawer .lm-chosen")
    expect(chosen.locator("dt")).to_have_text(["Large model", "Small model"])
    expect(chosen.locator("dd")).to_have_text(["scripted", "scripted"])
    expect(live.page.locator("#lm-drawer")).to_contain_text("livemind serve --preset")


def test_every_option_of_the_api_is_in_the_drawer(live: LivePage, log: Log) -> None:
    live.open_options()
    offered = live.page.request.get(f"{log.host}/api/options").json()["options"]
    assert set(offered) == set(held(live))
    named = live.page.evaluate(
        """async () => {
            const entries = await import(new URL("static/options/entries.js", document.baseURI).href);
            return entries.ENTRIES.map((entry) => [entry.name, entries.keyOf(entry)]);
        }"""
    )
    assert {name for name, _ in named} == set(offered)
    for _, key in [(name, key) for name, key in named if name != "models"]:  # there is one pair only
        field = live.page.locator(f'#lm-option-{key}, [name="lm-option-{key}"]').first
        expect(field).to_be_visible()
        expect(live.page.locator(f"#lm-option-{key}-help")).not_to_have_text("")


@pytest.mark.parametrize(
    ("label", "value", "name", "expected"),
    [
        ("Temperature", "0.7", "temperature", 0.7),
        ("Longest answer", "77", "max_tokens", 77),
        ("Repetition penalty", "1.3", "repetition_penalty", 1.3),
        ("Ahead, for one prompt", "0", "speculate_tokens", 0),
    ],
)
def test_a_number_reaches_the_server(
    live: LivePage, label: str, value: str, name: str, expected: float
) -> None:
    live.open_options()
    with live.options_changed():
        live.page.get_by_label(label, exact=True).fill(value)
        live.page.get_by_label(label, exact=True).blur()
    assert held(live)[name] == expected


def test_what_does_nothing_says_why(live: LivePage) -> None:
    live.open_options()
    seed = live.page.get_by_label("Seed")
    expect(seed).to_be_disabled()
    expect(live.page.locator("#lm-option-seed-why")).to_contain_text("at temperature 0")
    live.page.get_by_label("Temperature").fill("1")
    expect(seed).to_be_enabled()
    expect(live.page.locator("#lm-option-seed-why")).to_be_hidden()
    live.page.get_by_label("Format").select_option("u-pi")
    expect(live.page.get_by_label("Readiness to think")).to_be_disabled()
    live.page.get_by_label("Get the exact answer ready").check()
    expect(live.page.locator("#lm-option-format-why")).to_contain_text("no notes")


def test_a_seed_may_be_taken_back(live: LivePage) -> None:
    live.open_options()
    with live.options_changed():
        live.page.get_by_label("Temperature").fill("1")
    for text, value in (("7", 7), ("", None)):
        with live.options_changed():
            live.page.get_by_label("Seed").fill(text)
            live.page.get_by_label("Seed").blur()
        assert held(live)["seed"] == value


def test_a_link_carries_the_options(live: LivePage, context: BrowserContext, log: Log) -> None:
    live.open_options()
    with live.options_changed():
        live.page.get_by_label("Temperature").fill("0.7")
    with live.options_changed():
        live.page.get_by_role("checkbox", name="Small model alone").uncheck()
    with live.options_changed():
        live.page.get_by_label("Get the exact answer ready").check()
    expect(live.page).to_have_url(re.compile(r"#.*temperature=0\.7"))
    other = context.new_page()
    log.watch(other)
    other.goto(live.page.url)
    opened = LivePage(other, log).ready()
    assert held(opened) == held(live)
    assert held(opened)["lanes"] == ["live", "conventional"]
    opened.open_options()
    expect(other.get_by_label("Temperature")).to_have_value("0.7")


def test_a_link_that_asks_for_what_cannot_be_is_told(live: LivePage) -> None:
    live.page.goto(live.log.host + "/?again#temperature=9&colour=red&max_tokens=64")
    live.ready()
    expect(live.status).to_contain_text("temperature, colour")
    live.open_options()
    expect(live.page.get_by_label("Longest answer")).to_have_value("64")
    expect(live.page.get_by_label("Temperature")).to_have_value("0")


def test_defaults_come_back(live: LivePage) -> None:
    before = held(live)
    live.open_options()
    with live.options_changed():
        live.page.get_by_label("Temperature").fill("1.5")
    with live.options_changed():
        live.page.get_by_role("button", name="Back to the defaults").click()
    assert held(live) == before
    expect(live.page).not_to_have_url(re.compile("temperature"))


def test_without_consent_nothing_leaves_before_enter(live: LivePage) -> None:
    switch = live.page.get_by_role("switch", name="Think while I type")
    expect(switch).to_be_checked()
    for wanted in (False, True):  # so that a replay has states in which it was allowed
        with live.options_changed():
            switch.set_checked(wanted)
    sent = everything_sent(live)
    with live.options_changed():
        switch.uncheck()
        live.box.press_sequentially("Anna", delay=0)  # at once, before the server has heard of it
    expect(live.page.locator(".lm-consent-state")).to_contain_text("nothing is sent before Enter")
    live.type(" has five apples. Ben has two.")
    live.page.reload()
    live.ready()
    live.type(" So")
    assert [body for body in sent if "Anna" in body] == []
    live.box.press("Enter")
    live.wait_for_lane("live", "done")
    submitted = [json.loads(body) for body in sent if "Anna" in body]
    assert [body["text"] for body in submitted] == [f"{TEXT} So"]


def test_taking_consent_back_withdraws_what_was_sent(live: LivePage) -> None:
    live.type("Anna has five apples. Ben")
    live.wait_for_chips("noted", "typing")
    live.page.get_by_role("switch", name="Think while I type").uncheck()
    expect(live.chips).to_have_count(0)
    expect(live.box).to_have_value("Anna has five apples. Ben")
    live.page.get_by_role("switch", name="Think while I type").check()
    live.wait_for_chips("noted", "typing")


def test_a_refusal_to_send_outlives_the_tab_and_any_link(
    live: LivePage, context: BrowserContext, log: Log
) -> None:
    with live.options_changed():
        live.page.get_by_role("switch", name="Think while I type").uncheck()
    other = open_page(context, log)
    expect(other.page.get_by_role("switch", name="Think while I type")).not_to_be_checked()
    assert held(other)["mode"] == "off"
    other.page.goto(log.host + "/?again#mode=exact&max_tokens=64")
    other.ready()
    expect(other.status).to_contain_text("nothing is sent before Enter")
    expect(other.page.get_by_role("switch", name="Think while I type")).not_to_be_checked()


def test_the_switch_brings_back_the_mode_of_before(live: LivePage) -> None:
    live.open_options()
    with live.options_changed():
        live.page.get_by_label("Get the exact answer ready").check()
    switch = live.page.get_by_role("switch", name="Think while I type")
    with live.options_changed():
        switch.uncheck()
    with live.options_changed():
        switch.check()
    assert held(live)["mode"] == "exact"


def test_a_lane_that_these_models_cannot_run_says_why_and_how_to_train_it(
    context: BrowserContext, live: LivePage, log: Log
) -> None:
    why = missing("big", "small")
    page = context.new_page()
    log.watch(page)
    other = LivePage(page, log)
    other.health_says({"unavailable": {"llm-to-slm": why}})
    other.open()
    other.open_options()
    guided = other.page.get_by_role("checkbox", name="Guided small model")
    expect(guided).to_be_disabled()
    expect(other.page.locator("#lm-option-compared-why")).to_have_text(f"Guided small model: {why}")
    expect(other.page.get_by_role("checkbox", name="Small model alone")).to_be_enabled()


@pytest.mark.parametrize(
    ("health", "able", "told"),
    [
        ({"unavailable_choices": {"lookahead": {"true": "behind servers"}}}, False, "behind servers"),
        ({"limited_options": {"lookahead": {"llm": "behind one"}}}, True, "Large model: behind one"),
    ],
)
def test_lookahead_that_no_model_or_one_cannot_do_says_why(
    context: BrowserContext, live: LivePage, log: Log, health: dict[str, Any], able: bool, told: str
) -> None:
    page = context.new_page()
    log.watch(page)
    other = LivePage(page, log)
    other.health_says(health)
    other.open()
    other.open_options()
    switch = other.page.get_by_role("checkbox", name="Lookahead")
    if not able:  # what was chosen before can be taken out, and not chosen again
        with other.options_changed():
            switch.uncheck()
    expect(switch).to_be_enabled() if able else expect(switch).to_be_disabled()
    expect(other.page.locator("#lm-option-lookahead-why")).to_have_text(told)


def test_the_open_options_lie_over_the_page_and_over_nothing_that_is_used(live: LivePage) -> None:
    before = live.lane("live").bounding_box()
    temperature = live.page.get_by_label("Temperature")
    live.open_options()
    expect(temperature).to_be_visible()
    assert live.lane("live").bounding_box() == before
    temperature.focus()
    live.page.keyboard.press("Escape")
    expect(temperature).to_be_hidden()
    expect(live.page.locator("#lm-options h2 button")).to_be_focused()
    live.open_options()
    live.page.get_by_role("button", name="Back to the defaults").focus()
    live.page.keyboard.press("Tab")
    expect(temperature).to_be_hidden()
    live.open_options()
    live.page.mouse.click(5, 5)
    expect(temperature).to_be_hidden()
