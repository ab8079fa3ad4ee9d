"""Models that are not there yet, or never will be: told in words, with how far they are."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.ui.conftest import Gates, LivePage, Log
from tests.ui.test_accessibility import SIZES, check
from tests.ui.test_accessibility_states import dressed

FETCHING = {"role": "llm", "name": "large", "state": "fetching", "progress": 0.427, "detail": ""}
LOADING = {"role": "slm", "name": "small", "state": "loading", "progress": None, "detail": ""}
FAILED = {"role": "slm", "name": "small", "state": "failed", "progress": None, "detail": "no such file"}


@pytest.fixture(params=SIZES)
def coming(request: pytest.FixtureRequest, browser: Browser, log: Log, gates: Gates) -> Iterator[LivePage]:
    """A page, not yet open."""
    with dressed(browser, log, size=request.param) as live:
        yield live


def opened(live: LivePage, status: str, *models: dict[str, Any]) -> None:
    """The page, told this of the models."""
    live.health_says({"status": status, "models": list(models)})
    live.open()


def test_models_that_load(coming: LivePage) -> None:
    opened(coming, "loading", FETCHING, LOADING)
    expect(coming.status).to_contain_text("getting ready")
    models = coming.page.locator(".lm-model")
    expect(models.locator(".lm-model-name")).to_have_text(["Large model: large", "Small model: small"])
    expect(models.locator(".lm-model-state")).to_have_text(["downloading 42 %", "loading into memory"])
    first, second = models.nth(0).get_by_role("progressbar"), models.nth(1).get_by_role("progressbar")
    assert first.evaluate("bar => bar.value") == pytest.approx(0.427)
    assert second.evaluate("bar => bar.position") == -1  # nobody knows how far
    expect(first).to_have_accessible_name("large: downloading")
    check(coming)
    assert coming.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_model_that_failed(coming: LivePage) -> None:
    opened(coming, "failed", {**FETCHING, "state": "ready"}, FAILED)
    expect(coming.status).to_have_text("A model could not be loaded: see below.")
    expect(coming.page.locator("#lm-status .lm-dot")).to_have_attribute("data-kind", "error")
    failed = coming.page.locator(".lm-model[data-state=failed]")
    expect(failed.locator(".lm-model-state")).to_have_text("failed – no such file")
    expect(coming.page.get_by_role("progressbar")).to_have_count(0)
    status, place = coming.status.bounding_box(), failed.bounding_box()
    assert status
    assert place
    assert place["y"] > status["y"]
    check(coming)
    assert coming.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_list_goes_when_they_are_ready(browser: Browser, log: Log, gates: Gates) -> None:
    with dressed(browser, log) as live:
        told = {"status": "loading", "models": [FETCHING]}
        live.health_says(told)
        live.open()
        expect(live.page.locator(".lm-model")).to_have_count(1)
        told.clear()
        expect(live.status).to_have_text("Ready. Start typing.")
        expect(live.page.locator(".lm-model")).to_have_count(0)
