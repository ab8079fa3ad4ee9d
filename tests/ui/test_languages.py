"""The page in its languages: complete, switched without losing anything."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from livemind_app.config import Settings
from livemind_app.errors import ServerFailed
from livemind_app.protocol import Role
from tests.ui.conftest import TIMEOUT_MS, Gates, LivePage, Log, page_served

SHAPE = """async (language) => {
    const { default: words } = await import(new URL(`static/words/${language}.js`, document.baseURI).href);
    const shape = (value) => {
        if (Array.isArray(value)) return [value.length, ...value.map(shape)];
        if (value && typeof value === "object") {
            return Object.fromEntries(Object.keys(value).sort().map((key) => [key, shape(value[key])]));
        }
        return typeof value === "function" ? `function of ${value.length}` : typeof value;
    };
    return shape(words);
}"""


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_a_language_says_all_that_english_says(live: LivePage, language: str) -> None:
    assert live.page.evaluate(SHAPE, language) == live.page.evaluate(SHAPE, "en")


UNTRANSLATED = """async (language) => {
    const at = (name) => new URL(`static/words/${name}.js`, document.baseURI).href;
    const words = async (name) => (await import(at(name))).default;
    const leaves = (value, path) => typeof value === "object"
        ? Object.entries(value).flatMap(([key, one]) => leaves(one, path ? `${path}.${key}` : key))
        : [[path, String(value)]];  // of a function, its code
    const english = new Map(leaves(await words("en"), ""));
    const same = leaves(await words(language), "").filter(([path, text]) => english.get(path) === text);
    return same.map(([path]) => path);
}"""
NAMES = {  # what has no other name or no words at all, and examples for a codec that was trained on English
    *("LANES.live.title", "LANES.live.bar", "OPTIONS.sentence_vae.label", "OPTIONS.top_p.label"),
    *("OPTIONS.top_k.label", "INSPECTOR.example", "INSPECTOR.other", "TIMELINE.legend.enter"),
    *("TIMELINE.submit", "TIMELINE.describe", "BENCHMARK.told.idle", "BENCHMARK.told.failed", "PANE.tokens"),
}
KEYS = re.compile(r"HELP\.keys\.\d+\.0\.\d+")  # as on the keyboard


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_nothing_is_left_in_english(live: LivePage, language: str) -> None:
    same = live.page.evaluate(UNTRANSLATED, language)
    assert {path for path in same if not KEYS.fullmatch(path)} <= NAMES


@pytest.mark.parametrize(
    ("language", "send", "headline"), [("zh", "发送", "常规方式"), ("ja", "送信", "通常方式")]
)
def test_switching_keeps_what_is_typed(live: LivePage, language: str, send: str, headline: str) -> None:
    live.type("Anna has five apples. Ben")
    live.wait_for_chips("noted", "typing")
    token = live.token
    live.page.locator(".lm-language").select_option(language)
    expect(live.page.locator("#lm-send")).to_have_text(send)
    live.ready()
    expect(live.page.locator("html")).to_have_attribute("lang", language)
    expect(live.box).to_have_value("Anna has five apples. Ben")
    assert live.token == token
    live.page.locator("#lm-send").click()
    live.wait_for_lane("slm", "done")
    expect(live.page.locator(".lm-headline")).to_contain_text(headline)


@pytest.fixture(params=["zh-CN", "ja-JP"])
def abroad(request: pytest.FixtureRequest, browser: Browser, log: Log, gates: Gates) -> Iterator[Page]:
    """A page, not yet open, in a browser of this language."""
    context = browser.new_context(locale=request.param)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    log.watch(page)
    yield page
    context.close()


def opened(page: Page, log: Log) -> LivePage:
    return LivePage(page, log).open()


SAID = {
    "zh": {
        "turn_running": "正在写一个回答",
        "text_too_long": "上限是 9 个",
        "server_failed": "模型服务器没有",
    },
    "ja": {
        "turn_running": "回答を書いている",
        "text_too_long": "上限は 9 文字",
        "server_failed": "応答しない",
    },
}


@pytest.mark.parametrize("refused", [("turn_running", {}), ("text_too_long", {"limit": 9})])
def test_a_refusal_is_told_in_the_readers_language(
    abroad: Page, log: Log, refused: tuple[str, dict[str, int]]
) -> None:
    code, beside = refused
    log.allowed.append("Failed to load resource")
    error = {"code": code, "message": "in English", **beside}
    abroad.route("**/submit", lambda route: route.fulfill(status=409, json={"error": error}))
    live = opened(abroad, log)
    live.ask("Anna has five apples.")
    expect(live.status).to_contain_text(SAID[live.language][code])
    expect(live.status).not_to_contain_text("English")


def test_of_an_unknown_refusal_the_servers_words_are_shown(abroad: Page, log: Log) -> None:
    log.allowed.append("Failed to load resource")
    error = {"code": "of_tomorrow", "message": "never seen before"}
    abroad.route("**/submit", lambda route: route.fulfill(status=409, json={"error": error}))
    live = opened(abroad, log)
    live.ask("Anna has five apples.")
    expect(live.status).to_have_text("never seen before")


def test_why_a_choice_is_missing_and_a_model_loads_is_told_in_the_readers_language(
    abroad: Page, log: Log
) -> None:
    models = [
        {"role": role, "name": "Big", "state": "loading", "progress": None, "detail": "x: converting"}
        for role in ("llm", "slm")
    ]
    why = {"live-slm": "no states"}
    codes = {"no states": "no_states", "x: converting": "converting"}
    changed = {"status": "loading", "models": models, "unavailable": why, "codes": codes}
    LivePage(abroad, log).health_says(changed)
    live = opened(abroad, log)
    told = {"zh": ("转换中", "内部状态"), "ja": ("変換中", "内部状態")}[live.language]
    expect(live.page.locator(".lm-model-state").first).to_contain_text(told[0])
    live.open_options()
    expect(live.page.locator("#lm-option-answered_by-why")).to_contain_text(told[1])


def test_a_lane_that_fails_says_so_in_the_readers_language(browser: Browser, log: Log) -> None:
    """By the code that the server sends, not by one that a test made up."""
    for locale, said in (("zh-CN", "模型服务器没有应答"), ("ja-JP", "応答しないか")):
        with page_served(Settings(mode="infer"), Gates(), script=failing) as url:
            context = browser.new_context(locale=locale)
            live = LivePage(context.new_page(), Log(url)).open()
            live.ask("Anna has five apples.")
            live.wait_for_lane("conventional", "failed")
            expect(live.lane("conventional").locator(".lm-empty")).to_contain_text(said)
            context.close()


def failing(role: Role, prompt: str) -> str:
    raise ServerFailed("http://models does not answer")
