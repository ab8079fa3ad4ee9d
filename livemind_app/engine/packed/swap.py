"""A loaded network's projections replaced by packed ones: no modelling file is touched.

Projections that always read the same input are stacked into one matrix. The head is packed for both
phases: prefill needs one row of it, and an embedding that shares its matrix is then read by rows only.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from livemind_app.engine.packed.layout import Restorer, Shape, laid_out
from livemind_app.engine.packed.linear import (
    DigitLinear,
    Int4Linear,
    PhasedLinear,
    Rows,
    Stack,
    StackedLinear,
    has_vnni,
    int8_linear,
    is_large,
)
from livemind_app.engine.packed.quantize import Int8Rows, Quantized, concatenated

Source = Callable[[str, nn.Linear], Quantized]  # a projection by its name in the network
SIBLINGS = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
SMALLEST = 64  # outputs; a router of experts is narrower, and better exact
JOIN = "+"  # between the names of a stack


def pack(network: PreTrainedModel, source: Source) -> dict[str, Tensor]:
    """Tensors for `swap`, named `<projection>[+<projection>…].<part>`."""
    tensors: dict[str, Tensor] = {}
    for names in _projections(network):
        for joined, matrix in _stacked({name: source(name, _linear(network, name)) for name in names}):
            tensors.update({f"{joined}.{part}": tensor for part, tensor in _parts(matrix).items()})
    return tensors


def _parts(matrix: Quantized) -> dict[str, Tensor]:
    """As they are kept: large int8 matrices in the layout of their kernel."""
    parts = matrix.tensors()
    if isinstance(matrix, Int8Rows) and has_vnni() and is_large(matrix.q):
        parts["layout"] = laid_out(parts.pop("weights"))
    return parts


def _stacked(matrices: Mapping[str, Quantized]) -> Iterator[tuple[str, Quantized]]:
    """Those of one kind as one."""
    for kind in dict.fromkeys(map(type, matrices.values())):
        alike = {name: matrix for name, matrix in matrices.items() if type(matrix) is kind}
        yield JOIN.join(alike), concatenated(list(alike.values()))


def swap(
    network: PreTrainedModel, tensors: Mapping[str, Tensor], dtype: torch.dtype, *, keep_plain: bool = True
) -> None:
    """Put packed projections in place, and compute in `dtype` between them.

    Prefill reads plain weights where their kernel is the faster one, unless not `keep_plain`.
    """
    head = network.get_output_embeddings()
    stacks: dict[str, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        joined, _, part = key.rpartition(".")
        stacks.setdefault(joined, {})[part] = tensor
    restore = Restorer()
    for joined, stored in stacks.items():
        linears = {name: _linear(network, name) for name in joined.split(JOIN)}
        layout = stored.pop("layout", None)
        parts = {part: tensor.clone() for part, tensor in stored.items()}  # read faster than a mapped file
        if layout is not None:
            parts["weights"] = restore(layout, _shape(list(linears.values())))
        make = Int4Linear if "table" in parts else int8_linear
        kernel = make(**parts, bias=_bias(list(linears.values()), dtype))
        for name, packed in zip(linears, _modules(kernel, list(linears.values())), strict=True):
            phased = keep_plain and linears[name] is not head and not isinstance(kernel, DigitLinear)
            network.set_submodule(name, PhasedLinear(linears[name], packed) if phased else packed)
    _compute_in(dtype, network)


def _compute_in(dtype: torch.dtype, network: PreTrainedModel) -> None:
    """Norms and whatever else was not packed. The embedding stays as stored: it is read by rows."""
    embedding = network.get_input_embeddings()
    network.set_input_embeddings(Rows(embedding, dtype))
    kept = {id(t) for m in _stored(network, embedding) for t in (*m.parameters(), *m.buffers())}
    for parameter in network.parameters():
        if id(parameter) not in kept and parameter.is_floating_point():
            parameter.data = parameter.data.to(dtype)


def _stored(network: PreTrainedModel, embedding: nn.Module) -> Iterator[nn.Module]:
    """Modules whose tensors keep their types."""
    yield embedding
    for module in network.modules():
        if isinstance(module, PhasedLinear):
            yield module.plain


def _modules(kernel: nn.Module, linears: list[nn.Linear]) -> Iterator[nn.Module]:
    """One for each of the projections that the kernel computes."""
    if len(linears) == 1:
        yield kernel
        return
    stack = Stack(kernel, [linear.out_features for linear in linears])
    for index in range(len(linears)):
        yield StackedLinear(stack, index)


def _shape(linears: list[nn.Linear]) -> Shape:
    """Of a stack, one above the other."""
    return sum(linear.out_features for linear in linears), linears[0].in_features


def _bias(linears: list[nn.Linear], dtype: torch.dtype) -> Tensor | None:
    """Of a stack: zeros where one has none."""
    if all(linear.bias is None for linear in linears):
        return None
    biases = [
        linear.weight.new_zeros(linear.out_features) if linear.bias is None else linear.bias.detach()
        for linear in linears
    ]
    return torch.cat(biases).to(dtype)


def _projections(network: PreTrainedModel) -> Iterator[tuple[str, ...]]:
    """Names of all plain projections, those that share an input together."""
    stacked: set[str] = set()
    for parent, module in network.named_modules():
        for siblings in SIBLINGS:
            names = tuple(
                f"{parent}.{child}" for child in siblings if _packable(getattr(module, child, None))
            )
            if len(names) == len(siblings):
                stacked.update(names)
                yield names
    for name, module in network.named_modules():
        if _packable(module) and name not in stacked:
            yield (name,)


def _packable(module: object) -> bool:
    return type(module) is nn.Linear and module.out_features >= SMALLEST


def _linear(network: PreTrainedModel, name: str) -> nn.Linear:
    module = network.get_submodule(name)
    assert isinstance(module, nn.Linear)
    return module
