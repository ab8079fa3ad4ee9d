"""Where packed weights come from: the network's own matrices, or the GGUF file that they were read from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from livemind_app.engine.packed import gguf_blocks
from livemind_app.engine.packed.quantize import Quantized, int4_groups, int8_groups, ordered

HEAD, EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"
SAMPLE = 512  # rows compared to know a tensor again
ROUNDING = 0.01  # relative distance between a tensor of the file and its bf16 copy


def from_int8(_name: str, linear: nn.Linear) -> Quantized:
    return int8_groups(linear.weight.detach())


def from_int4(_name: str, linear: nn.Linear) -> Quantized:
    return int4_groups(linear.weight.detach())


class Int4Source:
    """4 bits for all but the head, which in 4 would cost more text quality than all the rest."""

    def __init__(self, network: PreTrainedModel) -> None:
        self._head = network.get_output_embeddings()

    def __call__(self, name: str, linear: nn.Linear) -> Quantized:
        return (from_int8 if linear is self._head else from_int4)(name, linear)


class GgufSource:
    """Blocks of a file by the network's names.

    A tensor is taken only when it says what the network's matrix says, in the file's order of rows or in
    that of rotary pairs side by side, as llama.cpp stores some; the others are packed into 8 bits.
    """

    def __init__(self, file: Path, network: PreTrainedModel) -> None:
        from gguf import GGUFReader

        names = _names(network)
        self._tensors = {names[t.name]: t for t in GGUFReader(file).tensors if t.name in names}
        if EMBEDDING in self._tensors:  # a head that shares its matrix is not in the file
            self._tensors.setdefault(HEAD, self._tensors[EMBEDDING])
        self._heads = _head_counts(network)

    def __call__(self, name: str, linear: nn.Linear) -> Quantized:
        tensor = self._tensors.get(f"{name}.weight")
        if tensor is None or tensor.data.dtype.name != "uint8":
            return from_int8(name, linear)
        for order in self._orders(linear.out_features):
            if _same(tensor, order, linear.weight.detach()):
                return ordered(gguf_blocks.read(tensor), order)
        return from_int8(name, linear)

    def _orders(self, rows: int) -> Iterator[Tensor]:
        yield torch.arange(rows)
        for heads in self._heads:
            if rows % (2 * heads) == 0:
                yield torch.arange(rows).view(heads, -1, 2).transpose(1, 2).flatten()


def _same(tensor: Any, order: Tensor, matrix: Tensor) -> bool:
    """Whether the first rows agree."""
    if tuple(tensor.shape[::-1]) != tuple(matrix.shape):
        return False
    sample = order[:SAMPLE]
    theirs = gguf_blocks.values(tensor, slice(0, int(sample.max()) + 1))[sample]
    ours = matrix[:SAMPLE].float()
    return bool((theirs - ours).norm() <= ROUNDING * ours.norm())


def _names(network: PreTrainedModel) -> dict[str, str]:
    """The file's names → the network's."""
    from transformers.modeling_gguf_pytorch_utils import TensorProcessor, get_gguf_hf_weights_map

    names: dict[str, str] = get_gguf_hf_weights_map(network, TensorProcessor())
    return names


def _head_counts(network: PreTrainedModel) -> list[int]:
    config = network.config.get_text_config()
    counts = (getattr(config, name, None) for name in ("num_attention_heads", "num_key_value_heads"))
    return [count for count in counts if count]
