"""The benchmark on one's own prompts, from the page."""

import json
import re
import zipfile

from playwright.sync_api import expect

from livemind_app.protocol import Priority
from tests.ui.conftest import Gates, LivePage

PROMPTS = "Anna has five apples. How many has she?\n\n  And how many has Ben?  \n"


def fill(live: LivePage, prompts: str = PROMPTS) -> None:
    live.page.get_by_text("Run the benchmark on my prompts").click()
    live.page.get_by_label("Your prompts, one a line").fill(prompts)


def test_prompts_are_run_through_the_lanes_and_the_report_is_downloaded(live: LivePage) -> None:
    fill(live)
    live.page.get_by_role("button", name="Run", exact=True).click()
    panel = live.page.locator(".lm-benchmark")
    expect(panel.get_by_role("status")).to_have_text("6 answers measured.")
    expect(panel.locator("tbody th")).to_have_text(["LiveMind", "Conventional", "Small alone"])
    expect(panel.locator('tr[data-lane="live"] td').first).to_have_text("2")
    expect(panel.locator('tr[data-lane="live"] td').nth(2)).to_have_text(re.compile(r"^\d+\.\d+ s$"))
    with live.page.expect_download() as download:
        panel.get_by_role("link", name="Download the report").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        figures = json.loads(archive.read("figures.json"))
        prompts = [json.loads(line)["prompt"] for line in archive.read("own/prompts.jsonl").splitlines()]
    assert prompts == ["Anna has five apples. How many has she?", "And how many has Ben?"]
    assert list(figures["summary"]["lanes"]) == ["live", "conventional", "slm"]


def test_progress_is_shown_over_a_reload_and_a_run_is_cancelled(live: LivePage, gates: Gates) -> None:
    gates.hold(Priority.ANSWER, after=2)
    fill(live)
    live.page.get_by_role("button", name="Run", exact=True).click()
    told = live.page.locator(".lm-benchmark").get_by_role("status")
    expect(told).to_have_text("0 of 6 answers measured")
    live.page.reload()
    live.ready()
    live.page.get_by_text("Run the benchmark on my prompts").click()
    expect(told).to_have_text("0 of 6 answers measured")
    live.page.get_by_role("button", name="Cancel").click()
    expect(told).to_have_text("Cancelled; nothing is kept of it.")
    expect(live.page.get_by_role("link", name="Download the report")).to_be_hidden()


def test_an_empty_list_is_not_run_and_a_refusal_is_told(live: LivePage) -> None:
    live.log.allowed.append("422")
    fill(live, "\n \n")
    run = live.page.get_by_role("button", name="Run", exact=True)
    expect(run).to_be_disabled()
    live.page.get_by_label("Your prompts, one a line").fill("x\n" * 201)
    run.click()
    expect(live.status).to_contain_text("prompts: List should have at most 200 items")
