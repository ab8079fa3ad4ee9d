"""The panel that compares the runs of a chat: the figures are those of the panes, undisturbed runs only."""

import statistics

from playwright.sync_api import expect

from livemind_app.protocol import Priority
from tests.ui.conftest import Gates, LivePage

LATENCIES = """async (token) => {
    const source = new EventSource(`api/sessions/${token}/events?last=99999999`);
    const frame = await new Promise((resolve) => source.addEventListener("state", resolve));
    source.close();
    return JSON.parse(frame.data).turns.map((turn) => turn.lanes.live.metrics?.latency ?? null);
}"""


def ask(live: LivePage, text: str) -> None:
    live.ask(text)
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text(text)
    live.wait_for_lane("slm", "done")


def test_runs_are_compared_from_the_second_on(live: LivePage) -> None:
    panel = live.page.locator(".lm-runs")
    ask(live, "How many?")
    expect(panel).to_be_hidden()
    ask(live, "And how many apples are there in the other basket, then?")
    ask(live, "And in all?")
    row = panel.locator('tr[data-lane="live"] td')
    expect(row.first).to_have_text("3")
    median = statistics.median(live.page.evaluate(LATENCIES, live.token))
    shown = f"{median:.2f} s" if median < 1 else f"{median:.1f} s"
    expect(row.nth(2)).to_have_text(shown)
    expect(panel.locator("svg path")).to_have_count(9)
    expect(panel.locator("svg path title").first).to_have_text("LiveMind: 9 characters, " + shown_of(live))


def shown_of(live: LivePage) -> str:
    first = live.page.evaluate(LATENCIES, live.token)[0]
    return f"{first:.2f} s" if first < 1 else f"{first:.1f} s"


METRICS = """async (token) => {
    const source = new EventSource(`api/sessions/${token}/events?last=99999999`);
    const frame = await new Promise((resolve) => source.addEventListener("state", resolve));
    source.close();
    return JSON.parse(frame.data).turns.map(({ lanes }) => lanes);
}"""


def test_reduction_and_waste_are_those_of_the_answers(live: LivePage, gates: Gates) -> None:
    live.type("Anna has five apples. And")
    live.wait_for_chips("noted", "typing")
    gates.hold(Priority.NOTE)
    live.box.press("Home")
    live.type("Once ")  # takes the note back
    gates.open()
    live.wait_for_chips("noted", "typing")
    live.box.press("Enter")
    live.wait_for_lane("slm", "done")
    ask(live, "And how many are there in all?")
    ask(live, "And in the end?")
    turns = live.page.evaluate(METRICS, live.token)
    assert sum(turn["live"]["metrics"]["wasted_tokens"] for turn in turns) > 0
    for lane in ("live", "slm", "conventional"):
        figures = [turn[lane]["metrics"] for turn in turns]
        reduction, wasted = live.page.locator(f'.lm-runs tr[data-lane="{lane}"] td').all_inner_texts()[3:]
        expected = statistics.median(each["reduction"] or 0 for each in figures)
        assert reduction == ("–" if lane == "conventional" else signed(live, -expected))
        thrown = sum(each["wasted_tokens"] for each in figures)
        assert wasted == (str(thrown) if lane == "live" else "–")


def signed(live: LivePage, share: float) -> str:
    """As the page writes a percentage."""
    at = "new URL('static/numbers.js', document.baseURI).href"
    text = live.page.evaluate(f"async (share) => (await import({at})).percent(share)", share)
    assert abs(float(text.replace("−", "-").replace("+", "").rstrip("% ")) / 100 - share) <= 0.005
    return str(text)


def test_a_stopped_run_is_not_compared(live: LivePage, gates: Gates) -> None:
    ask(live, "How many?")
    gates.hold(Priority.ANSWER, after=2)
    live.ask("And then?")
    live.wait_for_lane("live", "writing")
    live.page.keyboard.press("Escape")
    live.wait_for_lane("slm", "stopped")
    gates.open()
    ask(live, "And in all?")
    expect(live.page.locator('.lm-runs tr[data-lane="live"] td').first).to_have_text("2")
