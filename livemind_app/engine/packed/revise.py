"""A second network with other weights at some projections, which shares all the rest with the first.

Where weights are packed, the new ones are packed alike, from what the model's files say: they would otherwise
be rounded twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from livemind_app.engine.packed.lean_layers import LeanLayer, make_lean
from livemind_app.engine.packed.linear import (
    DigitLinear,
    Int4Linear,
    Int8Linear,
    PhasedLinear,
    Stack,
    StackedLinear,
    int8_linear,
)
from livemind_app.engine.packed.quantize import int4, int8

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
    first = _packed(network.get_submodule(name))
    if not isinstance(first, StackedLinear):
        return [name]
    parent = name.rpartition(".")[0]
    siblings = {f"{parent}.{n}": _packed(m) for n, m in network.get_submodule(parent).named_children()}
    return [n for n, m in siblings.items() if isinstance(m, StackedLinear) and m.stack is first.stack]


def _revised(
    network: nn.Module, names: Sequence[str], changes: Mapping[str, Change], stored: Stored
) -> Iterator[nn.Module]:
    """The modules that take the places of these."""
    modules = [network.get_submodule(name) for name in names]
    weights = [_plain(name, each, stored) for name, each in zip(names, modules, strict=True)]
    types = [weight.dtype for weight in weights]
    weights = [
        weight.float() + changes[name]().to(weight.device) if name in changes else weight.float()
        for name, weight in zip(names, weights, strict=True)
    ]
    first = _packed(modules[0])
    if isinstance(first, StackedLinear):
        stack = Stack(_alike(first.stack.packed, torch.cat(weights), names[0]), [len(w) for w in weights])
        packed: list[nn.Module] = [StackedLinear(stack, index) for index in range(len(names))]
    else:
        packed = [_alike(first, weights[0], names[0])]
    for before, new, weight, dtype in zip(modules, packed, weights, types, strict=True):
        if isinstance(before, PhasedLinear):
            yield PhasedLinear(_linear(before.plain, weight.to(dtype)), new)
        else:
            yield new


def _packed(module: nn.Module) -> nn.Module:
    return module.packed if isinstance(module, PhasedLinear) else module


def _plain(name: str, module: nn.Module, stored: Stored) -> Tensor:
    plain = module.plain if isinstance(module, PhasedLinear) else module
    return plain.weight if isinstance(plain, nn.Linear) else stored(name)


def _alike(module: nn.Module, weight: Tensor, name: str) -> nn.Module:
    """Weights [outputs, inputs] in fp32 as a module of the same kind."""
    match module:
        case DigitLinear() | Int8Linear():
            return int8_linear(**int8(weight).tensors(), bias=module.bias)
        case Int4Linear():
            return Int4Linear(**int4(weight).tensors(), bias=module.bias)
        case nn.Linear():
            return _linear(module, weight.to(module.weight.dtype))
    raise KeyError(f"{name} is a {type(module).__name__}, whose weights cannot be changed")


def _linear(before: nn.Linear, weight: Tensor) -> nn.Linear:
    """With another's bias."""
    made = nn.Linear(before.in_features, before.out_features, bias=False, device="meta")
    made.weight = nn.Parameter(weight, requires_grad=False)
    made.bias = before.bias
    return made


def _shared(network: nn.Module, made: Mapping[str, nn.Module]) -> dict[int, object]:
    """For `deepcopy`: all but the modules that contain one of these."""
    paths = {".".join(parts[:end]) for parts in (n.split(".") for n in made) for end in range(len(parts) + 1)}
    steps = {id(m.lean): m.lean for m in network.modules() if isinstance(m, LeanLayer)}  # made anew
    return {id(module): module for name, module in network.named_modules() if name not in paths} | steps
