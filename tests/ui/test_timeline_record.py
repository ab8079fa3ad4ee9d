"""What the time axis makes of a session's events: how each is drawn, marked, and told of."""

from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import LivePage
from tests.ui.test_timeline import AXIS, SVG
from tests.ui.test_timeline_window import EXPORT

ROW = 28  # pixels
ROWS = ["typing", "segments", "notes", "ahead", "exact", "conventional"]
SHOW = """async (events) => {
    const at = (path) => import(new URL(`static/${path}`, document.baseURI).href);
    // One of its own, which the page does not draw its own record on whenever it draws.
    const own = at("view/timeline.js?own");
    const [{ Record }, { renderTimeline }] = await Promise.all([at("timeline/record.js"), own]);
    const record = new Record();
    for (const event of events) record.see(event);
    renderTimeline(record, record.end, false);
    document.querySelector('[data-window="everything"]').click();
}"""

Event = dict[str, Any]


def typed(at: float, text: str, kept: int = 0) -> Event:
    """Each sentence but the last is finished."""
    parts = [f"{part}. " for part in text.split(". ")[:-1]] + [text.split(". ")[-1]]
    segments = [{"text": part, "finished": part.endswith(" ")} for part in parts if part]
    return {"type": "segments", "at": at, "revision": int(at * 10), "kept": kept, "segments": segments}


def note(at: float, status: str, **more: Any) -> Event:
    told = {"first": 0, "index": 0, "kind": "inference", "delta": "five apples", "tokens": 7, "seconds": 0.5}
    return {"type": "action", "at": at, "status": status, **told, **more}


def ahead(at: float, tokens: int, seconds: float, *, done: bool = False, draft: bool = False) -> Event:
    lane = {"type": "prepared", "lane": "exact", "ready": tokens, "text": "", "thoughts": []}
    return {**lane, "at": at, "tokens": tokens, "seconds": seconds, "done": done, "draft": draft}


def sent(at: float, prompt: str) -> Event:
    lanes = ["exact", "conventional"]
    return {"type": "turn", "at": at, "id": 1, "prompt": prompt, "lanes": lanes, "done": False}


def lane(at: float, status: str, metrics: object = None) -> Event:
    started = at if status == "running" else None
    told = {"lane": "conventional", "turn": 1, "started_at": started}
    return {"type": "lane", "at": at, "status": status, "metrics": metrics, **told}


class Drawn:
    """The exported picture: titles of its bars, whether each is hatched, and the marks by row."""

    def __init__(self, svg: ElementTree.Element) -> None:
        self.bars: dict[str, bool] = {}
        self.marks: list[tuple[str, str]] = []
        for group in svg.iter(f"{SVG}g"):
            if len(group) < 2 or group[0].tag != f"{SVG}title":
                continue
            title, body = group[0].text or "", group[1]
            if body.text == "▼":
                self.marks.append((ROWS[int(float(body.attrib["y"]) - AXIS) // ROW], title))
            elif body.tag == f"{SVG}rect":
                self.bars[title] = body.attrib["fill"].startswith("url(")

    def told(self, beginning: str) -> list[tuple[list[str], bool]]:
        """Lines, and whether it is hatched, of each bar whose title begins like this."""
        return [
            (title.split("\n")[1:], bad) for title, bad in self.bars.items() if title.startswith(beginning)
        ]


def shown(live: LivePage, *events: Event) -> Drawn:
    expect(live.status).to_have_text("Ready. Start typing.")
    live.page.evaluate(SHOW, list(events))
    return Drawn(ElementTree.fromstring(live.page.evaluate(EXPORT)))


def expect_told(live: LivePage, text: str) -> None:
    """In the details of the first thing of the second row that is not empty."""
    live.page.locator(".lm-plane").focus()
    for _ in range(2):
        live.page.keyboard.press("ArrowDown")
    expect(live.page.locator(".lm-tip")).to_contain_text(text)


BEGUN = "Exact: answer begun before Enter"
TEXT = "How many apples"


def test_an_answer_begun_ahead_and_shown_at_enter(live: LivePage) -> None:
    drawn = shown(
        live,
        typed(1, TEXT),
        ahead(3, 4, 1.0),
        ahead(4, 9, 2.0, done=True),
        sent(5, TEXT),
        typed(5, ""),
        typed(6, "And then"),
    )
    ((lines, bad),) = drawn.told(BEGUN)
    assert lines == ["shown at Enter, if the text was the same", "9 tokens in 2.0 s · 9 tokens ready"]
    assert not bad
    assert drawn.marks == []
    expect_told(live, "shown at Enter")


def test_an_answer_begun_ahead_to_a_text_that_changed(live: LivePage) -> None:
    drawn = shown(
        live,
        typed(1, TEXT),
        ahead(3, 4, 1.0),
        typed(4, f"{TEXT} has"),
        ahead(6, 10, 2.5, done=True),  # what is told is the sum of both
    )
    assert drawn.told(BEGUN) == [
        (["thrown away: the text changed", "4 tokens in 1.0 s · 4 tokens ready"], True),
        (["all of it", "6 tokens in 1.5 s · 10 tokens ready"], False),
    ]
    assert drawn.marks == [("ahead", "thrown away: the text changed")]
    expect_told(live, "thrown away: the text changed")
    expect(live.page.locator("#lm-timeline-summary")).to_contain_text("1 step thrown away or cut")


def test_a_draft_of_the_answer_goes_on_into_the_next(live: LivePage) -> None:
    drawn = shown(
        live, typed(1, TEXT), ahead(3, 4, 1.0, done=True, draft=True), typed(4, f"{TEXT} has"), typed(5, TEXT)
    )
    assert drawn.told(BEGUN) == [
        (["goes on into the next draft", "4 tokens in 1.0 s · 4 tokens ready"], False)
    ]
    assert drawn.marks == []
    expect_told(live, "goes on into the next draft")


@pytest.mark.parametrize(
    ("status", "told"),
    [("cut", "cut short by Enter"), ("dropped", "dropped at Enter: it had said nothing")],
)
def test_a_note_that_enter_ends(live: LivePage, status: str, told: str) -> None:
    text = "Anna has five apples. And"
    drawn = shown(
        live,
        typed(1, text),
        note(2, "running"),
        note(3, status, delta=""),
        sent(3, text),
        typed(3, ""),
    )
    assert drawn.told("Note on part 1") == [(["five apples", f"{told} · 7 tokens · 0.50 s computed"], True)]
    assert drawn.marks == [("notes", told)]
    expect_told(live, told)


def test_a_note_that_stays_and_a_decision_to_wait(live: LivePage) -> None:
    text = "Anna has five apples. And"
    drawn = shown(
        live,
        typed(1, text),
        note(2, "done"),
        note(3, "done", kind="wait", first=1, index=1, delta="", tokens=1, seconds=0.25),
    )
    assert drawn.told("Note on part 1") == [(["five apples", "done · 7 tokens · 0.50 s computed"], False)]
    assert drawn.told("Part 2: nothing to note yet") == [(["", "done · 1 token · 0.25 s computed"], False)]
    assert drawn.marks == []


def test_notes_behind_an_edit_are_rolled_back_and_those_before_stay(live: LivePage) -> None:
    drawn = shown(
        live,
        typed(1, "Anna has five. Ben has two. And"),
        note(2, "done"),
        note(3, "running", first=1, index=1, delta="two"),
        typed(4, "Anna has five. Ben had two. And", kept=1),
    )
    rolled_back = "rolled back: the text before it changed"
    assert [bad for _, bad in drawn.told("Note on part 1")] == [False]
    assert drawn.told("Note on part 2") == [(["two", f"{rolled_back} · 7 tokens · 0.50 s computed"], True)]
    assert drawn.marks == [("notes", rolled_back)]


def test_a_deleted_segment(live: LivePage) -> None:
    drawn = shown(live, typed(1, "Anna has five. Ben"), typed(3, "Anna has five. "))
    assert drawn.told("Part 1") == [(["Anna has five.", "typed in 0.00 s"], False)]
    assert drawn.told("Part 2, deleted") == [(["Ben", "typed in 2.0 s"], True)]


def test_a_lane_that_is_interrupted(live: LivePage) -> None:
    metrics = {"ttft": 0.5, "latency": 2.0, "tokens": 8, "tokens_per_s": 4.0, "overhead_s": 0.75}
    drawn = shown(
        live,
        typed(1, TEXT),
        sent(2, TEXT),
        typed(2, ""),
        lane(3, "running"),
        {"type": "answer", "at": 3.5, "turn": 1, "lane": "conventional", "delta": "There "},
        lane(6, "interrupted", metrics),
    )
    ((lines, _),) = drawn.told("Conventional")
    assert lines == [
        "interrupted by other work",
        "first word 0.50 s, complete 2.0 s",
        "8 tokens · 4.0 tok/s",
        "waited 0.75 s for a step to stop",
    ]
    assert drawn.marks == [("conventional", "interrupted by other work")]
    expect_told(live, "interrupted by other work")
