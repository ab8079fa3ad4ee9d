"""The sweep: which combinations, and one table of them."""

import argparse
import json
from pathlib import Path

import pytest

from livemind_app import cli
from livemind_app.benchmark.typing import job
from livemind_app.benchmark.typing.sweep import add_arguments, swept
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.errors import ConfigError
from tests.benchmark.scripted import FACTS, script


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(["--json", "out.json", *arguments])


def test_every_combination_that_makes_a_difference_is_a_lane() -> None:
    args = parse(
        "--formats", "append,u-pi", "--thresholds", "0.3,0.9", "--note-tokens", "16", "--set", "top_k=5"
    )
    names = [lane.name for lane in swept(args)]
    assert names == [
        "conventional",
        "append/sentence/0.3/16",
        "append/sentence/0.9/16",
        "u-pi/sentence/16",  # it has no threshold
    ]
    assert dict(swept(args)[1].changes) == {
        "top_k": 5,
        "mode": "infer",
        "format": "append",
        "granularity": "sentence",
        "think_threshold": 0.3,
        "note_tokens": 16,
    }


@pytest.mark.parametrize(
    "arguments", [("--thresholds", "high"), ("--note-tokens", "1.5"), ("--set", "format=u-pi")]
)
def test_what_cannot_be_swept(arguments: tuple[str, str]) -> None:
    with pytest.raises(ConfigError, match="--"):
        swept(parse(*arguments))


def test_a_sweep_prints_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(job, "open_engine", lambda settings: ScriptedEngine(script))
    data, out = tmp_path / "d.jsonl", tmp_path / "out.json"
    data.write_text(json.dumps({"question": f"{FACTS}How many?", "answer": "5"}) + "\n")
    arguments = ["--data", str(data), "--json", str(out), "--note-tokens", "16,32"]
    assert cli.main(["bench", "sweep", *arguments, "--report", str(tmp_path / "report")]) == 0
    assert (tmp_path / "report" / "report.md").read_text().startswith("# A sweep")
    for picture in ("latency.svg", "accuracy.svg", "accuracy_latency.svg"):
        assert "append/sentence/0.5/16" in (tmp_path / "report" / picture).read_text()
    rows = capsys.readouterr().out.splitlines()
    assert [row.split(" | ")[0] for row in rows[:5]] == [
        "| lane",
        "| ---",
        "| conventional",
        "| append/sentence/0.5/16",
        "| append/sentence/0.5/32",
    ]
    report = json.loads(out.read_text())
    assert report["meta"]["benchmark"] == "sweep"
    assert report["meta"]["command"].startswith("livemind bench sweep --")
    assert cli.main(["bench", "sweep", *arguments, "--formats", "none"]) == 2
