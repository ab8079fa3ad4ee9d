"""The capacity model: what follows from costs and assumptions, and that docs/scale.md says just that."""

import json
import re
import sys
from dataclasses import asdict, fields, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from livemind_app.benchmark.load.server import own_server
from livemind_app.benchmark.scale.assumptions import Assumptions, option
from livemind_app.benchmark.scale.costs import EVENTS, OFF, Cost, Costs, measure
from livemind_app.benchmark.scale.model import (
    break_even,
    dollars_for_an_hour,
    extra_dollars,
    needs,
    saved_s,
    traffic_of_user,
)
from livemind_app.benchmark.scale.page import Page
from livemind_app.benchmark.scale.queue import busy_ms, capacity, queued, waits_ms
from livemind_app.benchmark.scale.report import BEGIN, END, report, rewritten
from scripts.simulate_scale import USERS, parser

DOCS = Path(__file__).parents[3] / "docs"
FREE = Cost()
COSTS = Costs(
    keystroke=Cost(1.0, 900, 1000),
    echo=Cost(0.0, 100, 300),
    segment=FREE,
    note=FREE,
    answer=FREE,
    token=FREE,
    session=FREE,
    note_tokens=12,
    chars_per_segment=40,
    keystroke_ms=(1.0,) * 20,
    typed_kib=64,
    chat_kib=128,
    where={},
)
# A thousand users who send two drafts a second, and ask for 100 tokens every ten seconds.
ROUND = Assumptions(
    keys_per_s=2,
    prompt_s=10,
    typing=0.5,
    spare=0,
    router_ms=1,
    replica_ms=0,
    tokens=100,
    tokens_before=60,
    tokens_after=70,
    engine_tokens_per_s=1000,
    stream_tokens_per_s=100,
    engine_hour=1,
    gb_out=1,
)


def test_needs_of_small_numbers_as_reckoned_by_hand() -> None:
    need = needs(COSTS, ROUND, 1000)
    assert (need.pages, need.drafts_per_s) == (2000, 2000)
    assert need.memory_gib == 2000 * 128 / 2**20
    assert need.network_mbit == pytest.approx(8 * 1000 * 2 * (900 + 1000 + 100 + 300) / 1e6)
    assert need.router_cores == 2
    assert (need.engines_plain, need.engines) == (10, 13)  # 100 prompts/s of 100, and of 130 tokens
    assert need.engines_month == 13 * 730
    assert need.network_month == pytest.approx(1000 * 2 * 1300 * 3600 * 730 / 1e9)
    assert need.month == need.app_month + need.network_month + need.engines_month


def test_a_replica_is_nearly_full_when_its_goal_is_missed() -> None:
    assert busy_ms(COSTS, ROUND) == 2.0  # of a second
    assert 400 < capacity(COSTS, ROUND) <= 500
    assert capacity(COSTS, replace(ROUND, goal_ms=2)) < capacity(COSTS, ROUND)
    slow = capacity(replace(COSTS, keystroke_ms=(2.0,) * 20), ROUND)
    assert slow < 0.6 * capacity(COSTS, ROUND)
    assert slow == capacity(COSTS, replace(ROUND, replica_ms=1))


def test_whoever_has_segments_notes_and_answers_takes_room_from_drafts() -> None:
    plain = capacity(COSTS, ROUND)
    for event in ("segment", "note", "answer", "token"):
        assert capacity(replace(COSTS, **{event: Cost(40.0)}), ROUND) < plain, event
    assert capacity(replace(COSTS, note=Cost(40.0)), replace(ROUND, notes=0)) == plain


def test_a_draft_alone_takes_what_it_costs() -> None:
    assert waits_ms(COSTS, ROUND, 1).tolist() == pytest.approx([1.0] * len(waits_ms(COSTS, ROUND, 1)))


def test_the_queue_agrees_with_one_that_is_stepped_through() -> None:
    rng = np.random.default_rng(3)
    times, work = np.sort(rng.random(200)) * 100, rng.random(200)
    free, expected = 0.0, []
    for at, takes in zip(times, work, strict=True):
        free = max(free, at) + takes
        expected.append(free - at)
    assert queued(times, work).tolist() == pytest.approx(expected)


def test_more_users_never_need_less() -> None:
    needed = [needs(COSTS, ROUND, users) for users in (1, 10, 1000, 10_000, 10_000_000)]
    for fewer, more in pairwise(needed):
        assert all(getattr(fewer, each.name) <= getattr(more, each.name) for each in fields(fewer))
    assert needed[0].app_replicas == needed[0].engines == 1


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        *(("engine_tokens_per_s", -1), ("engine_hour", 1), ("tokens_after", 1), ("tokens_before", 1)),
        *(("prompt_s", -1), ("keys_per_s", 1), ("gb_out", 1), ("app_hour", 1), ("spare", 1)),
    ],
)
def test_what_an_assumption_does_to_the_price(name: str, sign: int) -> None:
    base = replace(ROUND, spare=0.3)
    changed = replace(base, **{name: getattr(base, name) * 1.5})
    assert (needs(COSTS, changed, 10**6).month - needs(COSTS, base, 10**6).month) * sign > 0


def test_work_ahead_pays_until_a_load_that_is_tokens_spared_by_tokens_before() -> None:
    assert break_even(ROUND) == 0.5  # (100 - 70) / 60
    assert saved_s(ROUND, 0) == pytest.approx(0.3)
    assert saved_s(ROUND, 0.5) == pytest.approx(0)
    assert saved_s(ROUND, 0.49) > 0 > saved_s(ROUND, 0.51)
    assert saved_s(ROUND, 0.9) == float("-inf")  # work ahead alone would fill it
    assert break_even(replace(ROUND, tokens_before=0)) == 1
    assert break_even(replace(ROUND, tokens_after=120)) == 0


def test_an_hour_of_waiting_costs_more_the_busier_and_the_dearer_engines_are() -> None:
    assert extra_dollars(COSTS, ROUND) == pytest.approx(30 / 1000 / 3600)
    assert dollars_for_an_hour(COSTS, ROUND, 0) == pytest.approx(30 / 1000 / 0.3)
    hours = [dollars_for_an_hour(COSTS, ROUND, load) or 0 for load in (0.2, 0.3, 0.4)]
    assert 0 < hours[0] < hours[1] < hours[2]
    assert dollars_for_an_hour(COSTS, replace(ROUND, engine_hour=2), 0.2) == pytest.approx(2 * hours[0])
    assert dollars_for_an_hour(COSTS, ROUND, 0.6) is None


@pytest.mark.parametrize("nonsense", [{"spare": 1.0}, {"typing": 0.0}, {"prompt_s": -1.0}, {"notes": 2.0}])
def test_assumptions_that_cannot_be_are_refused(nonsense: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Assumptions(**nonsense)


def test_the_document_is_what_the_script_says_of_the_costs_that_lie_beside_it() -> None:
    costs = Costs.load(json.loads((DOCS / "scale.json").read_text("utf-8")))
    document = (DOCS / "scale.md").read_text("utf-8")
    said = re.sub(r"\s+", " ", report(costs, Assumptions(), USERS))
    assert said in re.sub(r"\s+", " ", document), "scripts/simulate_scale.py --write"


def test_the_script_has_an_option_for_every_assumption() -> None:
    args = vars(parser().parse_args([]))
    assert {each.name: args[each.name] for each in fields(Assumptions)} == asdict(Assumptions())
    assert option("engine_hour") in parser().format_help()


def test_a_document_without_marks_is_not_written() -> None:
    assert rewritten(rewritten(f"a{BEGIN}{END}b", "x"), "y") == f"a{BEGIN}\n\ny\n\n{END}b"
    with pytest.raises(ValueError, match="there is no"):
        rewritten("a", "x")


# Measuring.

linux = pytest.mark.skipif(sys.platform != "linux", reason="bytes and CPU time are as Linux counts them")


@linux
def test_every_event_is_measured_on_a_real_server() -> None:
    costs = measure(["Tom has three apples. Ann gives him four more of them. How many has he?"], 1, 2)
    for name in ("keystroke", "note", "answer", "token", "session"):
        assert getattr(costs, name).cpu_ms > 0, name
    assert costs.echo.down > 100  # an event with the text in it
    assert costs.note.down > costs.note_tokens
    assert costs.token.down > 10
    assert 10 < costs.chars_per_segment < 80
    assert traffic_of_user(costs, Assumptions()).down > 0
    assert Costs.load(json.loads(json.dumps(asdict(costs)))) == costs
    assert set(EVENTS) < set(asdict(costs))


@linux
def test_bytes_on_the_wire_are_the_bodies_and_the_heads() -> None:
    with own_server(2) as (url, _):
        page = Page(url, OFF)
        before, text = page.wire(), "x" * 1000
        page.draft(text)
        sent = page.wire() - before
        page.close()
    assert 1000 + 600 < sent.up < 1000 + 1500  # a body, a browser's head, packets
    assert 2000 + 300 < sent.down < 2000 + 1500  # acknowledgement and echo, both with the text
