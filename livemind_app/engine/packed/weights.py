"""The formats that weights can have while computing, by name."""

from pathlib import Path

import torch
from transformers import PreTrainedModel

from livemind_app.engine.compiled.machine import has
from livemind_app.engine.models.catalogue import CATALOGUE, entry
from livemind_app.engine.models.prepare import fetch
from livemind_app.engine.models.progress import Report, silent
from livemind_app.engine.models.store import kept_file, own_file
from livemind_app.engine.packed import store
from livemind_app.engine.packed.attention import use_grouped_attention
from livemind_app.engine.packed.lean_layers import make_lean
from livemind_app.engine.packed.sources import GgufSource, Int4Source, from_int8
from livemind_app.engine.packed.store import Packed
from livemind_app.engine.packed.swap import Prefill, Source, pack, swap
from livemind_app.errors import ConfigError

X86, ARM = ("avx2", "fma", "f16c"), ("neon",)  # what the products need, by LLVM's names


def best(name: str, device: str) -> Packed | None:
    """What `auto` means for a model: the file's own integers, else 8 bits; None where plain is faster.

    A published file is not fetched for it: a user's own folder may hold the converted model alone.
    """
    if device != "cpu" or not _packable():
        return None
    published = name in CATALOGUE and (own_file(entry(name)) or kept_file(entry(name))) is not None
    return "gguf" if published else "int8"


def _packable() -> bool:
    return any(all(map(has, features)) for features in (X86, ARM))


@torch.inference_mode()
def apply(
    network: PreTrainedModel,
    name: str,
    folder: Path,
    weights: Packed,
    dtype: torch.dtype,
    *,
    prefill: Prefill = "auto",
    report: Report = silent,
) -> None:
    """Pack a loaded network's projections, or map them as packed before; compute in `dtype` between them."""
    if weights == "gguf" and name not in CATALOGUE:
        raise ConfigError(f"weights gguf: {name} did not come as a GGUF file; choose int8 or int4")
    if not _packable():
        raise ConfigError(f"weights {weights}: this processor has no AVX2 or NEON; choose float32")

    def packed() -> dict[str, torch.Tensor]:
        return pack(network, _source(network, name, weights, report))

    swap(network, store.load_or_pack(name, folder, weights, packed), dtype, prefill)
    use_grouped_attention(network)
    make_lean(network)


def _source(network: PreTrainedModel, name: str, weights: Packed, report: Report) -> Source:
    if weights == "gguf":
        return GgufSource(fetch(name, report), network)
    return Int4Source(network) if weights == "int4" else from_int8
