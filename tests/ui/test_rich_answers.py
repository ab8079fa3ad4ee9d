"""Formulas and code in an answer: nothing for axe-core to find, and no long line widens the page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from livemind_app.config import Settings
from livemind_app.protocol import Role
from tests.ui.conftest import Gates, LivePage, Log, page_served
from tests.ui.test_accessibility import SIZES, check
from tests.ui.test_accessibility_states import dressed

SUM = " + ".join(rf"\frac{{{number}}}{{{number + 1}}}" for number in range(1, 40))
CODE = f"numbers = [{', '.join(str(number) for number in range(80))}]"
ANSWER = rf"""So \(\frac{{1}}{{2}}\) of it:

\[ \frac{{1}}{{2}} \times 240 = 120 \]

and inline \({SUM}\) or apart

\[ {SUM} \]

```python
{CODE}
```

That is all."""


@pytest.fixture(scope="module", params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SIZES)
def answered(
    request: pytest.FixtureRequest, browser: Browser, gates: Gates, scheme: str
) -> Iterator[LivePage]:
    with (
        page_served(Settings(mode="off"), gates, say) as url,
        dressed(browser, Log(url), scheme, size=request.param) as live,
    ):
        live.open()
        live.ask("How many?")
        live.wait_for_lane("slm", "done")
        expect(live.lane("live").locator("math")).to_have_count(4)
        expect(live.lane("live").locator("pre")).to_contain_text("numbers = [0, 1")
        yield live
        assert not live.log.found


def say(role: Role, prompt: str) -> str:
    return ANSWER


def test_axe_finds_nothing_in_formulas_and_code(answered: LivePage) -> None:
    check(answered)


def test_a_long_formula_or_line_of_code_does_not_widen_the_page(answered: LivePage) -> None:
    page = answered.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for node in answered.lane("live").locator(".lm-answer > *").all():
        pane, box = answered.lane("live").bounding_box(), node.bounding_box()
        assert pane
        assert box
        assert box["x"] + box["width"] <= pane["x"] + pane["width"]
    code = answered.lane("live").locator("pre")
    overflow = code.evaluate("pre => getComputedStyle(pre).overflowX")
    assert overflow == "auto" or code.evaluate("pre => pre.scrollWidth <= pre.clientWidth")


CUT_OFF = """(lane) => [...document.querySelectorAll(`#lm-lane-${lane} math`)].filter((math) => {
    const right = document.querySelector(`#lm-lane-${lane} .lm-pane`).getBoundingClientRect().right;
    let node = math;
    while (node && !/auto|scroll/.test(getComputedStyle(node).overflowX)) node = node.parentElement;
    return !node?.closest(".lm-answer") && math.getBoundingClientRect().right > right;
}).length"""


def test_no_formula_ends_where_nobody_can_see_it(answered: LivePage) -> None:
    """It is broken into lines, or can be scrolled."""
    assert answered.page.evaluate(CUT_OFF, "live") == 0
