"""Chats are kept in the browser, opened again with their figures, and the next prompt goes on after them."""

import csv
import io
import json
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Route, expect

from tests.ui.conftest import ANSWER, LivePage, Log, open_page
from tests.ui.pictures import colored, drawn

FIRST = "Anna has five apples. How many has she?"
SECOND = "And what if Ben takes two?"


@pytest.fixture
def chats(live: LivePage) -> LivePage:
    live.page.evaluate("indexedDB.deleteDatabase('livemind')")
    live.page.reload()
    return live.ready()


def ask(live: LivePage, text: str) -> None:
    live.ask(text)
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text(text)
    live.wait_for_lane("slm", "done")
    expect(live.status).to_contain_text("All answers are there")


def titles(live: LivePage) -> list[str]:
    return live.page.locator(".lm-chat-title").all_inner_texts()


def downloaded(live: LivePage, button: str) -> str:
    with live.page.expect_download() as download:
        live.page.get_by_role("button", name=button).click()
    return download.value.path().read_text(encoding="utf-8")


def server_turns(live: LivePage) -> list[dict[str, object]]:
    """What the session holds, as a reader that lost everything is told."""
    return live.page.evaluate(
        """async (token) => {
            const source = new EventSource(`api/sessions/${token}/events?last=99999999`);
            const frame = await new Promise((resolve) => source.addEventListener("state", resolve));
            source.close();
            return JSON.parse(frame.data).turns;
        }""",
        live.token,
    )


def test_a_chat_is_kept_opened_and_gone_on_with(chats: LivePage) -> None:
    ask(chats, FIRST)
    figure = chats.lane("live").locator(".lm-clock").inner_text()
    chats.page.locator("#lm-new").click()
    expect(chats.page.locator("#lm-turn section")).to_be_hidden()
    ask(chats, "Something else?")
    expect(chats.page.locator(".lm-chat-title")).to_have_text(["Something else?", FIRST])
    chats.page.get_by_role("button", name=FIRST, exact=True).click()
    expect(chats.page.locator("#lm-turn .lm-prompt-said")).to_have_text(FIRST)
    expect(chats.lane("live").locator(".lm-clock")).to_have_text(figure)
    expect(chats.lane("conventional").locator(".lm-answer")).to_have_text(f"The llm says: {ANSWER}")
    ask(chats, SECOND)
    held = server_turns(chats)
    assert [turn["prompt"] for turn in held] == [FIRST, SECOND]
    assert [turn["restored"] for turn in held] == [True, False]
    expect(chats.page.locator("#lm-history .lm-earlier-prompt")).to_have_text(FIRST)
    expect(chats.page.locator(".lm-chat-title")).to_have_text([FIRST, "Something else?"])


def test_what_is_typed_while_a_new_chat_begins_belongs_to_it(chats: LivePage) -> None:
    ask(chats, FIRST)
    held: list[Route] = []
    chats.page.route("**/clear", lambda route: held.append(route))
    chats.box.fill("Not sent")
    chats.page.locator("#lm-new").click()
    expect(chats.box).to_have_value("")
    chats.ask(SECOND)
    expect(chats.page.locator("#lm-turn .lm-prompt-said")).to_have_text(FIRST)
    held[0].continue_()
    expect(chats.page.locator("#lm-turn .lm-prompt-said")).to_have_text(SECOND)
    expect(chats.page.locator(".lm-chat-title")).to_have_text([SECOND, FIRST])
    assert [turn["prompt"] for turn in server_turns(chats)] == [SECOND]


def test_a_new_chat_that_the_server_refuses_leaves_all_as_it_was(chats: LivePage, log: Log) -> None:
    log.allowed.append("500 (Internal Server Error)")
    ask(chats, FIRST)
    chats.page.route("**/clear", lambda route: route.fulfill(status=500))
    chats.box.fill("Not sent")
    chats.page.locator("#lm-new").click()
    expect(chats.status).to_contain_text("500")
    expect(chats.box).to_have_value("Not sent")
    expect(chats.page.locator("#lm-turn .lm-prompt-said")).to_have_text(FIRST)


def test_a_reload_and_a_lost_session_keep_the_chat(chats: LivePage, log: Log) -> None:
    log.allowed.append("404 (Not Found)")
    ask(chats, FIRST)
    chats.page.reload()
    chats.ready()
    expect(chats.page.locator("#lm-turn .lm-prompt-said")).to_have_text(FIRST)
    token = chats.token
    chats.page.request.delete(f"{log.host}/api/sessions/{token}")
    expect(chats.status).to_contain_text("a new one has begun")
    ask(chats, SECOND)
    assert [turn["prompt"] for turn in server_turns(chats)] == [FIRST, SECOND]
    assert titles(chats) == [FIRST]


def test_renaming_and_deleting(chats: LivePage) -> None:
    ask(chats, FIRST)
    chats.page.get_by_role("button", name="Rename").click()
    chats.page.get_by_label("Name of the chat").fill("Apples")
    chats.page.keyboard.press("Enter")
    expect(chats.page.locator(".lm-chat-title")).to_have_text(["Apples"])
    chats.page.once("dialog", lambda dialog: dialog.dismiss())
    chats.page.get_by_role("button", name="Delete").click()
    assert titles(chats) == ["Apples"]
    chats.page.once("dialog", lambda dialog: dialog.accept())
    chats.page.get_by_role("button", name="Delete").click()
    expect(chats.page.locator(".lm-chat-title")).to_have_count(0)
    expect(chats.page.locator("#lm-turn section")).to_be_hidden()
    chats.type("Ben has two. So")
    chats.wait_for_chips("noted", "typing")
    assert titles(chats) == []


def test_chats_go_out_and_come_back(chats: LivePage, tmp_path: Path) -> None:
    ask(chats, FIRST)
    text = downloaded(chats, "Export chats")
    file = tmp_path / "chats.json"
    file.write_text(text, encoding="utf-8")
    chats.page.once("dialog", lambda dialog: dialog.accept())
    chats.page.get_by_role("button", name="Delete").click()
    expect(chats.page.locator(".lm-chat-title")).to_have_count(0)
    chats.page.locator('#lm-chats input[type="file"]').set_input_files(file)
    expect(chats.page.locator(".lm-chat-title")).to_have_text([FIRST])
    expect(chats.status).to_contain_text("1 chat imported")
    before, after = json.loads(text)["chats"], json.loads(downloaded(chats, "Export chats"))["chats"]
    assert [chat["turns"] for chat in after] == [chat["turns"] for chat in before]


def chat_with(metrics: object) -> str:
    lane = {"text": "Three.", "status": "done", "drafted": [], "metrics": metrics}
    turn = {"prompt": "How many?", "lanes": {"live": lane}, "notes": [], "segments": []}
    chat = {"title": "Apples", "at": "2026-01-01T00:00:00Z", "turns": [turn]}
    return json.dumps({"format": "livemind-chats", "version": 1, "chats": [chat]})


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        '{"chats": []}',
        '{"format": "livemind-chats", "version": 1, "chats": [{}]}',
        chat_with({"latency": 1.5}),
        chat_with({"latency": "long"}),
    ],
)
def test_a_file_that_is_no_chat_changes_nothing(chats: LivePage, tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(text, encoding="utf-8")
    chats.page.locator('#lm-chats input[type="file"]').set_input_files(file)
    expect(chats.status).to_contain_text("holds no chats")
    expect(chats.page.locator(".lm-chat-title")).to_have_count(0)


def test_figures_go_out_as_tables(chats: LivePage) -> None:
    question = '=SUM(1, 2) is "what"?'
    ask(chats, question)
    rows = list(csv.DictReader(io.StringIO(downloaded(chats, "Figures as CSV"))))
    assert [row["lane"] for row in rows] == ["live", "conventional", "slm"]
    assert {row["prompt"] for row in rows} == {f"'{question}"}
    assert {row["model"] for row in rows} == {"scripted"}
    figures = json.loads(downloaded(chats, "Figures as JSON"))
    assert [row["prompt"] for row in figures] == [question] * 3
    for row, figure in zip(rows, figures, strict=True):
        assert float(row["latency"]) == figure["latency"]
        assert int(row["tokens"]) == figure["tokens"]


def test_chats_are_the_browsers_not_the_servers(chats: LivePage, context: BrowserContext, log: Log) -> None:
    ask(chats, FIRST)
    other = open_page(context, log)
    expect(other.page.locator(".lm-chat-title")).to_have_text([FIRST])
    expect(other.page.locator("#lm-turn section")).to_be_hidden()
    assert server_turns(other) == []


def test_a_turn_is_exported_as_a_picture(chats: LivePage) -> None:
    ask(chats, FIRST)
    short = picture(chats)
    assert short[0] == 2 * 1120
    chats.page.locator("#lm-new").click()
    ask(chats, ("A long prompt takes more lines of the picture than a short one does. " * 4).strip())
    assert picture(chats)[1] > short[1]


def picture(live: LivePage) -> tuple[int, int]:
    """Width and height of the exported PNG, which shows bars, and text in each quarter."""
    with live.page.expect_download() as download:
        live.page.get_by_role("button", name="Comparison as PNG").click()
    image = Image.open(download.value.path()).convert("RGB")
    halves = [(x, y) for x in (0, image.width // 2) for y in (0, image.height // 2)]
    for x, y in halves:
        part = image.crop((x, y, x + image.width // 2, y + image.height // 2))
        assert drawn(part) > 0.01
    assert colored(image) > 0.01
    return image.size


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("one two three", 9, ["one two", "three"]),
        ("one\n\ntwo", 9, ["one", "", "two"]),
        ("一二三四五六七八九十一二", 9, ["一二三四五六七八九十", "一二"]),
        ("one two three", 1, ["one two…"]),
    ],
)
def test_text_in_a_picture_is_wrapped(live: LivePage, text: str, most: int, expected: list[str]) -> None:
    wide = "一" * 10 if text.startswith("一") else "one two…"
    found = live.page.evaluate(
        """async ([text, most, wide]) => {
            const { wrapped } = await import(new URL("static/comparison/wrap.js", document.baseURI).href);
            const context = new OffscreenCanvas(1, 1).getContext("2d");
            context.font = "14px sans-serif";
            const width = context.measureText(wide).width + 1;
            return wrapped(text, width, most, { size: 14, font: "sans-serif" }).map((line) => line.trimEnd());
        }""",
        [text, most, wide],
    )
    assert found == expected
