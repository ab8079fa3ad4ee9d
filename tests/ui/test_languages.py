"""The page in its languages: complete, switched without losing anything."""

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import LivePage

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
