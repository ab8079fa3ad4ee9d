"""The page of the run history: its trends are those of the rows, and it is for whoever may read them."""

import dataclasses
import json
import re
import statistics
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemind_app.serving.access import Access
from livemind_app.serving.charts import chart, ticks
from livemind_app.serving.history import COLUMNS, History, runs
from livemind_app.serving.history_page import history_page, percent, seconds
from livemind_app.serving.history_words import ENGLISH, WORDS, Words
from livemind_app.serving.languages import COOKIE, Language
from livemind_app.serving.trends import LANES, bins, trends
from tests.serving.conftest import refusal, serving
from tests.serving.test_history import ELSEWHERE, SECRET, ask

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
STATIC = Path(__file__).parents[2] / "static"
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=40)


def row(lane: str, latency: float | None, days_ago: float = 0, **more: Any) -> dict[str, Any]:
    at = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat(timespec="milliseconds")
    known = {
        "at": at,
        "lane": lane,
        "latency": latency,
        "status": "done",
        "model": "m",
        "chat": "c",
        "turn": 1,
    }
    counted = {"question_chars": 40, "answer_chars": 9, "thinking_tokens": 0, "wasted_tokens": 0}
    return {**dict.fromkeys(COLUMNS), "mode": "infer", "format": "append", **known, **counted, **more}


@given(POINTS, st.integers(1, 20))
def test_bins_hold_every_point_once_and_in_order(points: list[tuple[float, float]], count: int) -> None:
    found = bins(points, count)
    assert sum(each.runs for each in found) == len(points)
    assert len(found) <= count
    assert [each.x for each in found] == sorted(each.x for each in found)
    for each in found:
        assert each.low <= each.y <= each.high


@given(NUMBERS, NUMBERS)
def test_ticks_are_few_and_reach_around_the_values(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    found = ticks(low, high)
    slack = 1e-9 * max(abs(low), abs(high), 1)
    assert found[0] <= low + slack
    assert found[-1] >= high - slack
    assert 2 <= len(found) <= 8


@given(POINTS)
def test_what_is_drawn_lies_inside(points: list[tuple[float, float]]) -> None:
    drawn = chart("T", {"live": bins(points)}, seconds, seconds, ENGLISH)
    assert bool(drawn) == bool(points)
    assert "nan" not in drawn
    assert drawn.count('class="point"') == len(bins(points))


def test_figures_of_a_lane_are_those_of_its_runs() -> None:
    latencies = [1.0, 2.0, 9.0]
    rows = [row("live", latency, thinking_tokens=10, wasted_tokens=5, reduction=0.5) for latency in latencies]
    found = trends([*rows, row("slm", 4.0), row("slm", None)])
    live, slm = found.figures
    assert (live.lane, live.runs, live.latency, live.slow) == ("live", 3, statistics.median(latencies), 9.0)
    assert (live.reduction, live.wasted) == (0.5, 0.5)
    assert (slm.lane, slm.runs, slm.reduction, slm.wasted) == ("slm", 1, None, None)
    assert list(found.latency_by_length) == ["live", "slm"]
    assert list(found.wasted_by_time) == ["live"]


@pytest.mark.parametrize("language", WORDS)
def test_every_lane_is_called_as_on_the_chats_page(language: Language) -> None:
    page = (STATIC / "words" / language / "answers.js").read_text(encoding="utf-8")
    lanes = page.partition("LANES = {")[2].partition("\n};")[0]
    named = re.findall(r'^ +"?([\w-]+)"?: \{\s*title: "([^"]+)"', lanes, re.MULTILINE)
    assert dict(named) == WORDS[language].lanes
    assert set(dict(named)) == set(LANES)


def told(words: Words) -> list[str]:
    """All that one language says."""
    fields = [getattr(words, field.name) for field in dataclasses.fields(words) if field.name != "moment"]
    lists = [list(each.values()) if isinstance(each, Mapping) else each for each in fields]
    return [text for each in lists for text in ([each] if isinstance(each, str) else each)]


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_nothing_of_the_page_is_left_in_english(language: Language) -> None:
    words = WORDS[language]
    assert set(told(words)) & set(told(ENGLISH)) == {"LiveMind"}
    assert (len(words.figures), len(words.runs)) == (len(ENGLISH.figures), len(ENGLISH.runs))
    assert (set(words.periods), set(words.status)) == (set(ENGLISH.periods), set(ENGLISH.status))


@pytest.mark.parametrize(
    ("accepted", "chosen", "language"),
    [
        ("zh-CN,en;q=0.5", "", "zh"),
        ("en;q=0.3, ja", "", "ja"),
        ("fr, de;q=0.9", "", "en"),
        ("zh", "ja", "ja"),
        ("zh", "xx", "zh"),
        ("q=;;,zh;q=zh", "", "en"),
    ],
)
def test_it_speaks_the_language_chosen_on_the_page_or_wished_by_the_browser(
    tmp_path: Path, accepted: str, chosen: str, language: Language
) -> None:
    with serving(history=History(str(tmp_path / "h.sqlite"))) as service:
        cookies = {COOKIE: chosen} if chosen else {}
        headers = {"Accept-Language": accepted, "Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
        page = service.http.get("/history", headers=headers).text
    assert f'<html lang="{language}">' in page
    assert WORDS[language].nothing in page


def test_names_are_no_markup() -> None:
    page = history_page([row("<script>", 1.0, model="<b>m</b>")], "", ENGLISH, limited=False)
    assert "<script>" not in page
    assert "<b>" not in page


def test_the_page_shows_the_figures_of_the_time_that_was_chosen(tmp_path: Path) -> None:
    kept = History(str(tmp_path / "h.sqlite"))
    rows = [row("live", 2.5), row("live", 31.0, days_ago=3), row("conventional", 8.0, days_ago=20)]
    with kept._engine.begin() as connection:
        connection.execute(runs.insert(), [{k: v for k, v in one.items() if k != "id"} for one in rows])
    with serving(history=kept) as service:
        pages = {
            days: service.http.get("/history", params={"days": days}).text for days in ("1", "7", "30", "")
        }
        assert service.http.get("/history", params={"days": "2"}).status_code == 422
    assert "1 run," in pages["1"]
    assert seconds(31.0) not in pages["1"]
    assert seconds(31.0) in pages["7"]
    assert ENGLISH.lanes["conventional"] not in pages["7"]
    assert ENGLISH.lanes["conventional"] in pages["30"]
    assert pages["30"].count("<svg viewBox") == pages[""].count("<svg viewBox") == 2  # no reduction, no waste


def test_it_holds_no_text_and_is_for_whoever_may_read_the_history(tmp_path: Path) -> None:
    with serving(history=History(str(tmp_path / "h.sqlite"))) as service:
        ask(service, SECRET)
        answer = service.http.get("/history")
        assert answer.headers["cache-control"] == "no-store"
        assert "xylophone" not in answer.text
        assert percent(None) in answer.text
        assert refusal(service.http.get("/history", headers=ELSEWHERE)) == (403, "forbidden")
        lines = service.http.get("/api/history/export", params={"format": "jsonl"}).text.splitlines()
        whole = service.http.get("/api/history/export", params={"format": "json"}).json()
        assert whole == [json.loads(line) for line in lines] != []


def test_where_no_history_is_kept_there_is_no_page(tmp_path: Path) -> None:
    with serving() as service:
        assert service.http.get("/history").status_code == 404
    with serving(history=History(str(tmp_path / "h.sqlite")), access=Access(password="x")) as service:
        assert service.http.get("/history").status_code == 401
        assert "No runs" in service.http.get("/history", auth=("me", "x")).text
        assert (
            service.http.get("/api/history/export", params={"format": "json"}, auth=("me", "x")).json() == []
        )


@pytest.mark.parametrize(("value", "shown"), [(0.0, "0 s"), (0.031, "31 ms"), (1.0, "1 s"), (9.96, "10.0 s")])
def test_times_are_short(value: float, shown: str) -> None:
    assert seconds(value) == shown
