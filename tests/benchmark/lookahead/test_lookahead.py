"""`livemind bench lookahead` on a tiny model, and its parts by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from livemind_app import cli
from livemind_app.benchmark.lookahead.noted import chat
from livemind_app.benchmark.lookahead.prompts import load
from livemind_app.benchmark.lookahead.rows import Row, Rows
from livemind_app.benchmark.lookahead.summary import summarize
from livemind_app.engine.loading import wrap
from livemind_app.errors import ConfigError
from tests.llm_to_slm import tiny

ARMS = ["greedy", "hf", "prompt_lookup", "original", "chain", "tree"]


def row(arm: str, seconds: float, *, prompt: str = "a", warm: bool = False, **more: Any) -> Row:
    return Row(
        prompt, "set", arm, warm, tokens=11, seconds=seconds, forwards=5, drafted=8, draft_s=0.1, **more
    )


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A folder with a tiny random model."""
    made = tiny.writer().model
    made.config.max_position_embeddings = 4096
    made.save_pretrained(tmp_path / "model")
    tiny.tokenizer(290).save_pretrained(tmp_path / "model")
    return str(tmp_path / "model")


def test_all_arms_say_the_same_and_a_run_goes_on(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    command = ["bench", "lookahead", "--model", model, "--dtype", "float32", "--data", "code-edits"]
    command += ["--warm", "1", "--tokens", "10", "--json", str(out)]
    assert cli.main([*command, "--limit", "1"]) == 0
    result = json.loads(out.read_text("utf-8"))
    figures = result["summary"]
    assert list(figures["arms"]) == ARMS
    assert list(figures["warm"]["arms"]) == ["original", "chain", "tree"]
    for arms in (figures["arms"], figures["warm"]["arms"], figures["datasets"]["code-edits"]["arms"]):
        assert {each["identical"] for each in arms.values()} == {1.0}
        assert {each["n"] for each in arms.values()} == {1}
    assert figures["arms"]["greedy"]["speedup"] == 1
    assert figures["cost"]["256"][1] == 1
    rows = out.with_suffix(".rows.jsonl")
    before = rows.read_text("utf-8")
    rows.write_text(before + '["cut sho', "utf-8")
    assert cli.main([*command, "--limit", "1", "--resume"]) == 0
    assert rows.read_text("utf-8") == before
    assert cli.main([*command, "--limit", "2", "--resume"]) == 0
    assert rows.read_text("utf-8").startswith(before)
    assert json.loads(out.read_text("utf-8"))["summary"]["arms"]["tree"]["n"] == 2
    assert cli.main([*command, "--limit", "2", "--seed", "1", "--resume"]) == 2
    assert "other seed" in capsys.readouterr().err


def test_speedups_are_of_sums_and_the_worst_is_of_prompts() -> None:
    rows = [
        row("greedy", 2.0), row("tree", 1.0), row("greedy", 2.0, prompt="b"), row("tree", 4.0, prompt="b"),
    ]  # fmt: skip
    tree = summarize(rows)["arms"]["tree"]
    assert tree["tokens_per_s"] == pytest.approx(20 / 5)
    assert tree["speedup"] == pytest.approx(4 / 5)
    assert tree["worst_prompt_ratio"] == pytest.approx(0.5)
    assert tree["tokens_per_forward"] == pytest.approx(2)


def test_what_differs_is_counted_and_listed() -> None:
    summary = summarize([row("greedy", 1.0), row("hf", 1.0, diverged=3, margin=0.01)])
    assert summary["arms"]["hf"]["identical"] == 0
    assert summary["divergences"] == [{"prompt": "a", "arm": "hf", "warm": False, "index": 3, "margin": 0.01}]


def test_measured_and_learned_prompts_are_apart() -> None:
    for name in ("code-edits", "corrections"):
        measured, learned = load([name], 60, 60, seed=0)
        assert len(measured) == len(learned) == 60
        assert not {prompt.id for prompt in measured} & {prompt.id for prompt in learned}
        assert load([name], 60, 60, seed=0) == (measured, learned)
        assert load([name], 70, 60, seed=0)[0][:60] == measured


def test_an_output_stage_reads_the_models_notes(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    questions = ["Tom has 3 apples. He buys 2 more. How many has he?", "What is 2 + 2?"]
    path.write_text(
        "".join(json.dumps({"question": q, "answer": "#### 5"}) + "\n" for q in questions), "utf-8"
    )
    (noted,), _ = load([f"notes:{path}"], 9, 0, seed=0)  # one sentence is answered without notes
    plain, _ = load([str(path)], 9, 0, seed=0)
    assert noted.id not in {prompt.id for prompt in plain}
    writer = tiny.writer()
    writer.model.config.max_position_embeddings = 4096
    model = wrap("tiny", writer.model, tiny.tokenizer(290))
    _, asked = chat(model, noted)
    assert asked["content"].startswith(questions[0])
    assert "\nNotes:\n- " in asked["content"]
    assert chat(model, plain[0]) == [{"role": "user", "content": plain[0].text}]


def test_rows_survive_and_belong_to_their_settings(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with Rows(path, {"seed": 1}, resume=False) as rows:
        rows.add_rows([row("greedy", 1.0), row("tree", 0.5)])
    with Rows(path, {"seed": 1}, resume=True) as rows:
        assert rows.done == {"a"}
        assert len(rows.all) == 2
    with pytest.raises(ConfigError, match="other seed"):
        Rows(path, {"seed": 2}, resume=True)
    with pytest.raises(ConfigError, match="cannot write"):
        Rows(tmp_path / "no" / "rows.jsonl", {}, resume=False)
