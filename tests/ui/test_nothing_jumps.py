"""What is on the page stays where it is while an example types itself, is thought about and is answered."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from livemind_app.config import Settings
from tests.ui.conftest import TIMEOUT_MS, Gates, LivePage, Log, page_served

GOOD = 0.1  # of all shifts together: what web.dev calls good of a page's worst five seconds
QUICK = "{ const wait = setTimeout; window.setTimeout = (act, ms, ...rest) => wait(act, ms / 8, ...rest); }"
WATCH = """() => {
    window.shifts = [];
    const named = (node) => {
        const place = node?.closest?.("[id^=lm-]");
        return place === node ? `#${node?.id}` : `#${place?.id} .${node?.className}`;
    };
    new PerformanceObserver((list) => {
        for (const { value, hadRecentInput, sources } of list.getEntries()) {
            if (hadRecentInput) continue; // the user's own doing
            const moved = sources.map(({ node, previousRect: from, currentRect: to }) =>
                `${named(node)} ${Math.round(from.y)} → ${Math.round(to.y)}`);
            window.shifts.push({ value, moved });
        }
    }).observe({ type: "layout-shift" });
}"""
FRAMES = (
    "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
)


def shifts(page: Page) -> list[dict[str, Any]]:
    """`value`, by the browser's own measure, and what `moved`, with its distance from the top."""
    page.evaluate(FRAMES)
    found: list[dict[str, Any]] = page.evaluate("window.shifts")
    return found


def told(found: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{each['value']:.3f} {'; '.join(each['moved'])}" for each in found if each["value"] > 0.003
    )


@pytest.mark.parametrize("mode", ["draft", "infer"])
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_nothing_jumps_while_an_example_is_typed_and_answered(
    browser: Browser, gates: Gates, mode: str, width: int, height: int
) -> None:
    with page_served(Settings(mode=mode), gates) as url:  # type: ignore[arg-type]
        context = browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        page.add_init_script(QUICK)
        live = LivePage(page, Log(url)).open()
        button = page.get_by_role("button", name="Type an example for me")
        expect(button).to_be_visible()
        page.evaluate(WATCH)
        button.click()
        expect(live.lane("slm")).to_have_attribute("data-status", "done", timeout=60_000)
        found = shifts(page)
        context.close()
    assert sum(each["value"] for each in found) < GOOD, told(found)


def test_a_jump_is_seen(live: LivePage) -> None:
    live.page.evaluate(WATCH)
    live.page.evaluate("document.querySelector('#lm-composer').style.marginTop = '200px'")
    assert sum(each["value"] for each in shifts(live.page)) > GOOD
    assert any("#lm-composer" in place for each in shifts(live.page) for place in each["moved"])


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (768, 900), (390, 844)])
def test_the_lanes_stay_where_they_are_whatever_is_above_them(
    live: LivePage, width: int, height: int, gates: Gates
) -> None:
    live.page.set_viewport_size({"width": width, "height": height})
    models = [
        {"role": role, "name": "Big", "state": "fetching", "progress": 0.42, "detail": ""}
        for role in ("llm", "slm")
    ]
    body = {"status": "loading", "version": "1", "models": models, "sessions": 0}
    live.page.route("**/api/health", lambda route: route.fulfill(json=body))
    live.page.reload()
    live.ready()
    expect(live.page.locator("#lm-models .lm-model")).to_have_count(2)
    place = live.page.locator("#lm-composer").bounding_box()
    line = live.page.locator(".lm-intro p")
    told, below = line.bounding_box(), live.page.locator("#lm-models .lm-model").first.bounding_box()
    assert told
    assert below
    assert told["y"] + told["height"] <= below["y"]
    live.page.unroute("**/api/health")
    expect(live.page.locator("#lm-models .lm-model")).to_have_count(0)
    assert line.bounding_box() == told
    live.type("Anna has five apples. How many has she")
    live.wait_for_chips("noted", "typing")
    live.box.press("Enter")
    live.wait_for_lane("slm", "done")
    assert live.page.locator("#lm-composer").bounding_box() == place
    live.page.locator("#lm-turn summary").click()
    expect(live.page.locator("#lm-turn .lm-note").first).to_be_visible()
    live.type("And")
    live.wait_for_chips("typing")
    assert live.page.locator("#lm-composer").bounding_box() == place
