import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from livemind_app.engine.models import convert as converting
from livemind_app.engine.models import store
from livemind_app.engine.models.catalogue import CATALOGUE, Entry
from livemind_app.engine.models.load import load
from livemind_app.engine.models.prepare import prepare
from livemind_app.engine.models.pretrained import read_network, read_tokenizer
from livemind_app.engine.models.progress import Progress
from livemind_app.errors import ModelError
from tests.models import tiny
from tests.models.conftest import entry_for


class Killed(BaseException):
    """The end of the process."""


def test_a_file_becomes_a_folder_that_loads(toy: Entry, cache: Path) -> None:
    seen: list[Progress] = []
    folder = prepare("toy", seen.append)
    assert folder == cache / "toy" / "bf16"
    assert store.state("toy") == "converted"
    assert {path.suffix for path in folder.iterdir()} == {".json", ".jinja", ".safetensors"}
    assert seen[-1].what == "toy: converting, once"
    model, tokenizer = load("toy", "bfloat16")
    assert {weights.dtype for weights in model.parameters()} == {torch.bfloat16}
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": "the"}], tokenize=False, add_generation_prompt=True
    )
    assert rendered == "<|im_start|>user\nthe<|im_end|>\n<|im_start|>assistant\n"
    assert tokenizer.decode(tokenizer.encode("the thé", add_special_tokens=False)) == "the thé"


def test_the_tokenizer_is_the_files(toy: Entry, gguf_file: Path) -> None:
    ours, files = load("toy")[1], read_tokenizer(gguf_file.parent, gguf_file=gguf_file.name)
    text = "the<|im_end|> 你 this\n\n"
    assert ours.encode(text) == files.encode(text)
    assert ours.get_vocab() == files.get_vocab()
    assert ours.added_tokens_decoder == files.added_tokens_decoder


def test_the_weights_are_the_files(toy: Entry, gguf_file: Path) -> None:
    model, _ = load("toy", "float32")
    original = read_network(gguf_file.parent, gguf_file=gguf_file.name, dtype=torch.float32)
    theirs = original.state_dict()
    for name, weights in model.state_dict().items():
        source = "lm_head.weight" if name == "model.embed_tokens.weight" else name
        torch.testing.assert_close(weights, theirs[source].bfloat16().float(), rtol=0, atol=0, msg=name)


def test_a_head_stored_twice_is_tied_to_the_finer_one(toy: Entry) -> None:
    model, _ = load("toy")
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    assert embedding.weight.data_ptr() == head.weight.data_ptr()
    assert sum(weights.numel() for weights in model.parameters()) == tiny.PARAMETERS == toy.parameters
    assert model.config.tie_word_embeddings


def test_a_head_of_its_own_stays_untied() -> None:
    model = _two_heads()
    converting.tie_head(model)
    assert model.get_input_embeddings().weight is not model.get_output_embeddings().weight


def test_both_end_tokens_stop(toy: Entry) -> None:
    model, tokenizer = load("toy")
    ends = tokenizer.convert_tokens_to_ids(["<|endoftext|>", "<|im_end|>"])
    assert model.generation_config.eos_token_id == sorted(ends)


def test_the_manifest_says_what_was_converted_with_what(toy: Entry) -> None:
    manifest = json.loads((prepare("toy") / store.MANIFEST).read_text("utf-8"))
    assert manifest["sha256"] == toy.sha256
    assert manifest["parameters"] == toy.parameters
    assert manifest["versions"]["torch"] == torch.__version__


def test_it_is_converted_once(toy: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = prepare("toy")
    monkeypatch.setattr(converting, "convert", None)
    assert prepare("toy") == folder


@pytest.mark.parametrize("step", ["_write", "_write_manifest"])
def test_a_killed_conversion_counts_for_nothing(
    toy: Entry, cache: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def die(first: object, target: Path) -> None:
        (cache / "toy" / "bf16.partial" / "half").write_text("written")
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(converting, step, die)
        with pytest.raises(Killed):
            prepare("toy")
    assert store.state("toy") == "fetched"
    assert not (cache / "toy" / "bf16").exists()
    assert not (prepare("toy") / "half").exists()
    assert not (cache / "toy" / "bf16.partial").exists()


def test_a_conversion_of_an_older_format_is_done_again(toy: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = prepare("toy")
    monkeypatch.setattr(store, "FORMAT", store.FORMAT + 1)
    assert store.state("toy") == "fetched"
    prepare("toy")
    assert store.state("toy") == "converted"
    assert json.loads((folder / store.MANIFEST).read_text("utf-8"))["format"] == store.FORMAT


def test_another_number_of_parameters_is_refused(
    toy: Entry, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converting, "tie_head", lambda network: None)
    with pytest.raises(ModelError, match=f"not the {tiny.PARAMETERS} of toy"):
        prepare("toy")
    assert not (cache / "toy" / "bf16").exists()


def test_a_file_without_a_chat_template_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    file = tiny.write_gguf(tmp_path / "mute.gguf", template=None)
    monkeypatch.setitem(CATALOGUE, "mute", entry_for("mute", file.read_bytes(), (), tiny.PARAMETERS))
    monkeypatch.setenv("LIVEMIND_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="no chat template"):
        prepare("mute")
    assert store.state("mute") == "fetched"


def test_a_converted_folder_of_the_users_is_loaded_in_place(
    toy: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted = prepare("toy")
    copied = shutil.copytree(converted.parent, tmp_path / "carried" / "toy")
    monkeypatch.setenv("LIVEMIND_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("LIVEMIND_MODELS", str(tmp_path / "carried"))
    assert prepare("toy") == copied / "bf16"
    assert not (tmp_path / "empty").exists()


def test_nothing_is_printed(toy: Entry, capfd: pytest.CaptureFixture[str]) -> None:
    load("toy")
    assert capfd.readouterr() == ("", "")


def _two_heads() -> PreTrainedModel:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=40,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        tie_word_embeddings=False,
    )
    return LlamaForCausalLM(config)
