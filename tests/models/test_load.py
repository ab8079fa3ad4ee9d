import json
import shutil
from pathlib import Path

import pytest
import torch

from livemind_app.engine.chat import ChatTokenizer
from livemind_app.engine.models.catalogue import Entry
from livemind_app.engine.models.load import load, resolve_dtype
from livemind_app.engine.models.prepare import prepare
from livemind_app.engine.models.pretrained import read_tokenizer
from livemind_app.errors import ConfigError, ModelError, UnknownModel


def test_auto_follows_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for features, dtype in (
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True, "avx2": True}, torch.bfloat16),
        ({"bf16": True, "neon": True}, torch.bfloat16),
        ({"avx2": True, "avx512_bf16": False}, torch.float32),
        ({}, torch.float32),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=features: found)
        assert resolve_dtype("auto") == dtype


def test_auto_follows_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for native in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, has=native: has)
        assert resolve_dtype("auto", "cuda:0") == (torch.bfloat16 if native else torch.float32)


def test_a_named_dtype_is_taken_as_it_is() -> None:
    assert resolve_dtype("float32") is torch.float32
    assert resolve_dtype("bfloat16") is torch.bfloat16
    with pytest.raises(ConfigError, match="auto, bfloat16, float32"):
        resolve_dtype("int4")


def test_a_local_folder_loads(toy: Entry, tmp_path: Path) -> None:
    folder = prepare("toy")
    model, tokenizer = load(str(folder), "float32")
    assert model.dtype == torch.float32
    assert not model.training
    assert model.config._attn_implementation == "sdpa"
    ids = torch.tensor([tokenizer.encode("the")])
    assert model(ids).logits.shape[-1] == model.config.vocab_size


def test_dtypes_agree_on_the_next_token(toy: Entry) -> None:
    folder = str(prepare("toy"))
    logits = []
    for dtype in ("float32", "bfloat16"):
        model, tokenizer = load(folder, dtype)
        logits.append(model(torch.tensor([tokenizer.encode("this and that")])).logits[0, -1].float())
    torch.testing.assert_close(*logits, atol=0.05, rtol=0.05)


def test_models_of_one_family_share_a_vocabulary_but_not_a_template(toy: Entry, tmp_path: Path) -> None:
    folder, twin = prepare("toy"), tmp_path / "twin"
    shutil.copytree(folder, twin)
    (twin / "chat_template.jinja").write_text("<{{ messages[0].content }}>")
    first, second = (load(str(path))[1] for path in (folder, twin))
    assert first.backend_tokenizer is second.backend_tokenizer  # type: ignore[attr-defined]
    hello = [{"role": "user", "content": "hello"}]
    assert second.apply_chat_template(hello, tokenize=False) == "<hello>"
    assert "im_start" in str(first.apply_chat_template(hello, tokenize=False))


@pytest.mark.parametrize("unknown", [None, "<|endoftext|>", "a"])
def test_all_known_ends_of_a_turn_end_an_answer(toy: Entry, unknown: str | None) -> None:
    tokenizer = read_tokenizer(prepare("toy"))
    tokenizer.unk_token = unknown
    ends = tokenizer.convert_tokens_to_ids(["<|endoftext|>", "<|im_end|>"])
    assert ChatTokenizer(tokenizer).end_ids(5) == {5, *ends}


def test_a_folder_without_a_model_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match=r"no config\.json"):
        load(str(tmp_path))


@pytest.mark.parametrize("pickle", ["pytorch_model.bin", "model.pt", "consolidated.00.pth"])
def test_pickled_weights_are_refused(tmp_path: Path, pickle: str) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / pickle).write_bytes(b"")
    with pytest.raises(ModelError, match=r"only pickled weights.*safetensors"):
        load(str(tmp_path))


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="no safetensors weights"):
        load(str(tmp_path))


def test_a_folder_without_a_chat_template_is_refused(toy: Entry) -> None:
    folder = prepare("toy")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="no chat template"):
        load(str(folder))


def test_code_that_a_model_brings_along_is_not_run(toy: Entry) -> None:
    folder = prepare("toy")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.C", "AutoModelForCausalLM": "mine.M"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mine.py").write_text("raise SystemExit('ran')")
    with pytest.raises(ModelError, match="does not load"):
        load(str(folder))


def test_a_damaged_folder_is_one_clear_error(toy: Entry) -> None:
    folder = prepare("toy")
    (folder / "model.safetensors").write_bytes(b"\x08damaged")
    with pytest.raises(ModelError, match="does not load"):
        load(str(folder))
