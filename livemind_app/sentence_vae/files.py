"""Codecs and sentence models on disk; what does not fit a base is refused."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from livemind_app.errors import ModelError
from livemind_app.sentence_vae.codec import Codec, CodecConfig
from livemind_app.training import checkpoint


def save_codec(folder: Path, codec: Codec, meta: Mapping[str, Any]) -> None:
    checkpoint.save(folder, codec.state_dict(), {"kind": "sentence-vae", **meta})


def load_codec(folder: Path, base: Any) -> Codec:
    """For evaluation, frozen, on the base's device. Raises ModelError where it does not fit this base."""
    tensors, meta = checkpoint.load(folder)
    if meta.get("kind") != "sentence-vae":
        raise ModelError(f"{folder} holds {meta.get('kind')!r}, no codec")
    known = {field.name for field in fields(CodecConfig)}
    codec = Codec(base, CodecConfig(**{k: v for k, v in meta["config"].items() if k in known}))
    _restore(folder, codec, tensors, meta["base"])
    return codec.to(base.device).eval().requires_grad_(False)


def _restore(folder: Path, module: nn.Module, tensors: Mapping[str, torch.Tensor], base: str) -> None:
    try:
        module.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise ModelError(f"{folder} was trained around {base} and does not fit this model") from error
