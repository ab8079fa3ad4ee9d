"""Models on disk come back as they were, and fit nothing else."""

from pathlib import Path

import pytest
import torch

from livemind_app.errors import ModelError
from livemind_app.protocol import Compression
from livemind_app.sentence_vae.files import load_codec, load_model, save_codec, save_model
from livemind_app.sentence_vae.perplexity import hybrid_nats, sllm_nats
from livemind_app.sentence_vae.sllm import SentenceModel
from livemind_app.training import checkpoint
from tests.sentence_vae.conftest import base, codec, hybrid, sentence_model

TEXT = [[5, 6, 7, 8, 9, 10, 11, 12, 13], [20, 21, 22], [30] * 17, [40, 41, 42, 43]]


def kept(folder: Path, setting: Compression) -> list[float]:
    """Save a codec and a model on it; its nats of a text."""
    model = sentence_model() if setting == "sllm" else hybrid()
    # A codec that a sentence model stands on has its updates inside; saved is the one without.
    save_codec(folder / "codec", codec(), {"base": "toy", "config": codec().config.json()})
    meta = {"base": "toy", "codec": checkpoint.read_meta(folder / "codec")["files"]}
    save_model(folder / setting, setting, model, {**meta, "config": model.config.json()})
    with torch.inference_mode():
        if isinstance(model, SentenceModel):
            return [float(nat) for nat in sllm_nats(model, TEXT)]
        return [float(nat) for nat in hybrid_nats(model, TEXT)]


@pytest.mark.parametrize("setting", ["sllm", "hybrid"])
def test_a_model_comes_back(setting: Compression, tmp_path: Path) -> None:
    before = kept(tmp_path, setting)
    network = base()
    one = load_codec(tmp_path / "codec", network)
    model = load_model(tmp_path / setting, setting, network, one, tmp_path / "codec")
    with torch.inference_mode():
        after = sllm_nats(model, TEXT) if isinstance(model, SentenceModel) else hybrid_nats(model, TEXT)
    torch.testing.assert_close(after.tolist(), before, atol=1e-2, rtol=1e-2)  # kept in fp16
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_a_model_of_another_codec_is_refused(tmp_path: Path) -> None:
    kept(tmp_path, "sllm")
    network, other = base(), codec()
    with torch.no_grad():
        other.begin.add_(1.0)
    save_codec(tmp_path / "other", other, {"base": "toy", "config": other.config.json()})
    one = load_codec(tmp_path / "other", network)
    with pytest.raises(ModelError, match="another codec"):
        load_model(tmp_path / "sllm", "sllm", network, one, tmp_path / "other")


def test_one_kind_is_not_taken_for_another(tmp_path: Path) -> None:
    kept(tmp_path, "hybrid")
    with pytest.raises(ModelError, match="'hybrid', not 'codec'"):
        load_codec(tmp_path / "hybrid", base())
