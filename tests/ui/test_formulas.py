"""Formulas in answers: shown as such, and nothing in them does more than that."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import LivePage

SHOW = """async (text) => {
    const { renderAnswer } = await import(new URL("static/view/answer.js", document.baseURI).href);
    const host = document.createElement("div");
    host.id = "formulas";
    document.querySelector("#formulas")?.remove();
    document.body.append(host);
    renderAnswer(host, text);
    await new Promise((done) => setTimeout(done));
}"""
MARK = """async ([text, spans]) => {
    const { mark } = await import(new URL("static/view/marks.js", document.baseURI).href);
    mark("drafted", document.querySelector("#formulas"), "live", text, spans);
    return [...(CSS.highlights.get("lm-drafted-live") ?? [])].map(String);
}"""
LOADED = "performance.getEntriesByType('resource').some(({ name }) => name.includes('vendor/temml'))"
WHAT_ELSE = """() => [...document.querySelectorAll("#formulas .lm-formula *")].filter(
    (node) => node.namespaceURI !== "http://www.w3.org/1998/Math/MathML" || node.hasAttribute("href")
).map((node) => node.outerHTML)"""


def shown(live: LivePage, text: str, *, formulas: int) -> Any:
    live.page.evaluate(SHOW, text)
    host = live.page.locator("#formulas")
    expect(host.locator("math")).to_have_count(formulas)
    return host


def test_formulas_are_mathematics(live: LivePage) -> None:
    assert not live.page.evaluate(LOADED)
    host = shown(
        live, r"So \(\frac{2}{3} \times 240 = 160\) rolls:" "\n\\[\n240 - 160 = 80\n\\]\nleft.", formulas=2
    )
    expect(host.locator("mfrac")).to_have_count(1)
    expect(host.locator("math").nth(1)).to_contain_text("80")
    expect(host).not_to_contain_text("\\")
    assert live.page.evaluate(LOADED)


def test_lines_that_say_something_are_drawn(live: LivePage) -> None:
    host = shown(live, r"\(0.\overline{3}\)", formulas=1)
    expect(host.locator(".tml-overline")).not_to_have_css("border-top-width", "0px")
    host = shown(live, r"\[\begin{aligned} \frac{\cancel{2}}{x} &= 1 \\ y &= 20 \end{aligned}\]", formulas=1)
    expect(host.locator(".tml-cancel")).to_have_css("position", "absolute")
    expect(host.locator("mtd").nth(1)).to_have_css("text-align", "-webkit-left")


@pytest.mark.parametrize(
    "text",
    [r"It begins: \(\frac{2}{3", r"It costs $5 and then $6.", r"Broken: \(\frac{2\)", "`\\(code\\)`"],
)
def test_what_is_none_stays_as_it_was_written(live: LivePage, text: str) -> None:
    shown(live, r"\(1\)", formulas=1)
    expect(shown(live, text, formulas=0)).to_have_text(text.strip("`"))


@pytest.mark.parametrize(
    "text",
    [
        r"\(\href{javascript:document.title='hit'}{x}\)",
        r"\(\includegraphics{https://example.org/x.png}\)",
        r"\(\text{<img src=x onerror=document.title='hit'>}\)",
        r"\(\class{lm-pane}{x} \id{lm-send}{x} \style{position:fixed}{x} \data{a=b}{x}\)",
        r"\(\def\a{\a\a}\a\)",
        r"\(\rule{9999em}{9999em}\)",
    ],
)
def test_a_formula_does_nothing_else(live: LivePage, text: str) -> None:
    title = live.page.title()
    live.page.evaluate(SHOW, r"\(1\)")
    live.page.evaluate(SHOW, text + r" and \(2\)")
    expect(live.page.locator("#formulas math").last).to_have_text("2")
    assert live.page.evaluate(WHAT_ELSE) == []
    assert live.page.title() == title
    tall = live.page.locator("#formulas").bounding_box()
    assert tall
    assert tall["height"] < 1000


def test_what_is_marked_behind_a_formula_is_the_same_words(live: LivePage) -> None:
    text = r"Take \(2 \times 3\) apples and \[4 \times 5\] pears."
    shown(live, text, formulas=2)
    apples, pears = text.index("apples"), text.index("pears")
    spans = [[apples, apples + 6], [pears, pears + 5]]
    assert live.page.evaluate(MARK, [text, spans]) == ["apples", "pears"]
    within = text.index("times 3")
    marked = live.page.evaluate(MARK, [text, [[within, within + 5]]])
    assert len(marked) == 1
    assert "3" in marked[0]
