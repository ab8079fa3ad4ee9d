"""A loaded network's projections replaced by packed ones: no modelling file is touched.

Projections that always read the same input are stacked into one matrix. The head is packed for both
phases: prefill needs one row of it, and an embedding that shares its matrix is then read by rows only.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from livemind_app.engine.packed.groups import GroupLinear
from livemind_app.engine.packed.layout import Restorer, Shape, laid_out
from livemind_app.engine.packed.linear import DigitLinear, has_vnni, is_large
from livemind_app.engine.packed.places import PhasedLinear, PlainLinear, Rows, Stack, StackedLinear
from livemind_app.engine.packed.quantize import Int8Rows, Quantized, concatenated, int8_rows

Source = Callable[[str, nn.Linear], Quantized]  # a projection by its name in the network
Prefill = Literal["auto", "plain", "packed"]  # what it reads; auto: whatever is the fastest
SIBLINGS = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
SMALLEST = 64  # outputs; a router of experts is narrower, and better exact
JOIN = "+"  # between the names of a stack
PREFILL = "prefill_"  # before the parts of a stack's copy for prefill


def pack(network: PreTrainedModel, source: Source) -> dict[str, Tensor]:
    """Tensors for `swap`, named `<projection>[+<projection>…].<part>`."""
    tensors: dict[str, Tensor] = {}
    head = network.get_output_embeddings()
    for names in _projections(network):
        for joined, matrix in _stacked({name: source(name, _linear(network, name)) for name in names}):
            linears = _linears(network, joined)
            parts = _parts(matrix)
            if head not in linears.values():
                parts |= _prefill_parts(linears)
            tensors.update({f"{joined}.{part}": tensor for part, tensor in parts.items()})
    return tensors


def _prefill_parts(linears: Mapping[str, nn.Linear]) -> dict[str, Tensor]:
    """Of a copy in rows of 8 bits, which VNNI multiplies faster by many rows of activations."""
    if not has_vnni():
        return {}
    copy = concatenated([int8_rows(linear.weight.detach()) for linear in linears.values()])
    return {f"{PREFILL}{part}": tensor for part, tensor in _parts(copy).items()}


def _parts(matrix: Quantized) -> dict[str, Tensor]:
    """As they are kept: large int8 matrices in the layout of their kernel."""
    parts = matrix.tensors()
    if isinstance(matrix, Int8Rows) and is_large(matrix.q):
        parts["layout"] = laid_out(parts.pop("weights"))
    return parts


def _stacked(matrices: Mapping[str, Quantized]) -> Iterator[tuple[str, Quantized]]:
    """Those of one kind as one."""
    for kind in dict.fromkeys(map(type, matrices.values())):
        alike = {name: matrix for name, matrix in matrices.items() if type(matrix) is kind}
        yield JOIN.join(alike), concatenated(list(alike.values()))


def swap(
    network: PreTrainedModel, tensors: Mapping[str, Tensor], dtype: torch.dtype, prefill: Prefill = "auto"
) -> None:
    """Put packed projections in place, and compute in `dtype` between them."""
    stacks: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        joined, _, part = key.rpartition(".")
        stacks.setdefault(joined, {})[part] = tensor
    head = network.get_output_embeddings()
    make = _Modules(dtype, prefill)
    for joined, parts in stacks.items():
        linears = _linears(network, joined)
        group = list(linears.values())
        modules = make.single(group, parts) if head in group else make.phased(group, parts)
        for name, module in zip(linears, modules, strict=True):
            network.set_submodule(name, module)
    _compute_in(dtype, network)


class _Modules:
    """What takes the places of a stack's projections."""

    def __init__(self, dtype: torch.dtype, prefill: Prefill) -> None:
        self._dtype = dtype
        self._prefill = prefill
        self._restore = Restorer()

    def phased(self, linears: Sequence[nn.Linear], parts: Mapping[str, Tensor]) -> list[nn.Module]:
        """With a copy for prefill where that is asked for, or faster."""
        decode = _places(self._kernel(linears, parts), linears)
        if self._prefill == "plain":
            return list(map(PhasedLinear, map(PlainLinear, linears), decode))
        copy = {part.removeprefix(PREFILL): parts[part] for part in parts if part.startswith(PREFILL)}
        if self._prefill == "packed" or not copy:
            return decode
        return list(map(PhasedLinear, _places(self._kernel(linears, copy), linears), decode))

    def single(self, linears: Sequence[nn.Linear], parts: Mapping[str, Tensor]) -> list[nn.Module]:
        """The same for both phases."""
        return _places(self._kernel(linears, parts), linears)

    def _kernel(self, linears: Sequence[nn.Linear], parts: Mapping[str, Tensor]) -> nn.Module:
        """Copies, since a step reads them faster than a mapped file."""
        bias = _bias(linears, self._dtype)
        if "tiles" in parts:
            return GroupLinear(parts["tiles"].clone(), _shape(linears)[0], bias)
        scales = parts["scales"].clone()
        if "layout" in parts:
            return DigitLinear(self._restore(parts["layout"], _shape(linears)), scales, bias)
        return DigitLinear(parts["weights"].clone(), scales, bias)


def _places(kernel: nn.Module, linears: Sequence[nn.Linear]) -> list[nn.Module]:
    """A module for each of the projections that the kernel computes."""
    if len(linears) == 1:
        return [kernel]
    stack = Stack(kernel, [linear.out_features for linear in linears])
    return [StackedLinear(stack, index) for index in range(len(linears))]


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
        if isinstance(module, PlainLinear):
            yield module


def _shape(linears: Sequence[nn.Linear]) -> Shape:
    """Of a stack, one above the other."""
    return sum(linear.out_features for linear in linears), linears[0].in_features


def _bias(linears: Sequence[nn.Linear], dtype: torch.dtype) -> Tensor | None:
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


def _linears(network: PreTrainedModel, joined: str) -> dict[str, nn.Linear]:
    """Of a stack, by their names."""
    return {name: _linear(network, name) for name in joined.split(JOIN)}


def _linear(network: PreTrainedModel, name: str) -> nn.Linear:
    module = network.get_submodule(name)
    assert isinstance(module, nn.Linear)
    return module
