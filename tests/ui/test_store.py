"""The page folds events to the same picture that the server's snapshot gives."""

from playwright.sync_api import expect

from tests.ui.conftest import LivePage

FOLD_AND_SNAPSHOT = """async (token) => {
    const { EMPTY, fold } = await import(new URL("static/store.js", document.baseURI).href);
    const types = ["state", "segments", "action", "prepared", "turn", "answer", "lane", "error"];
    const read = (last, seen) => new Promise((resolve) => {
        const source = new EventSource(`api/sessions/${token}/events?last=${last}`);
        for (const type of types) {
            source.addEventListener(type, (event) => {
                if (event.data && seen(type, JSON.parse(event.data), Number(event.lastEventId))) {
                    source.close();
                    resolve();
                }
            });
        }
    });
    let [folded, snapshot, upto] = [EMPTY, null, 0];
    await read(99999999, (type, state, id) => { // who lost everything is told of the state
        [snapshot, upto] = [fold(EMPTY, state), id];
        return true;
    });
    await read(0, (type, event, id) => {
        if (type !== "state") folded = fold(folded, event);
        return id >= upto;
    });
    const picture = ({ revision, segments, actions, prepared, turns }) => ({
        revision, segments, actions, prepared,
        turns: turns.map(({ id, prompt, done, lanes }) => ({
            id, prompt, done,
            lanes: Object.entries(lanes).map(([name, lane]) =>
                [name, lane.status, lane.text, lane.metrics, lane.drafted]),
        })),
    });
    return [picture(folded), picture(snapshot)];
}"""


def test_folded_events_agree_with_the_snapshot(live: LivePage) -> None:
    live.type("Anna has five apples. Ben gives her three more. How many")
    live.wait_for_chips("noted", "noted", "typing")
    live.box.press("Control+Home")
    live.type("Today ")
    live.wait_for_chips("noted", "noted", "typing")
    live.box.press("Enter")
    live.wait_for_lane("slm", "done")
    live.type("Carl has one pear. And then")
    live.wait_for_chips("noted", "typing")
    expect(live.status).to_contain_text("Ready")
    folded, snapshot = live.page.evaluate(FOLD_AND_SNAPSHOT, live.token)
    assert folded == snapshot
    assert len(folded["actions"]) == 1
    assert len(folded["turns"]) == 1


def test_thoughts_on_a_draft_agree_with_the_snapshot(live: LivePage) -> None:
    live.open_options()
    with live.options_changed():
        live.page.get_by_label("Draft the answer").check()
    live.type("Anna has 🍏 five apples. Ben gives her three more. How many")
    drafted = live.page.locator(".lm-chip[data-status=drafted]").first
    expect(drafted).to_be_visible()
    live.box.press("Control+Home")
    live.type("Today ")
    expect(live.page.locator(".lm-chip[data-status=drafted]", has_text="Today").first).to_be_visible()
    folded, snapshot = live.page.evaluate(FOLD_AND_SNAPSHOT, live.token)
    assert folded == snapshot
    assert folded["prepared"]["live"]["thoughts"]
