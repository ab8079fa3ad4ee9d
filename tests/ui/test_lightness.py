"""What the page costs: nothing is done again for what did not change, however long a chat is.

How long it takes is measured by scripts/measure_page.py; a machine that runs tests tells nothing about that.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from livemind_app.session.events import Metrics
from tests.ui.conftest import LivePage

TURNS = 200
COUNT_CHANGES = """() => {
    window.changes = 0;
    const observer = new MutationObserver((records) => (window.changes += records.length));
    const everything = { subtree: true, childList: true, characterData: true };
    for (const id of ["lm-history", "lm-runs", "lm-chats", "lm-options"]) {
        observer.observe(document.getElementById(id), everything);
    }
}"""


def turn(number: int) -> dict[str, Any]:
    metrics = asdict(
        Metrics(0.5, 2.0, tokens=9, tokens_per_s=6.0, prompt_tokens=20, prefilled_after_submit=5)
    )
    lane = {"status": "done", "text": f"Answer {number}.", "drafted": [], "startedAt": 0, "firstAt": 1}
    lanes = {name: {**lane, "metrics": metrics} for name in ("live", "conventional", "slm")}
    prompt = f"Question {number}?"
    return {
        "id": number,
        "at": 0,
        "prompt": prompt,
        "done": True,
        "notes": [],
        "segments": [],
        "lanes": lanes,
    }


def open_long_chat(live: LivePage, tmp_path: Path) -> None:
    turns = [turn(number) for number in range(1, TURNS + 1)]
    chat = {"title": "A long chat", "at": "2026-01-01T00:00:00.000Z", "turns": turns}
    file = tmp_path / "chats.json"
    file.write_text(json.dumps({"format": "livemind-chats", "version": 1, "chats": [chat]}))
    live.page.locator('#lm-chats input[type="file"]').set_input_files(file)
    live.page.get_by_role("button", name="A long chat", exact=True).first.click()
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text(f"Question {TURNS}?")
    expect(live.page.locator("#lm-history .lm-earlier")).to_have_count(TURNS - 1)


def test_a_chat_of_200_turns_is_gone_on_with(live: LivePage, tmp_path: Path) -> None:
    open_long_chat(live, tmp_path)
    live.page.evaluate(COUNT_CHANGES)
    live.type("Anna has five apples. Ben gives ")
    live.wait_for_chips("noted", "typing")
    assert live.page.evaluate("window.changes") == 0
    assert live.page.locator("#lm-history .lm-answer").count() == 0  # built when it is unfolded
    live.page.locator("#lm-history summary", has_text="Question 7?").click()
    expect(live.page.locator("#lm-history .lm-answer")).to_have_text(["Answer 7."] * 3)
    live.type("her three more. How many has she?")
    live.box.press("Enter")
    live.wait_for_lane("slm", "done")
    expect(live.page.locator("#lm-history .lm-earlier")).to_have_count(TURNS)
    expect(live.page.locator('.lm-runs tr[data-lane="live"] td').first).to_have_text(str(TURNS + 1))
