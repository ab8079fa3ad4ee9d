"""`livemind bench llm-to-slm` on a tiny random pair, and its arithmetic."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from livemind_app.benchmark.llm_to_slm import job
from livemind_app.benchmark.llm_to_slm.command import ARMS
from livemind_app.benchmark.llm_to_slm.report import report
from livemind_app.benchmark.llm_to_slm.score import rouge_l, score
from livemind_app.benchmark.llm_to_slm.summary import summarize
from livemind_app.cli import main
from livemind_app.engine.model import LoadedModel
from livemind_app.engine.models.catalogue import PRESETS
from livemind_app.llm_to_slm import adapter
from livemind_app.training import checkpoint, prompts
from livemind_app.training.prompts import Prompt
from tests.llm_to_slm import tiny
from tests.llm_to_slm.test_generation import made

SMALL = PRESETS["small"]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was loaded: tiny models under the names of the pair."""
    names: list[str] = []
    makers: dict[str, Callable[[], LoadedModel]] = {SMALL.llm: tiny.reader, SMALL.slm: tiny.writer}

    def load(name: str, weights: str) -> LoadedModel:
        names.append(name)
        return replace(makers[name](), name=name)

    monkeypatch.setattr(job, "_load", load)
    monkeypatch.setattr(adapter, "SHIPPED", Path("nowhere"))
    return names


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    rows = [
        {"question": f"Tom has {n} pens. He buys 2 more. How many?", "answer": f"#### {n + 2}"}
        for n in range(60)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def trained(folder: Path, data: dict[str, str], *, trained: bool) -> Path:
    """An adapter for the pair's names."""
    made(folder / "made", trained=trained)
    tensors, meta = checkpoint.load(folder / "made")
    settings = {"data": data}
    checkpoint.save(
        folder / "adapter", tensors, {**meta, "llm": SMALL.llm, "slm": SMALL.slm, "settings": settings}
    )
    return folder / "adapter"


def bench(data: Path, out: Path, *more: str) -> dict[str, Any]:
    base = ["bench", "llm-to-slm", "--pair", "small", "--data", str(data), "--limit", "3", "--tokens", "6"]
    assert main([*base, "--json", str(out), *more]) == 0
    result: dict[str, Any] = json.loads(out.read_text())
    return result


@pytest.mark.usefixtures("loaded")
def test_the_gap_is_measured_without_any_adapter(data: Path, tmp_path: Path) -> None:
    summary = bench(data, tmp_path / "out.json", "--arms", "llm,slm")["summary"]
    assert set(summary["arms"]) == {"llm", "slm"}
    for arm in summary["arms"].values():
        assert arm["n"] == 3
        assert arm["nll"] > 0
        assert arm["reference_nll"] > 0
        assert 0 <= arm["score"] <= 1
        assert arm["ttft_p50"] > 0
    assert summary["gap_closed"] is None
    assert summary["speedup"] is None


@pytest.mark.usefixtures("loaded")
def test_all_arms_of_a_trained_pair(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = trained(tmp_path / "a", {}, trained=True)
    more = ("--adapter", str(folder), "--control", str(folder))
    result = bench(data, tmp_path / "out.json", *more)
    summary = result["summary"]
    assert list(summary["arms"]) == sorted(ARMS)
    arms = summary["arms"]
    assert len({round(arms[name]["nll"], 4) for name in ARMS if name != "ours_none"}) == 6
    assert arms["ours_none"]["nll"] == pytest.approx(arms["slm_lora"]["nll"], rel=1e-4)  # the same LoRA here
    assert set(summary["better_than"]) == {"slm_lora", "ours_shuffled", "ours_constant", "ours_none"}
    assert summary["gap_closed"] is not None
    assert summary["speedup"] > 0
    assert result["meta"]["ours"]["files"] == checkpoint.read_meta(folder)["files"]
    assert "ours_shuffled" in capsys.readouterr().out


@pytest.mark.usefixtures("loaded")
def test_untrained_ours_is_the_small_model(data: Path, tmp_path: Path) -> None:
    folder = trained(tmp_path / "a", {}, trained=False)
    arms = bench(data, tmp_path / "out.json", "--adapter", str(folder))["summary"]["arms"]
    for name in ("ours", "ours_shuffled", "ours_constant", "ours_none"):
        assert arms[name]["nll"] == pytest.approx(arms["slm"]["nll"], rel=1e-4)
        assert arms[name]["score"] == arms["slm"]["score"]


def test_a_stopped_run_goes_on(data: Path, tmp_path: Path, loaded: list[str]) -> None:
    out, rows = tmp_path / "out.json", tmp_path / "out.rows.jsonl"
    first = bench(data, out, "--arms", "llm,slm")
    lines = rows.read_text().split("\n")
    rows.write_text("\n".join(lines[:2]) + "\n" + lines[2][:10])
    again = bench(data, out, "--arms", "llm,slm", "--resume")
    assert rows.read_text().split("\n")[1] == lines[1]
    assert again["summary"]["arms"]["slm"]["nll"] == pytest.approx(first["summary"]["arms"]["slm"]["nll"])


@pytest.mark.usefixtures("loaded")
def test_what_was_trained_on_is_not_asked(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, hashes = prompts.read([data])
    held_out = [prompt for prompt in found if prompt.held_out]
    folder = trained(tmp_path / "a", hashes, trained=False)
    assert 0 < len(held_out) < 10
    result = bench(data, tmp_path / "out.json", "--adapter", str(folder), "--limit", "60")
    assert result["summary"]["arms"]["ours"]["n"] == len(held_out)
    none = [prompt for prompt in found if not prompt.held_out]
    data.write_text("".join(json.dumps({"prompt": prompt.text}) + "\n" for prompt in none))
    folder = trained(tmp_path / "b", prompts.read([data])[1], trained=False)
    arguments = ["bench", "llm-to-slm", "--data", str(data), "--json", str(tmp_path / "o.json")]
    assert main([*arguments, "--adapter", str(folder)]) == 2
    assert "trained on" in capsys.readouterr().err


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "livemind train llm-to-slm --llm qwen2.5-coder-0.5b --slm smollm2-135m"),
        (("--arms", "llm,ours"), "livemind train llm-to-slm"),
        (("--arms", "llm,slm_lora"), "--control"),
        (("--arms", "slm"), "llm has to be among them"),
        (("--arms", "llm,other"), "other"),
        (("--limit", "0"), "--limit"),
    ],
)
def test_what_cannot_be_measured_is_said(
    more: tuple[str, ...], said: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "llm-to-slm", "--data", str(data), "--json", str(tmp_path / "o.json"), *more]) == 2
    assert said in capsys.readouterr().err


# Arithmetic.


def row(key: str, nats: dict[str, float]) -> dict[str, Any]:
    common = {"reference_nats": None, "score": 1.0, "tokens": 11, "characters": 40, "ttft": 0.5}
    arms = {
        name: {**common, "nats": value, "seconds": 5.0 if name == "llm" else 2.0}
        for name, value in nats.items()
    }
    return {"id": key, "source": "x", "tokens": 10, "reference_tokens": 0, "arms": arms}


def test_shares_and_ratios() -> None:
    rows = [
        row(str(n), {"llm": 2.0, "slm_lora": 10.0, "ours": 4.0, "ours_shuffled": 11.0 + n}) for n in range(3)
    ]
    summary = summarize(rows)
    assert summary["arms"]["ours"]["nll"] == pytest.approx(0.4)
    assert summary["gap_closed"] == pytest.approx(0.75)
    assert summary["gap_closed_reference"] is None
    assert summary["speedup"] == pytest.approx(2.5)
    better = summary["better_than"]["ours_shuffled"]
    assert better["nll"] == pytest.approx(0.8)
    assert better["interval"][0] > 0
    assert summary["datasets"]["x"]["arms"] == summary["arms"]
    assert "75.0%" in report(summary)


def test_scores() -> None:
    sums = Prompt("?", "x", "He has 3 + 4 = <<3+4=7>>7.\n#### 7", number=True)
    assert score(sums, "So the answer is 7.0.") == 1.0
    assert score(sums, "So the answer is 8.") == 0.0
    assert score(Prompt("?", "x"), "anything") is None
    assert score(Prompt("?", "x", "A cat."), "a cat") == 1.0
    assert rouge_l("The cat sat.", "the cat was there") == pytest.approx(4 / 7)
    assert rouge_l("", "x") == 0.0
