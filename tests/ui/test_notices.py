"""What the status line tells for a moment: what went well looks otherwise than what did not."""

import re
from pathlib import Path

from playwright.sync_api import Route, expect

from tests.ui.conftest import LivePage, Log

CHATS = """{"format": "livemind-chats", "version": 1,
"chats": [{"title": "Apples", "at": "2026-01-01T00:00:00Z",
"turns": [{"prompt": "How many?", "lanes": {}, "notes": [], "segments": []}]}]}"""


def expect_notice(live: LivePage, kind: str, text: str) -> None:
    expect(live.status).to_contain_text(text)
    expect(live.page.locator("#lm-status .lm-dot")).to_have_attribute("data-kind", kind)


def test_a_link_to_these_options_is_copied(live: LivePage) -> None:
    live.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    live.open_options()
    with live.options_changed():
        live.page.get_by_label("Temperature").fill("0.7")
    expect(live.page).to_have_url(re.compile("temperature"))
    live.page.get_by_role("button", name="Copy a link").click()
    expect_notice(live, "good", "copied")
    assert live.page.evaluate("navigator.clipboard.readText()") == live.page.url


def test_chats_that_came_and_a_file_without_any(live: LivePage, tmp_path: Path) -> None:
    file = tmp_path / "chats.json"
    for text, kind, told in ((CHATS, "good", "1 chat imported"), ("none", "error", "holds no chats")):
        file.write_text(text, encoding="utf-8")
        live.page.locator('#lm-chats input[type="file"]').set_input_files(file)
        expect_notice(live, kind, told)


def test_a_notice_goes_away_by_itself_and_a_newer_one_stays_its_own_time(
    live: LivePage, tmp_path: Path
) -> None:
    live.page.clock.install()
    live.open()
    file = tmp_path / "none.json"
    file.write_text("none", encoding="utf-8")
    choose = live.page.locator('#lm-chats input[type="file"]')
    choose.set_input_files(file)
    expect_notice(live, "error", "holds no chats")
    live.page.clock.run_for(5000)
    live.page.evaluate("document.querySelector('#lm-status .lm-status-text').textContent = ''")
    choose.set_input_files(file)
    expect_notice(live, "error", "holds no chats")
    live.page.clock.run_for(4000)
    expect_notice(live, "error", "holds no chats")
    live.page.clock.run_for(8000)
    expect(live.status).not_to_contain_text("holds no chats")


def test_that_half_typed_text_is_under_way_is_seen(live: LivePage, log: Log) -> None:
    """Beside the switch that allows it, and in the status line, as long as the server has not answered."""
    held: list[Route] = []
    state = live.page.locator(".lm-consent-state")
    dot = live.page.locator("#lm-status .lm-dot")
    expect(state).to_have_attribute("data-kind", "open")
    live.page.route("**/draft", lambda route: held.append(route))
    live.type("A")
    expect(state).to_have_attribute("data-kind", "sending")
    expect(dot).to_have_attribute("data-sending", "true")
    held.pop().continue_()
    expect(state).to_have_attribute("data-kind", "open")
    expect(dot).to_have_attribute("data-sending", "false")
    live.page.get_by_role("switch", name="Think while I type").uncheck()
    expect(state).to_have_attribute("data-kind", "closed")
