"""The command, its files and the report."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from livemind_app import cli
from livemind_app.benchmark.svg import Axis, log_axis
from livemind_app.benchmark.typing import job
from livemind_app.benchmark.typing.records import Record
from livemind_app.benchmark.typing.report import percent, seconds, write_report
from livemind_app.benchmark.typing.summary import summarize
from livemind_app.engine.scripted import ScriptedEngine
from tests.benchmark.scripted import FACTS, script

RECORDS = [{"question": f"{FACTS * n}How many?", "answer": "#### 5"} for n in (1, 2, 3)]
META: dict[str, Any] = {
    "benchmark": "typing",
    "models": {"llm": "a", "slm": "b"},
    "cpu": {"model": "x", "count": 2},
    "weights": {"llm": "plain", "slm": "int8"},
    "data": {"d.jsonl": {"sha256": "0" * 64, "questions": 1}},
    "versions": {"python": "3"},
    **dict.fromkeys(("dtype", "typist", "clock", "seed", "questions", "command", "commit", "finished"), "-"),
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(job, "open_engine", lambda settings: ScriptedEngine(script))
    path = tmp_path / "d.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    return path


def bench(*arguments: object) -> int:
    return cli.main(["bench", "typing", *map(str, arguments)])


def test_a_run_writes_its_figures_and_a_report(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, folder = tmp_path / "out.json", tmp_path / "report"
    lanes = "live,live-slm,conventional,slm,conventional-brief,prefill"
    assert bench("--data", data, "--json", out, "--report", folder, "--lanes", lanes, "--limit", 2) == 0
    report = json.loads(out.read_text())
    assert {name: each["n"] for name, each in report["summary"]["lanes"].items()} == dict.fromkeys(
        lanes.split(","), 2
    )
    assert len(report["records"]) == 12
    meta = report["meta"]
    assert meta["models"] == {"llm": "scripted", "slm": "scripted"}
    assert next(iter(meta["data"].values()))["questions"] == 3
    assert {"dtype", "versions", "cpu", "commit", "seed", "typist", "clock"} <= set(meta)
    assert str(tmp_path) not in out.read_text()
    text = (folder / "report.md").read_text()
    pictures = sorted(path.name for path in folder.glob("*.svg"))
    assert all(f"]({name})" in text for name in pictures)
    assert len(pictures) == 4
    assert "| conventional-brief | 2 |" in text
    assert capsys.readouterr().out.startswith("| lane | n |")


def test_resuming_asks_only_what_is_missing_and_takes_more_questions(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    common = ("--data", data, "--json", out, "--lanes", "slm")
    assert bench(*common, "--limit", 1) == 0
    (first,) = json.loads(out.read_text())["records"]
    assert bench(*common, "--resume") == 0
    records = json.loads(out.read_text())["records"]
    assert len(records) == 3
    assert records[0] == first
    assert bench(*common, "--resume", "--seed", 5) == 2


def test_a_run_is_not_resumed_with_other_models_or_other_files(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    public, trace = tmp_path / "public.txt", tmp_path / "traces.jsonl"
    public.write_text("The quick brown fox.")
    events = [[100 * n, [[n, 0, "x"]]] for n in range(5)]
    trace.write_text(json.dumps({"trace": "t", "events": events}))
    out = tmp_path / "out.json"
    what = ("--data", data, "--json", out, "--lanes", "slm", "--limit", 1)
    common = (*what, "--draft-text", public, "--typist", f"trace:{trace}")
    assert bench(*common, "--preset", "tiny") == 0
    assert bench(*common, "--preset", "tiny", "--resume") == 0
    assert str(tmp_path) not in out.read_text()
    public.write_text("Another one.")
    trace.write_text(json.dumps({"trace": "t", "events": events[:4]}))
    monkeypatch.setenv("LIVEMIND_DRAFTS", "shared")
    assert bench(*common, "--preset", "small", "--resume") == 2
    told = capsys.readouterr().err
    assert all(name in told for name in ("preset", "models", "draft_text", "drafts", "trace"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--lanes", "fast"],
        ["--typist", "fast"],
        ["--limit", "0"],
        ["--set", "colour=red"],
        ["--set", "format"],
        ["--min-sentences", "99"],
        ["--preset", "huge"],
        ["--adapter", "nowhere"],
        ["--adapter", str(Path(__file__).parent)],
    ],
)
def test_what_cannot_work_is_said_before_anything_is_loaded(
    arguments: list[str],
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(job, "open_engine", lambda settings: pytest.fail("loaded"))
    assert bench("--data", data, "--json", tmp_path / "out.json", *arguments) == 2
    assert capsys.readouterr().err.startswith("livemind: ")
    assert not (tmp_path / "out.json").exists()


def test_pictures_are_well_formed_and_name_every_lane(tmp_path: Path) -> None:
    lanes = ["live", "a<b", "failed"]
    records = [
        Record(f"q{n}", "gsm8k", 7 * n, lane, "done", 0.1, n + 0.5, correct=n > 1)
        for lane in lanes[:2]
        for n in (1, 2, 3)
    ]
    records.append(Record("q1", "gsm8k", 7, "failed", "failed"))
    write_report(tmp_path / "new" / "report", summarize(records, lanes), META, records)
    for path in (tmp_path / "new" / "report").glob("*.svg"):
        drawn = "".join(ElementTree.fromstring(path.read_text()).itertext())
        assert "live" in drawn
        assert "a<b" in drawn
        assert "nan" not in path.read_text()


def test_a_report_without_keys_has_no_accuracy_and_without_answers_no_pictures(tmp_path: Path) -> None:
    plain = [Record("q", "plain", 1, "live", "done", 0.1, 1.0)]
    write_report(tmp_path / "a", summarize(plain, ["live"]), META, plain)
    assert {path.name for path in (tmp_path / "a").glob("*.svg")} == {
        "latency.svg",
        "latency_by_sentences.svg",
    }
    failed = [Record("q", "plain", 1, "live", "failed")]
    write_report(tmp_path / "b", summarize(failed, ["live"]), META, failed)
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["report.md"]


def test_axes() -> None:
    axis = log_axis([0.3, 30.0], 0, 100)
    assert axis.ticks() == [0.2, 0.5, 1, 2, 5, 10, 20]
    assert axis(axis.low) == 0
    assert axis(axis.high) == pytest.approx(100)
    assert axis(0) == 0
    assert Axis(0, 1, 10, 20)(0.5) == 15


def test_numbers_as_they_are_shown() -> None:
    assert (seconds(None), seconds(0.123), seconds(61)) == ("–", "0.12 s", "61.0 s")
    assert (percent(None), percent(0.1234), percent(-0.05, signed=True)) == ("–", "12.3 %", "-5.0 %")
