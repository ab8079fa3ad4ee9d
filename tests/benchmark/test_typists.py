"""Typists: every one ends with the text, on time."""

import gzip
import json
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemind_app.benchmark.typing.traces import Edit, Trace, load_trace, replay
from livemind_app.benchmark.typing.typists import Constant, LogNormal, Replay, Typist, typist
from livemind_app.errors import ConfigError

texts = st.text(st.sampled_from("ab. 你\n?"), max_size=60)
edits = st.builds(Edit, st.floats(0, 2), st.integers(-2, 30), st.integers(0, 9), st.integers(0, 5))
traces = st.lists(edits, max_size=30).map(lambda some: Trace("x", (Edit(0.1, 0, 0, 1), *some)))
typists = st.one_of(st.just(Constant()), st.just(LogNormal()), st.builds(Replay, traces))


def is_subsequence(part: str, whole: str) -> bool:
    rest = iter(whole)
    return all(character in rest for character in part)


@given(typists, texts, st.integers(0, 5))
def test_everybody_ends_with_the_text_and_time_never_goes_back(who: Typist, text: str, seed: int) -> None:
    drafts = list(who.drafts(text, Random(seed)))
    assert drafts == list(who.drafts(text, Random(seed)))
    assert [draft.text for draft in drafts][-1:] == [text][: len(text)]
    assert all(0 <= a.at <= b.at for a, b in pairwise(drafts))
    assert all(is_subsequence(draft.text, text) for draft in drafts)
    assert all(a.text != b.text for a, b in pairwise(drafts))


@given(texts)
def test_the_papers_typist_takes_a_quarter_of_a_second_for_a_character(text: str) -> None:
    drafts = list(Constant().drafts(text, Random(0)))
    assert [draft.at for draft in drafts] == [0.25 * (index + 1) for index in range(len(text))]
    assert [draft.text for draft in drafts] == [text[:end] for end in range(1, len(text) + 1)]


def test_only_people_pause_before_enter() -> None:
    assert Constant().enter_s(Random(0)) == 0
    pauses = sorted(LogNormal().enter_s(Random(seed)) for seed in range(201))
    assert 1.5 < pauses[100] < 2.7


def test_log_normal_gaps_and_pauses_are_those_of_people() -> None:
    """The figures that the class names, over many people."""
    text = "Thirty people write about the way to the old harbour. " * 4
    gaps: dict[str, list[float]] = {"inside": [], "all": []}
    for seed in range(60):
        drafts = list(LogNormal().drafts(text, Random(seed)))
        for before, now in pairwise(drafts):
            inside = not text[len(before.text)].isspace() and not text[len(before.text) - 1].isspace()
            gaps["inside"] += [now.at - before.at] if inside else []
            gaps["all"].append(now.at - before.at)
    assert median(gaps["inside"]) == pytest.approx(0.166, rel=0.1)
    assert 0.055 <= sum(gap > 1 for gap in gaps["all"]) / len(gaps["all"]) <= 0.089
    assert 0.03 <= sum(gap > 2 for gap in gaps["all"]) / len(gaps["all"]) <= 0.05


EVENTS = [
    [0, [[0, 0, "T"]]],
    [200, [[1, 0, "p"]]],
    [500, [[1, 1, ""]]],
    [700, [[1, 0, "om"]]],
    [99_000, [[3, 0, "!"]]],
]


def write(path: Path, *records: object) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    return path


def test_a_trace_is_replayed_with_its_edits_and_without_its_breaks(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.gz", {"trace": "one", "events": EVENTS}, {"trace": "two", "events": EVENTS[:1]}
    )
    drafts = [(round(at, 3), draft) for at, draft in replay(load_trace(path), "Anna")]
    assert drafts == [(0.0, "A"), (0.2, "An"), (0.5, "A"), (0.7, "Ann"), (10.7, "Anna")]
    assert len(load_trace(path, "two").edits) == 1


def test_an_edit_inside_is_made_as_far_from_the_end_and_typed_again() -> None:
    trace = Trace("x", (Edit(0.1, 0, 0, 5), Edit(0.1, 2, 2, 0), Edit(0.1, 0, 0, 3)))
    assert [draft for _, draft in replay(trace, "abcdef")] == ["abcde", "ade", "abcdef"]


def test_names_of_typists(tmp_path: Path) -> None:
    path = write(tmp_path / "t.gz", {"trace": "one", "events": EVENTS})
    assert typist("constant") == Constant(240)
    assert typist("constant:600") == Constant(600)
    assert typist("lognormal") == typist("log-normal") == LogNormal()
    assert typist(f"trace:{path}#one") == typist(f"trace:{path}") == Replay(load_trace(path))


@pytest.mark.parametrize(
    "name", ["", "fast", "constant:0", "constant:x", "constant:nan", "lognormal:3", "trace:", "trace:none"]
)
def test_what_is_no_typist(name: str) -> None:
    with pytest.raises(ConfigError, match="--typist"):
        typist(name)


def test_traces_that_do_not_exist(tmp_path: Path) -> None:
    path = write(tmp_path / "t.gz", {"trace": "one", "events": [[0, [[0, 0, ""]]]]})
    for name in (f"trace:{path}#two", f"trace:{path}#one"):
        with pytest.raises(ConfigError, match="no trace"):
            typist(name)
