"""A base with its codec, sentence model and hybrid context, as they lie in one folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livemind_app.engine.models.load import load
from livemind_app.protocol import Compression
from livemind_app.sentence_vae.codec import Codec
from livemind_app.sentence_vae.files import CODEC, Model, load_codec, load_model
from livemind_app.sentence_vae.hybrid import HybridContext
from livemind_app.sentence_vae.sllm import SentenceModel
from livemind_app.training import checkpoint, lora


@dataclass(frozen=True)
class Bundle:
    """The sentence model and the hybrid context, as far as they are there, each on a base of its own.

    Each changes its base for good.
    """

    base: Any  # as it was published
    tokenizer: Any
    codec: Codec
    sllm: SentenceModel | None
    hybrid: HybridContext | None


def open_bundle(folder: Path, device: str = "cpu") -> Bundle:
    """In fp32. Raises ModelError where there is no codec, or where what stands on it does not fit."""
    plain, tokenizer = load(_base(folder), "float32", device)
    codec = load_codec(folder / CODEC, plain.requires_grad_(False))
    sllm = open_sllm(folder, device) if _there(folder, "sllm") else None
    hybrid = open_hybrid(folder, device) if _there(folder, "hybrid") else None
    return Bundle(plain, tokenizer, codec, sllm, hybrid)


def open_sllm(folder: Path, device: str = "cpu") -> SentenceModel:
    """The sentence model on a base of its own."""
    model = _open(folder, "sllm", device)
    assert isinstance(model, SentenceModel)
    return model


def open_hybrid(folder: Path, device: str = "cpu", *, merge: bool = True) -> HybridContext:
    """The hybrid context on a base of its own; not `merge`: with its updates beside the base's weights."""
    model = _open(folder, "hybrid", device, merge=merge)
    assert isinstance(model, HybridContext)
    return model


def _open(folder: Path, setting: Compression, device: str, *, merge: bool = True) -> Model:
    """Nobody else has this base, so that updates may go into its weights."""
    base = load(_base(folder), "float32", device)[0].requires_grad_(False)
    codec = load_codec(folder / CODEC, base)
    model = load_model(folder / setting, setting, base, codec, folder / CODEC)
    if merge:
        lora.merge(model.all_updates)
    return model


def _there(folder: Path, setting: Compression) -> bool:
    return (folder / setting / checkpoint.META).is_file()


def _base(folder: Path) -> str:
    return str(checkpoint.read_meta(folder / CODEC)["base"])
