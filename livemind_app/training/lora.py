"""Low-rank updates beside frozen weights (arXiv 2106.09685): y = Wx + (α/r)·B·A·x, with B zero at first.

A network that got its updates computes exactly what it computed before, until they are trained.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

EVERY = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class LoRALinear(nn.Module):
    """A frozen linear layer and its update; `enabled` False leaves the layer alone."""

    def __init__(self, base: nn.Module, inputs: int, outputs: int, rank: int, alpha: float) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.empty(rank, inputs))
        self.up = nn.Parameter(torch.zeros(outputs, rank))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)
        self.scale = alpha / rank
        self.enabled = True
        self.merged = False

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.base(x)
        if self.merged or not self.enabled:
            return y
        low = nn.functional.linear(x.to(self.down.dtype), self.down)
        if y.dtype == low.dtype:  # one call for two
            added = torch.addmm(y.flatten(0, -2), low.flatten(0, -2), self.up.t(), alpha=self.scale)
            return added.view_as(y)
        return y + (self.scale * nn.functional.linear(low, self.up)).to(y.dtype)


def add_lora(
    network: nn.Module, rank: int, alpha: float | None = None, names: Collection[str] = EVERY
) -> list[LoRALinear]:
    """Freeze `network` and put an update beside each linear layer whose last name is one of `names`.

    `alpha` is twice the rank unless given. Layers keep their order, so updates of one network fit another of
    the same shape. Raises ValueError where no layer has such a name.
    """
    network.requires_grad_(False)
    added: list[LoRALinear] = []
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if name in names and isinstance(child, nn.Linear):
                update = LoRALinear(child, child.in_features, child.out_features, rank, alpha or 2 * rank)
                setattr(parent, name, update.to(child.weight.device))
                added.append(update)
    if not added:
        raise ValueError(f"the network has no linear layer named {', '.join(names)}")
    return added


def changes(
    network: nn.Module, tensors: Mapping[str, Tensor], alpha: float, names: Collection[str] = EVERY
) -> dict[str, Callable[[], Tensor]]:
    """What trained updates (`state`) add to weights, by the layers' names; those that add nothing left out.

    Layers may be of any kind, packed ones included. `alpha` and `names` are those of `add_lora`. Raises
    KeyError where the network has more or fewer such layers than the tensors are of.
    """
    found = list(_named(network, names))
    if 2 * len(found) != len(tensors):
        raise KeyError(f"the tensors are of {len(tensors) // 2} layers, the network has {len(found)}")
    pairs = [(tensors[f"lora.{n}.up"], tensors[f"lora.{n}.down"]) for n in range(len(found))]
    return {
        name: partial(_product, up, down, alpha / len(down))
        for name, (up, down) in zip(found, pairs, strict=True)
        if up.any()
    }


def _named(network: nn.Module, names: Collection[str]) -> Iterator[str]:
    """In the order of `add_lora`."""
    for parent, module in network.named_modules():
        yield from (f"{parent}.{name}".lstrip(".") for name, _ in module.named_children() if name in names)


def _product(up: Tensor, down: Tensor, scale: float) -> Tensor:
    return scale * up @ down


@contextmanager
def plain(updates: Collection[LoRALinear]) -> Iterator[None]:
    """Without the updates while the block runs."""
    before = [update.enabled for update in updates]
    for update in updates:
        update.enabled = False
    try:
        yield
    finally:
        for update, enabled in zip(updates, before, strict=True):
            update.enabled = enabled


@torch.no_grad()
def merge(updates: Iterable[LoRALinear]) -> None:
    """Add the updates to the weights, for good: the same results at no cost. Not where weights are shared."""
    for update in updates:
        if not update.merged:
            weight = update.base.weight
            assert isinstance(weight, Tensor)
            weight.add_((update.scale * update.up @ update.down).to(weight.dtype))
            update.merged = True


def state(updates: Collection[LoRALinear], prefix: str = "lora") -> dict[str, Tensor]:
    """Tensors of the updates by number: `lora.0.down`, `lora.0.up`, …"""
    return {
        f"{prefix}.{number}.{part}": getattr(update, part).detach()
        for number, update in enumerate(updates)
        for part in ("down", "up")
    }


def restore(updates: Collection[LoRALinear], tensors: dict[str, Tensor], prefix: str = "lora") -> None:
    """The inverse of `state`. Raises KeyError or RuntimeError where names or shapes do not fit."""
    with torch.no_grad():
        for number, update in enumerate(updates):
            update.down.copy_(tensors[f"{prefix}.{number}.down"])
            update.up.copy_(tensors[f"{prefix}.{number}.up"])
