"""Checkpoints, LoRA, texts and the loop: what is saved comes back, what was killed goes on."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from livemind_app.errors import ConfigError, ModelError
from livemind_app.training import checkpoint, lora, texts
from livemind_app.training.loop import LOG, STATE, Plan, train
from livemind_app.training.precision import best, chosen


class Regression:
    """Fits a line; the batch is made of the step's number."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.module = nn.Linear(4, 1)

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.module.parameters()), "lr": 0.05}]

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, float]]:
        x = torch.randn(16, 4, generator=torch.Generator().manual_seed(step))
        return (self.module(x) - x.sum(dim=1, keepdim=True)).square().mean(), {"rows": 16.0}

    def evaluate(self) -> Mapping[str, Any]:
        return {"error": float(self.loss(10_000)[0].detach())}


PLAN = Plan(steps=60, warmup=5, evaluate_every=30)
SETTINGS = {"seed": 0}


def log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / LOG).read_text("utf-8").splitlines()]


def test_training_fits_and_says_how(tmp_path: Path) -> None:
    assert train(Regression(), tmp_path, PLAN, SETTINGS, resume=False)
    rows = log(tmp_path)
    assert [row["step"] for row in rows] == [20, 30, 40, 60]
    assert rows[-1]["held_out"]["error"] < 0.1 * rows[0]["loss"]
    assert rows[0]["rows"] == 16


def test_a_run_in_pieces_ends_where_one_in_one_does(tmp_path: Path) -> None:
    whole, pieces = Regression(), Regression()
    train(whole, tmp_path / "whole", PLAN, SETTINGS, resume=False)
    short = Plan(steps=60, warmup=5, evaluate_every=30, minutes=0.0)  # stops after every step
    stops = 1
    while not train(pieces, tmp_path / "pieces", short, SETTINGS, resume=stops > 1):
        pieces, stops = Regression(), stops + 1
    assert stops == 60
    for one, other in zip(whole.module.parameters(), pieces.module.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_folder_with_a_run_is_not_begun_again_unasked(tmp_path: Path) -> None:
    train(Regression(), tmp_path, PLAN, SETTINGS, resume=False)
    with pytest.raises(ConfigError, match="--resume"):
        train(Regression(), tmp_path, PLAN, SETTINGS, resume=False)
    with pytest.raises(ConfigError, match="another seed"):
        train(Regression(), tmp_path, PLAN, {"seed": 1}, resume=True)


def test_a_run_goes_on_in_what_it_was_begun_in(tmp_path: Path) -> None:
    """A step in bf16 learns too; what is learned stays fp32."""
    task = Regression()
    train(task, tmp_path, replace(PLAN, dtype=torch.bfloat16, minutes=0.0), SETTINGS, resume=False)
    with pytest.raises(ConfigError, match=r"begun in torch.bfloat16; leave --dtype out"):
        train(Regression(), tmp_path, replace(PLAN, dtype=torch.float32), SETTINGS, resume=True)
    assert train(task, tmp_path, replace(PLAN, dtype=None), SETTINGS, resume=True)
    assert log(tmp_path)[-1]["held_out"]["error"] < 0.1
    assert {parameter.dtype for parameter in task.module.parameters()} == {torch.float32}
    assert torch.load(tmp_path / STATE, weights_only=True)["dtype"] == "torch.bfloat16"


def test_what_a_step_computes_in_is_named() -> None:
    assert chosen("auto") is None
    assert chosen("bfloat16") == torch.bfloat16
    with pytest.raises(ConfigError, match="int8"):
        chosen("int8")


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"cpu_name": "AMD EPYC", "avx512_bf16": True}, torch.bfloat16),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True}, torch.float32),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": True}, torch.bfloat16),
        ({}, torch.float32),
    ],
)
def test_the_faster_one_is_chosen_by_the_processor(
    monkeypatch: pytest.MonkeyPatch, features: dict[str, Any], expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    assert best("cpu") == expected


def test_rates_rise_hold_and_fall() -> None:
    plan = Plan(steps=100, warmup=10, decay=0.2)
    rates = [plan.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:80] == [1.0] * 71
    assert rates[80:] == sorted(rates[80:], reverse=True)
    assert 0 < rates[-1] < 0.1


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q_proj = nn.Linear(8, 4)
        self.other = nn.Linear(4, 8)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.other(self.q_proj(x))
        return y


def test_untrained_updates_change_nothing_and_come_back() -> None:
    torch.manual_seed(0)
    block, x = Block(), torch.randn(3, 8)
    before = block(x)
    updates = lora.add_lora(block, rank=2, names=("q_proj",))
    assert torch.equal(block(x), before)
    assert [name for name, p in block.named_parameters() if p.requires_grad] == ["q_proj.down", "q_proj.up"]

    nn.init.ones_(updates[0].up)
    changed = block(x)
    assert not torch.allclose(changed, before)
    with lora.plain(updates):
        assert torch.equal(block(x), before)

    kept = {name: tensor.clone() for name, tensor in lora.state(updates).items()}
    nn.init.zeros_(updates[0].up)
    lora.restore(updates, kept)
    assert torch.equal(block(x), changed)

    lora.merge(updates)
    lora.merge(updates)  # once is enough
    torch.testing.assert_close(block(x), changed)


def test_lora_needs_a_layer() -> None:
    with pytest.raises(ValueError, match="nothing_proj"):
        lora.add_lora(Block(), rank=2, names=("nothing_proj",))


def test_a_checkpoint_comes_back_from_small_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "SHARD_BYTES", 1000)
    tensors = {f"t{n}": torch.randn(10, 20) for n in range(5)}
    checkpoint.save(tmp_path / "c", tensors, {"command": "livemind train x"}, torch.float32)
    loaded, meta = checkpoint.load(tmp_path / "c")
    assert meta["command"] == "livemind train x"
    assert len(meta["files"]) == 5
    assert loaded.keys() == tensors.keys()
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)


def test_a_changed_checkpoint_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "c", {"t": torch.ones(3)}, {})
    part = tmp_path / "c" / "part-000.safetensors"
    part.write_bytes(part.read_bytes()[:-1] + b"\0")
    with pytest.raises(ModelError, match=r"part-000\.safetensors"):
        checkpoint.load(tmp_path / "c")
    part.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        checkpoint.load(tmp_path / "c")
    with pytest.raises(ModelError, match="no checkpoint"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"text": "One.\u2028Two."}, "One.\u2028Two."),
        ({"messages": [[0, "2018", "Hello"], [1, "2018", "Hi"]]}, "Hello\nHi"),
        ({"source": ["One.", "Two."], "target": ["x"]}, "One. Two."),
        ({"instruction": "Add.", "context": "1, 1", "response": "Two."}, "Add.\n\n1, 1\n\nTwo."),
        ({"question": "How many?", "answer": "2"}, "How many?\n\n2"),
    ],
)
def test_texts_of_records(record: dict[str, Any], text: str, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(record, ensure_ascii=False).encode() + b"\n"))
    (corpus,) = texts.read([path])
    assert corpus.texts == (text,)
    assert texts.hashes([corpus]) == {f"{tmp_path.name}/some.jsonl.gz": corpus.sha256}


def test_a_plain_file_is_one_text(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_text("\n = Title = \n\n One. \n", encoding="utf-8")
    assert texts.read([path])[0].texts == ("= Title = \n\n One.",)


@pytest.mark.parametrize("content", ["", "{", '{"other": 1}'])
def test_what_holds_no_text_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.jsonl"):
        texts.read([path])
