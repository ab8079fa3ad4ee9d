"""A model by name into memory, ready for its first token."""

from typing import TYPE_CHECKING

from livemind_app.engine.models.prepare import prepare
from livemind_app.engine.models.pretrained import read_network, share_tokenizer
from livemind_app.engine.models.progress import Report, silent
from livemind_app.errors import ConfigError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from livemind_app.engine.packed.store import Packed
    from livemind_app.engine.packed.swap import Prefill

DTYPES = ("auto", "bfloat16", "float32")
PACKED: "dict[str, Packed]" = {"int8": "int8", "int4": "int4", "gguf": "gguf"}
WEIGHTS = (*DTYPES, *PACKED)
PREFILLS: "dict[str, Prefill]" = {"auto": "auto", "plain": "plain", "packed": "packed"}
PAGE = 4096


def load(
    name: str,
    dtype: str = "auto",
    device: str = "cpu",
    report: Report = silent,
    *,
    weights: str | None = None,
    prefill: str = "auto",
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Model and tokenizer of a catalogue name, a local folder or a hub id.

    `weights` is one of WEIGHTS, or None for plain ones of the dtype. Beside packed weights, `prefill` keeps
    what is fast for it (`auto`: a copy in 8 bits or the plain one), the `plain` copy, or, if `packed`, none.
    """
    if prefill not in PREFILLS:
        raise ConfigError(f"prefill {prefill!r} is none of {', '.join(PREFILLS)}")
    resolve_weights(weights, name, dtype, device)  # what cannot be is refused before anything is fetched
    folder = prepare(name, report)
    packed = resolve_weights(weights, name, dtype, device)  # `auto` looks at what is there
    kind = resolve_dtype(dtype, device, packed or weights)
    tokenizer = share_tokenizer(folder)
    if packed:
        from livemind_app.engine.packed.weights import apply

        network = read_network(folder, dtype="auto")
        apply(network, name, folder, packed, kind, prefill=PREFILLS[prefill], report=report)
        return network, tokenizer
    if device != "cpu":
        return read_network(folder, dtype=kind, device_map={"": device}), tokenizer
    network = read_network(folder, dtype=kind)
    _page_in(network)
    return network, tokenizer


def resolve_dtype(name: str, device: str = "cpu", weights: str | None = None) -> "torch.dtype":
    """What is computed in. `auto` is bf16 where the device computes with it and weights are plain.

    Emulated bf16 is slower than fp32. Beside packed weights activations are small, and fp32 needs no casts.
    """
    import torch

    if name not in DTYPES:
        raise ConfigError(f"dtype {name!r} is none of {', '.join(DTYPES)}")
    if weights in DTYPES[1:]:
        if name not in ("auto", weights):
            raise ConfigError(f"weights {weights} and dtype {name} exclude each other; leave one of them out")
        name = weights
    if name == "float32" or (name == "auto" and (weights in PACKED or not _has_bf16(device))):
        return torch.float32
    return torch.bfloat16


def resolve_weights(weights: str | None, name: str, dtype: str, device: str) -> "Packed | None":
    """The packed format, or None for plain weights; `auto` packs only where no dtype is named."""
    if weights is not None and weights not in WEIGHTS:
        raise ConfigError(f"weights {weights!r} is none of {', '.join(WEIGHTS)}")
    if weights == "auto":
        from livemind_app.engine.packed.weights import best

        return best(name, device) if dtype == "auto" else None
    if weights in PACKED and device != "cpu":
        raise ConfigError(f"weights {weights} is for CPUs; leave it out on {device}")
    return PACKED.get(weights or "")


def _has_bf16(device: str) -> bool:
    import torch

    if device.startswith("cuda"):
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    from livemind_app.engine.packed.linear import has_bf16

    return device == "cpu" and has_bf16()


def _page_in(network: "PreTrainedModel") -> None:
    """Touch every page of the mapped weights, or the first token would wait for the disk."""
    import torch

    with torch.inference_mode():
        for weights in network.parameters():
            weights.flatten()[:: PAGE // weights.element_size()].sum()
