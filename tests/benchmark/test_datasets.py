"""Records of every kind become questions."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from livemind_app.benchmark.typing.datasets import PACKAGED, Question, Source, choose, load, parse
from livemind_app.errors import ConfigError

PRO = {
    "question": " Which is even? ",
    "options": ["1", "2", "3", "4", "5"],
    "answer": "B",
    "answer_index": 1,
    "category": "math",
    "question_id": 7,
}
MMLU = {"question": "Which?", "subject": "law", "options": ["a", "b"], "answer": "A", "answer_index": 0}
HUB = {"question": "Which?", "subject": "law", "choices": ["a", "b"], "answer": 1}
GSM = {"question": "Tom has 3. He buys 4. How many?", "answer": "3+4=<<3+4=7>>7\n#### 1,007"}
LONG = {"prompt": "A. B. What?", "n_sent": 3, "options": ["x", "y"], "answer": "B"}
NESTED = {
    "prompt": "A. What?\nOptions:\n(A) x y\n(B) z",
    "n_sent": 2,
    "options": None,
    "answer": "(B)",
}
YES_NO = {"prompt": "Is it?\nOptions:\n- Yes\n- No", "n_sent": 1, "options": None, "answer": "No"}
OPEN = {"prompt": "Write.\nOptions:\n- none", "n_sent": 1, "options": None, "answer": None}
MEETING = {"query": "Summarize.", "context": ["A: Hi.", "B: Bye."], "answer": "They met."}
PLAIN = {"prompt": "Write a poem.", "category": "x", "uid": "1"}


def write(path: Path, *records: object) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    return path


@pytest.mark.parametrize(
    ("record", "kind", "form", "key", "typed"),
    [
        (PRO, "mmlu-pro", "letter", "B", "Which is even?"),
        (MMLU, "mmlu", "letter", "A", "Which?"),
        (HUB, "mmlu", "letter", "B", "Which?"),
        (GSM, "gsm8k", "number", "1007", GSM["question"]),
        (GSM | {"answer": "30"}, "gsm8k", "number", "30", GSM["question"]),
        (LONG, "long", "letter", "B", "A. B. What?"),
        (NESTED, "long", "letter", "B", "A. What?"),
        (YES_NO, "long", "words", "No", "Is it?"),
        (OPEN, "long", None, "", OPEN["prompt"]),
        (MEETING, "meeting", None, "", "A: Hi.\nB: Bye.\n\nSummarize."),
        (PLAIN, "plain", None, "", "Write a poem."),
    ],
)
def test_what_a_record_is_can_be_told_from_its_fields(
    record: dict[str, Any], kind: str, form: str | None, key: str, typed: str
) -> None:
    question = parse(record, "x")
    assert (question.kind, question.form, question.key, question.text) == (kind, form, key, typed)
    assert question.prompt == question.text + question.tail


def test_options_follow_the_question_with_their_letters() -> None:
    assert parse(PRO, "x").tail.split("\n")[:4] == ["", "Options:", "(A) 1", "(B) 2"]
    assert parse(NESTED, "x").choices == ("x y", "z")
    assert parse(YES_NO, "x").choices == ("Yes", "No")
    assert "- Yes" in parse(YES_NO, "x").tail
    assert parse(GSM, "x").tail == ""


@pytest.mark.parametrize(
    "record",
    [
        [],
        {},
        {"question": "Hi?"},
        {"question": "Hi?", "answer": "many"},
        {"prompt": 5},
        MMLU | {"answer_index": 99},
    ],
)
def test_a_record_of_no_known_kind_is_named(tmp_path: Path, record: object) -> None:
    path = write(tmp_path / "a.jsonl.gz", PLAIN, record)
    with pytest.raises(ConfigError, match=r"a\.jsonl\.gz#1"):
        load([path])


def test_files_are_read_packed_or_not_and_line_separators_inside_texts_stay(tmp_path: Path) -> None:
    packed = write(tmp_path / "a.gz", {"prompt": "One\u2028two"}, PLAIN)
    plain = tmp_path / "a.jsonl"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    one, other = load([packed, plain])
    assert [question.text for question in one.questions] == ["One\u2028two", "Write a poem."]
    assert [q.text for q in other.questions] == [q.text for q in one.questions]
    assert one.label == f"{tmp_path.name}/a.gz"
    assert one.questions[1].id == f"{one.label}#1"
    assert one.sha256 != other.sha256


def test_unreadable_files(tmp_path: Path) -> None:
    cut_off = tmp_path / "cut"
    cut_off.write_bytes(write(tmp_path / "a.gz", PLAIN).read_bytes()[:-12])
    empty = tmp_path / "empty"
    empty.write_text("\n")
    for path in (cut_off, empty, tmp_path):
        with pytest.raises(ConfigError, match="--data"):
            load([path])
    with pytest.raises(ConfigError, match="cannot read"):
        load([tmp_path / "missing.jsonl"])


def test_samples_are_the_same_for_a_seed_and_a_longer_one_contains_a_shorter() -> None:
    questions = tuple(Question(str(index), "plain", "Hello there. " * (index % 4 + 1)) for index in range(40))
    source = Source("x", "", questions)
    few, many = choose(source, 5, 1), choose(source, 20, 1)
    assert many[:5] == few
    assert choose(source, None, 1)[:20] == many
    assert choose(source, 20, 2) != many
    even, odd = (set(choose(source, None, 1, half=half)) for half in ("even", "odd"))
    assert even | odd == set(questions)
    assert not even & odd
    assert {question.sentences for question in choose(source, None, 1, sentences=3)} == {3, 4}


def test_the_package_has_questions_of_its_own() -> None:
    (source,) = load([])
    assert source.label == PACKAGED
    assert len(source.questions) >= 20
    assert {"gsm8k", "mmlu-pro", "long", "plain"} == {question.kind for question in source.questions}
    assert max(question.sentences for question in source.questions) > 20
    for question in source.questions:
        assert question.form is None or question.key
