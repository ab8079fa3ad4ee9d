"""`livemind bench sentence-vae` on a tiny base with models that were trained for a few steps."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from livemind_app import cli
from livemind_app.benchmark.sentence_vae.summary import summarize
from livemind_app.engine.models.load import load
from livemind_app.training import checkpoint

SENTENCES = ("The cat sat on the mat. ", "It was warm there, and very quiet! ", "Who could ask for more? ")
TEXT = "".join(SENTENCES * 60)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small network that nobody trained, and a real tokenizer."""
    folder = tmp_path_factory.mktemp("base") / "toy"
    tokenizer = load("smollm2-135m", "float32")[1]
    torch.manual_seed(0)
    shape: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": True}
    network = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), eos_token_id=2, **shape, **heads))
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "some.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def models(base: Path, text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained by the commands that a user has."""
    folder, runs = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("runs")
    common = ["--data", str(text), "--steps", "2", "--evaluate-every", "2"]
    codec = ["train", "sentence-vae", "--base", str(base), "--batch-tokens", "64"]
    assert cli.main([*codec, *common, "--out", str(runs / "codec")]) == 0
    (runs / "codec" / "checkpoint").rename(folder / "codec")
    for setting in ("sllm", "hybrid"):
        command = ["train", "sllm", "--codec", str(folder / "codec"), "--setting", setting, "--window", "5"]
        assert cli.main([*command, *common, "--out", str(runs / setting)]) == 0
        (runs / setting / "checkpoint").rename(folder / setting)
    return folder


def test_training_goes_on_from_a_checkpoint(models: Path, text: Path, tmp_path: Path) -> None:
    """After a step at a rate of next to nothing it is what it began with; another setting is refused."""
    codec, begin = models / "codec", models / "hybrid"
    command = ["train", "sllm", "--codec", str(codec), "--window", "5", "--data", str(text), "--steps", "1"]
    command += ["--rate", "1e-9", "--begin", str(begin)]
    assert cli.main([*command, "--setting", "hybrid", "--out", str(tmp_path / "run")]) == 0
    tensors, meta = checkpoint.load(tmp_path / "run" / "checkpoint")
    known, told = checkpoint.load(begin)
    assert meta["begin"] == told["files"]
    assert all(torch.allclose(tensors[name], known[name], atol=1e-3) for name in known)
    assert cli.main([*command, "--setting", "sllm", "--out", str(tmp_path / "other")]) == 2


def test_training_says_what_it_did(models: Path) -> None:
    for kind in ("codec", "sllm", "hybrid"):
        meta = json.loads((models / kind / "checkpoint.json").read_text("utf-8"))
        assert meta["kind"] == kind
        assert len(next(iter(meta["data"].values()))) == 64
        assert meta["command"].startswith("livemind ")


def test_every_figure_is_there_and_a_run_goes_on(
    models: Path, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    command = ["bench", "sentence-vae", "--models", str(models), "--data", str(text), "--window", "6"]
    command += ["--tokens", "8", "--speed", "1", "--json", str(out)]
    assert cli.main([*command, "--limit", "1"]) == 0
    first = out.with_suffix(".rows.jsonl").read_text("utf-8")
    assert cli.main([*command, "--limit", "2", "--resume"]) == 0
    assert out.with_suffix(".rows.jsonl").read_text("utf-8").startswith(first)

    summary = json.loads(out.read_text("utf-8"))["summary"]
    assert summary["lm"]["n"] == 2
    ppl = [summary["lm"][f"ppl_{arm}"] for arm in ("base", "sllm", "hybrid", "base_truncated")]
    assert all(value > 1 for value in ppl)
    assert set(summary["lm"]["controls"]) == {*("hybrid_raw", "oracle", "previous", "zero", "shuffled")}
    assert summary["speed"]["n"] == 1
    assert summary["speed"]["speedup_sllm"] > 0
    assert all(summary["speed"][arm]["read_s_p50"] > 0 for arm in ("base", "sllm", "hybrid"))
    memory = summary["memory"]
    assert memory["positions_per_1k_tokens"]["base"] == 1000
    assert memory["reduction_sllm"] > memory["reduction_hybrid"] > 0
    assert 0 <= summary["codec"]["token_accuracy"] <= 1
    assert "speedup" in capsys.readouterr().out


@pytest.mark.parametrize("settings", [("sllm",), ("hybrid",), ()])
def test_what_is_there_is_measured(
    models: Path, text: Path, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    folder, out = tmp_path / "models", tmp_path / "out.json"
    folder.mkdir()
    for part in ("codec", *settings):
        (folder / part).symlink_to(models / part)
    command = ["bench", "sentence-vae", "--models", str(folder), "--data", str(text), "--window", "6"]
    assert cli.main([*command, "--limit", "1", "--tokens", "8", "--speed", "1", "--json", str(out)]) == 0
    summary = json.loads(out.read_text("utf-8"))["summary"]
    assert {name for name in summary["lm"] if name in ("ppl_sllm", "ppl_hybrid")} == {
        f"ppl_{setting}" for setting in settings
    }
    assert all(value > 1 for name, value in summary["lm"].items() if name.startswith("ppl_"))
    assert set(summary["memory"]["positions_per_1k_tokens"]) == {"base", *settings}
    assert summary["codec"]["sentences"] == 6


def test_figures_are_of_sums() -> None:
    class Words:
        def decode(self, ids: list[int]) -> str:
            return " ".join(map(str, ids))

    def row(ids: list[int], said: list[int], nats: float, seconds: float) -> dict[str, Any]:
        arms = ("base", "sllm", "hybrid", "hybrid_raw", "truncated", "oracle", "zero", "previous", "shuffled")
        timed = {"tokens": 10, "steps": 2, "seconds": seconds}
        return {
            "returned": [{"ids": ids, "said": said}],
            "tokens": len(ids),
            "nats": dict.fromkeys(arms, nats),
            "positions": {"tokens": 100, "base": 100, "sllm": 10, "hybrid": 40},
            "written": {"base": timed, "sllm": timed | {"seconds": seconds / 4}, "hybrid": timed},
        }

    figures = summarize([row([1, 2], [1, 2], 0.0, 1.0), row([3, 4], [3, 4, 5, 6], 0.0, 3.0)], 8, Words())
    assert figures["codec"]["token_accuracy"] == 4 / 6  # tokens too many are wrong
    assert figures["codec"]["exact_match"] == 0.5
    assert figures["lm"]["ppl_sllm"] == 1
    assert figures["speed"]["base"]["tokens_per_s"] == 5
    assert figures["speed"]["speedup_sllm"] == 4
    assert figures["speed"]["sllm"]["tokens_per_sentence"] == 5
    assert figures["memory"]["reduction_sllm"] == pytest.approx(0.9)
    assert figures["memory"]["kv_bytes_per_1k_tokens"]["hybrid"] == 3200


def test_no_text_long_enough(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "short.txt"
    path.write_text("One sentence only, which is not enough.", encoding="utf-8")
    out = tmp_path / "out.json"
    command = ["bench", "sentence-vae", "--models", str(models), "--data", str(path), "--json", str(out)]
    assert cli.main(command) == 2
    assert "lower --window" in capsys.readouterr().err


def test_one_document_cannot_be_held_out(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "short.txt"
    path.write_text("One sentence only, which is not enough.", encoding="utf-8")
    command = [
        "train",
        "sentence-vae",
        "--base",
        str(base),
        "--data",
        str(path),
        "--out",
        str(tmp_path / "run"),
    ]
    assert cli.main(command) == 2
    assert "add texts" in capsys.readouterr().err
