"""`livemind train answers` on a tiny model: texts that a training reads."""

import json
from pathlib import Path

import pytest

from livemind_app.cli import main
from livemind_app.training import texts
from tests.llm_to_slm import tiny

QUESTIONS = ["Half of 12?", "How many are 3 and 4?", "Say hello."]


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    tiny.writer().model.save_pretrained(tmp_path / "model")
    tiny.tokenizer(290).save_pretrained(tmp_path / "model")
    data = tmp_path / "prompts.jsonl"
    data.write_text("".join(json.dumps({"instruction": each}) + "\n" for each in QUESTIONS), "utf-8")
    return [
        *("train", "answers", "--model", str(tmp_path / "model"), "--data", str(data)),
        *("--out", str(tmp_path / "answers.jsonl"), "--tokens", "6", "--batch", "2"),
    ]


def test_answers_are_texts_and_a_greater_limit_adds(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answers.jsonl"
    assert main([*command, "--limit", "2"]) == 0
    before = out.read_text("utf-8")
    assert main([*command, "--limit", "3"]) == 0
    assert out.read_text("utf-8").startswith(before)
    assert "3 answers in" in capsys.readouterr().out
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()[1:]]
    assert {row["prompt"] for row in rows} == set(QUESTIONS)
    for row in rows:
        row["ended"] = row["prompt"] != QUESTIONS[0]
    out.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (corpus,) = texts.read([out])  # what was cut off is left out
    whole = [row for row in rows if row["ended"]]
    assert list(corpus.texts) == [f"{row['prompt']}\n\n{row['answer']}".strip() for row in whole]


def test_a_file_of_another_kind_is_left_alone(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answers.jsonl"
    out.write_text('{"text": "mine"}\n', "utf-8")
    assert main(command) == 2
    assert "another kind of file" in capsys.readouterr().err
    assert out.read_text("utf-8") == '{"text": "mine"}\n'
