"""A base with its codec, sentence model and hybrid context, as they lie in one folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livemind_app.engine.models.load import load
from livemind_app.sentence_vae.codec import Codec
from livemind_app.sentence_vae.files import CODEC, load_codec, load_model
from livemind_app.sentence_vae.hybrid import HybridContext
from livemind_app.sentence_vae.sllm import SentenceModel
from livemind_app.training import checkpoint
from livemind_app.training.lora import merge


@dataclass(frozen=True)
class Bundle:
    """The sentence model and the hybrid context share the codec, and each has a base of its own.

    Each changes its base for good.
    """

    base: Any  # as it was published
    tokenizer: Any
    codec: Codec
    sllm: SentenceModel
    hybrid: HybridContext


def open_bundle(folder: Path, device: str = "cpu") -> Bundle:
    """In fp32. Raises ModelError for what is missing or does not fit together."""
    name = str(checkpoint.read_meta(folder / CODEC)["base"])
    plain, tokenizer = load(name, "float32", device)
    base, context_base = (load(name, "float32", device)[0].requires_grad_(False) for _ in range(2))
    sllm = load_model(folder / "sllm", "sllm", base, load_codec(folder / CODEC, base), folder / CODEC)
    hybrid = load_model(
        folder / "hybrid", "hybrid", context_base, load_codec(folder / CODEC, context_base), folder / CODEC
    )
    assert isinstance(sllm, SentenceModel)
    assert isinstance(hybrid, HybridContext)
    merge([*sllm.all_updates, *hybrid.all_updates])
    return Bundle(plain.requires_grad_(False), tokenizer, load_codec(folder / CODEC, plain), sllm, hybrid)
