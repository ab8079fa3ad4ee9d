"""A second network with other weights at some projections, which shares all the rest with the first.

Where weights are packed, the new ones are packed alike, from what the model's files say: they would otherwise
be rounded twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from livemind_app.engine.packed.groups import GroupLinear
from livemind_app.engine.packed.lean_layers import LeanLayer, make_lean
from livemind_app.engine.packed.linear import DigitLinear
from livemind_app.engine.packed.places import PhasedLinear, PlainLinear, Stack, StackedLinear
from livemind_app.engine.packed.quantize import int4_groups, int8_groups, int8_rows

Change = Callable[[], Tensor]  # what is added to a projection's weights, [outputs, inputs] in fp32
Stored = Callable[[str], Tensor]  # a projection's plain weights, by its name in the network


@torch.no_grad()
def revised(network: PreTrainedModel, changes: Mapping[str, Change], stored: Stored) -> PreTrainedModel:
    """`changes` by the projections' names; `stored` is asked where the network has packed weights only.

    The first network stays as it is. Raises KeyError for a projection of a kind that cannot be changed.
    """
    made: dict[str, nn.Module] = {}
    for names in _groups(network, changes):
        made.update(zip(names, _revised(network, names, changes, stored), strict=True))
    copy = deepcopy(network, _shared(network, made))
    for name, module in made.items():
        copy.set_submodule(name, module)
    make_lean(copy)
    return copy


def _groups(network: nn.Module, names: Iterable[str]) -> Iterator[list[str]]:
    """Projections to be made anew: those of a stack together, though only one of them changes."""
    done: set[str] = set()
    for name in names:
        if name not in done:
            group = _group(network, name)
            done.update(group)
            yield group


def _group(network: nn.Module, name: str) -> list[str]:
    first = _decode(network.get_submodule(name))
    if not isinstance(first, StackedLinear):
        return [name]
    parent = name.rpartition(".")[0]
    siblings = {f"{parent}.{n}": _decode(m) for n, m in network.get_submodule(parent).named_children()}
    return [n for n, m in siblings.items() if isinstance(m, StackedLinear) and m.stack is first.stack]


def _revised(
    network: nn.Module, names: Sequence[str], changes: Mapping[str, Change], stored: Stored
) -> list[nn.Module]:
    """The modules that take the places of these."""
    modules = [network.get_submodule(name) for name in names]
    weights = [_plain(name, each, stored) for name, each in zip(names, modules, strict=True)]
    weights = [
        weight.float() + changes[name]().to(weight.device) if name in changes else weight.float()
        for name, weight in zip(names, weights, strict=True)
    ]
    kernels = _Kernels(weights, names[0])
    decode = kernels.places([_decode(module) for module in modules])
    if not isinstance(modules[0], PhasedLinear):
        return decode
    return list(map(PhasedLinear, kernels.places([module.prefill for module in modules]), decode))


class _Kernels:
    """Projections with other weights, stacked as before. Both phases may share a kernel."""

    def __init__(self, weights: Sequence[Tensor], name: str) -> None:
        self._weights = weights
        self._name = name
        self._made: dict[nn.Module, nn.Module] = {}

    def places(self, modules: Sequence[Any]) -> list[nn.Module]:
        """In the places of these."""
        if not isinstance(modules[0], StackedLinear):
            return list(map(self._alike, modules, self._weights))
        kernel = self._alike(modules[0].stack.packed, torch.cat(list(self._weights)))
        stack = Stack(kernel, [len(weight) for weight in self._weights])
        return [StackedLinear(stack, index) for index in range(len(modules))]

    def _alike(self, module: nn.Module, weight: Tensor) -> nn.Module:
        """Weights [outputs, inputs] in fp32 as a module of the same kind."""
        if module not in self._made:
            self._made[module] = self._new(module, weight)
        return self._made[module]

    def _new(self, module: nn.Module, weight: Tensor) -> nn.Module:
        match module:
            case DigitLinear():
                return DigitLinear(**int8_rows(weight).tensors(), bias=module.bias)
            case GroupLinear():
                groups = (int4_groups if module.bits == 4 else int8_groups)(weight)
                return GroupLinear(**groups.tensors(), outputs=len(weight), bias=module.bias)
            case PlainLinear():
                return PlainLinear(_linear(module.linear, weight))
            case nn.Linear():
                return _linear(module, weight)
        raise KeyError(f"{self._name} is a {type(module).__name__}, whose weights cannot be changed")


def _decode(module: nn.Module) -> nn.Module:
    return module.decode if isinstance(module, PhasedLinear) else module


def _plain(name: str, module: nn.Module, stored: Stored) -> Tensor:
    prefill = module.prefill if isinstance(module, PhasedLinear) else module
    plain = prefill.linear if isinstance(prefill, PlainLinear) else prefill
    return plain.weight if isinstance(plain, nn.Linear) else stored(name)


def _linear(before: nn.Linear, weight: Tensor) -> nn.Linear:
    """With another's bias, in its type."""
    made = nn.Linear(before.in_features, before.out_features, bias=False, device="meta")
    made.weight = nn.Parameter(weight.to(before.weight.dtype), requires_grad=False)
    made.bias = before.bias
    return made


def _shared(network: nn.Module, made: Mapping[str, nn.Module]) -> dict[int, object]:
    """For `deepcopy`: all but the modules that contain one of these."""
    paths = {".".join(parts[:end]) for parts in (n.split(".") for n in made) for end in range(len(parts) + 1)}
    steps = {id(m.lean): m.lean for m in network.modules() if isinstance(m, LeanLayer)}  # made anew
    return {id(module): module for name, module in network.named_modules() if name not in paths} | steps
