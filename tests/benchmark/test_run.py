"""Runs on the scripted engine: lanes, order, figures, and what a kill leaves behind."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from livemind_app.benchmark.typing.lanes import LANES, lanes
from livemind_app.benchmark.typing.records import Record, Records
from livemind_app.benchmark.typing.summary import summarize
from livemind_app.benchmark.typing.typists import LogNormal
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.errors import ConfigError
from livemind_app.protocol import Priority
from tests.benchmark.scripted import FACTS, QUESTIONS, SETTINGS, bench, run, script


def prompts(engine: ScriptedEngine, priority: Priority) -> list[str]:
    """What was asked at a priority after warming up."""
    asked = [request for request in engine.requests if request.session and request.max_tokens]
    return [engine.tokenizer("llm").decode(r.ids) for r in asked if r.priority is priority]


def test_every_question_is_asked_in_every_lane_and_the_first_one_changes(tmp_path: Path) -> None:
    records = run(bench(), tmp_path / "j")
    assert [(record.question, record.lane) for record in records] == [
        *(("q1", lane) for lane in ("live", "conventional", "slm")),
        *(("q2", lane) for lane in ("conventional", "slm", "live")),
        *(("q3", lane) for lane in ("slm", "live", "conventional")),
    ]
    assert {record.status for record in records} <= {"done", "interrupted"}
    assert all(record.correct and record.extracted == "5" for record in records)


def test_figures_of_a_live_lane_are_those_of_its_session(tmp_path: Path) -> None:
    chosen = bench("infer", "conventional", questions=QUESTIONS[:1])
    records = {record.lane: record for record in run(chosen, tmp_path / "j")}
    live, conventional = records["infer"], records["conventional"]
    assert live.sentences == conventional.sentences == 4
    assert live.notes == ("therefore seven",) * 3
    assert (live.tokens_before, live.tokens_after, live.wasted) == (6, 5, 0)  # 8 - 2 · 3 and "he has 5"
    assert live.typing_s == pytest.approx(len(QUESTIONS[0].text) / 4)
    assert (conventional.tokens_before, conventional.tokens_after, conventional.notes) == (0, 11, ())
    assert live.prefilled_after < live.prompt_tokens
    assert live.ttft is not None
    assert live.latency is not None
    assert 0 <= live.ttft <= live.latency


def test_every_lane_asks_what_it_says(tmp_path: Path) -> None:
    question = QUESTIONS[:1]
    asked = {}
    for name in LANES:
        engine = ScriptedEngine(script)
        (record,) = run(bench(name, questions=question), tmp_path / name, engine=engine)
        asked[name] = (engine, record)
    notes = {name: len(prompts(engine, Priority.NOTE)) for name, (engine, _) in asked.items()}
    assert notes == {name: 3 if name in ("infer", "infer-slm") else 0 for name in LANES}
    final = {name: [r for r in engine.requests if r.max_tokens][-1] for name, (engine, _) in asked.items()}
    prompt = {name: request.ids[: len(request.ids) - request.said] for name, request in final.items()}
    decoded = {name: asked[name][0].tokenizer("llm").decode(ids) for name, ids in prompt.items()}
    small = {
        "infer-slm",
        "exact-slm",
        "llm-to-slm",
        "slm",
    }  # drafts hold to their end
    assert {name for name, request in final.items() if request.role == "slm"} == small
    same = ("exact", "exact-slm", "llm-to-slm", "prefill", "conventional", "slm")
    assert len({decoded[name] for name in same}) == 1
    system = decoded["infer"].split("\n", 1)[0]
    assert decoded["conventional-brief"].startswith(system)
    assert "therefore seven" not in decoded["conventional-brief"]
    assert "therefore seven" in decoded["infer"]
    assert decoded["live"] == decoded["draft"] == decoded["conventional-brief"]


def test_prefill_computes_the_conventional_prompt_while_it_is_typed(tmp_path: Path) -> None:
    lanes = ("prefill", "conventional", "conventional-brief")
    records = {r.lane: r for r in run(bench(*lanes, questions=QUESTIONS[:1]), tmp_path / "j")}
    prefill, conventional = records["prefill"], records["conventional"]
    assert prefill.prompt_tokens == conventional.prompt_tokens
    assert prefill.prefilled_after < conventional.prefilled_after < conventional.prompt_tokens
    assert prefill.tokens_before == 0
    brief = records["conventional-brief"]  # its beginning is warm, the prompt is not
    assert len(FACTS.split()) < brief.prefilled_after < brief.prompt_tokens


def test_caches_are_cold_for_every_question_and_lane(tmp_path: Path) -> None:
    engine = ScriptedEngine(script)
    run(bench("conventional", "live", questions=QUESTIONS[:1] * 2), tmp_path / "a", engine=engine)
    sessions = {request.session for request in engine.requests if request.session}
    assert len(sessions) == 2  # the second time the question is known already
    assert engine._caches == {}


def test_the_options_that_follow_are_no_part_of_the_typing(tmp_path: Path) -> None:
    question = replace(QUESTIONS[0], tail="\nOptions:\n(A) 5", form="letter", key="A", choices=("5",))
    engine = ScriptedEngine(script)
    (record,) = run(bench("live", questions=[question]), tmp_path / "j", engine=engine)
    assert record.typing_s == pytest.approx(len(question.text) / 4)
    assert not any("Options" in prompt for prompt in prompts(engine, Priority.NOTE))
    assert "Options" in prompts(engine, Priority.ANSWER)[-1]


@pytest.mark.parametrize("survived", [0, 1, 5])
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, survived: int) -> None:
    path = tmp_path / "journal.jsonl"
    command = [sys.executable, "-m", "tests.benchmark.scripted", str(path), str(survived)]
    killed = subprocess.run(command, timeout=60, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    before = path.read_text()
    assert before.count("\n") == survived + 1
    with path.open("a") as file:
        file.write('{"question": "q2", "la')  # what a kill in the middle of writing leaves
    new = run(bench(), path, resume=True)
    after = path.read_text()
    assert after.startswith(before)
    lines = [json.loads(line) for line in after.splitlines()]
    assert len(new) == 9 - survived
    assert len({(line["question"], line["lane"]) for line in lines[1:]}) == len(lines) - 1 == 9
    assert run(bench(), path, resume=True) == []


def test_a_run_with_other_settings_is_not_resumed(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    run(bench("slm", questions=QUESTIONS[:1]), path)
    with pytest.raises(ConfigError, match="seed"):
        Records(path, {"seed": 1}, resume=True)
    assert len(path.read_text().splitlines()) == 2


def test_a_fresh_run_keeps_the_journal_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    record = Record("q", "plain", 1, "live", "done", latency=1.0, notes=("a\u2028b",))
    with Records(path, SETTINGS, resume=False) as journal:
        journal.add_record(record)
        journal.add_record(replace(record, lane="slm", status="failed", latency=None))
    with Records(path, SETTINGS, resume=True) as journal:
        assert journal.records == {("q", "live"): record}  # not what failed
    Records(path, SETTINGS, resume=False).__exit__()
    assert "a\u2028b" in (tmp_path / "journal.old.jsonl").read_text()
    with pytest.raises(ConfigError, match="cannot write"):
        Records(tmp_path / "none" / "j", SETTINGS, resume=False)


def test_a_question_that_no_session_takes_stops_nothing(tmp_path: Path) -> None:
    questions = [replace(QUESTIONS[0], id="bad", text="half \ud83d pair"), QUESTIONS[0]]
    bad, good = run(bench("slm", questions=questions), tmp_path / "j")
    assert (bad.status, bad.measured, bad.correct) == ("invalid_text", False, None)
    assert good.measured


def test_lanes_are_checked() -> None:
    assert [lane.name for lane in lanes(["slm", "live"], {})] == ["slm", "live"]
    (brief,) = lanes(["conventional-brief"], {"format": "u-pi"})
    assert dict(brief.changes) == {"format": "u-pi", "mode": "off"}
    for names, changes in ((["fast"], {}), ([], {}), (["live", "live"], {}), (["live"], {"mode": "off"})):
        with pytest.raises(ConfigError, match=r"--(lanes|set)"):
            lanes(names, changes)


def test_exact_answers_are_compared_with_those_they_promise(tmp_path: Path) -> None:
    """Whoever pauses before Enter finds the answer there."""
    names = ("exact", "exact-slm", "conventional", "slm")
    records = run(bench(*names, questions=QUESTIONS[:2], typist=LogNormal()), tmp_path / "j")
    exact = [record for record in records if record.lane == "exact"]
    assert any(record.ready for record in exact)
    assert all(record.ready + record.tokens_after == 11 for record in exact)
    assert all(record.tokens_before >= record.ready + record.wasted for record in exact)
    figures = summarize(records, names)["lanes"]
    assert (figures["exact"]["differing"], figures["exact-slm"]["differing"]) == (0, 0)
    assert "differing" not in figures["slm"]
    changed = [replace(r, answer="no") if r.lane == "exact" else r for r in records]
    assert summarize(changed, names)["lanes"]["exact"]["differing"] == 2
