"""Codecs and what stands on them, on disk; what does not fit a base is refused.

A folder for a base holds `codec/`, `sllm/` and `hybrid/`, each a checkpoint of its own; the latter two name
the files of the codec that they were trained on, and fit no other.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from torch import Tensor

from livemind_app.errors import ModelError
from livemind_app.protocol import Compression
from livemind_app.sentence_vae.codec import Codec, CodecConfig
from livemind_app.sentence_vae.hybrid import HybridConfig, HybridContext
from livemind_app.sentence_vae.sllm import SentenceModel, SllmConfig
from livemind_app.training import checkpoint
from livemind_app.training.loop import trained

Model = SentenceModel | HybridContext
CODEC = "codec"
SHIPPED = Path(__file__).parent / "checkpoints"


def shipped(base: str) -> Path | None:
    """The package's own folder for a base."""
    folder = SHIPPED / base
    return folder if (folder / CODEC / checkpoint.META).is_file() else None


def save_codec(folder: Path, codec: Codec, meta: Mapping[str, Any]) -> None:
    checkpoint.save(folder, codec.state_dict(), {"kind": CODEC, **meta})


def load_codec(folder: Path, base: Any) -> Codec:
    """For evaluation, frozen, on the base's device. Raises ModelError where it does not fit this base."""
    tensors, meta = _read(folder, CODEC)
    known = {field.name for field in fields(CodecConfig)}
    codec = Codec(base, CodecConfig(**{k: v for k, v in meta["config"].items() if k in known}))
    _restore(folder, dict(codec.named_parameters()), tensors, meta["base"])
    return codec.to(base.device).eval().requires_grad_(False)


def new_model(setting: str, base: Any, codec: Codec, config: Mapping[str, Any] | None = None) -> Model:
    """Untrained."""
    if setting == "sllm":
        return SentenceModel(base, codec, SllmConfig(**config or {}))
    return HybridContext(base, codec, HybridConfig(**config or {}))


def save_model(folder: Path, setting: str, model: Model, meta: Mapping[str, Any]) -> None:
    """`meta` has the codec's files under `codec`."""
    checkpoint.save(folder, trained(model), {"kind": setting, **meta})


def load_model(folder: Path, setting: Compression, base: Any, codec: Codec, codec_folder: Path) -> Model:
    """For evaluation, frozen. Raises ModelError where it does not fit this base or this codec."""
    check_model(folder, setting, codec_folder)
    model = new_model(setting, base, codec, checkpoint.read_meta(folder)["config"])
    restore_model(folder, setting, model, codec_folder)
    return model.to(base.device).eval().requires_grad_(False)


def restore_model(folder: Path, setting: Compression, model: Model, codec_folder: Path) -> None:
    """Into one that was made alike, what a checkpoint has learned; raises as `load_model`."""
    tensors, meta = _read(folder, setting)
    check_model(folder, setting, codec_folder)
    _restore(folder, trained(model), tensors, meta["base"])


def check_model(folder: Path, setting: Compression, codec_folder: Path) -> None:
    """By its JSON alone: raises ModelError where it stands on another codec, or is of another version."""
    meta = checkpoint.read_meta(folder)
    if meta.get("codec") != checkpoint.read_meta(codec_folder)["files"]:
        raise ModelError(f"{folder} was trained on another codec than {codec_folder}; train it again")
    config = HybridConfig if setting == "hybrid" else SllmConfig
    if meta.get("config", {}).keys() != {field.name for field in fields(config)}:
        raise ModelError(
            f"{folder} was trained by another version, which read texts otherwise; train it again"
        )


def _read(folder: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors, meta = checkpoint.load(folder)
    if meta.get("kind") != kind:
        raise ModelError(f"{folder} holds {meta.get('kind')!r}, not {kind!r}")
    return tensors, meta


def _restore(
    folder: Path, parameters: Mapping[str, Tensor], tensors: Mapping[str, Tensor], base: str
) -> None:
    shapes = {name: parameter.shape for name, parameter in parameters.items()}
    if shapes != {name: tensor.shape for name, tensor in tensors.items()}:
        raise ModelError(f"{folder} was trained around {base} and does not fit this model")
    for name, parameter in parameters.items():
        parameter.data.copy_(tensors[name])
