"""Trained updates beside layers of any kind, off until they are applied."""

import pytest
import torch
from torch import Tensor, nn

from livemind_app.training import lora


class Packed(nn.Module):
    """A projection that is no nn.Linear and does not say its sizes."""

    def __init__(self, plain: nn.Linear) -> None:
        super().__init__()
        self.kernel = plain.weight.detach().half()

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.kernel.float().t()


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.q_proj: nn.Module = nn.Linear(8, 4, bias=False)
        self.o_proj: nn.Module = nn.Linear(4, 8, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.o_proj(self.q_proj(x))
        return y


def trained() -> tuple[Block, dict[str, Tensor]]:
    block = Block()
    updates = lora.add_lora(block, rank=2, alpha=3.0)
    for update in updates:
        nn.init.normal_(update.up)
    return block, {name: tensor.clone() for name, tensor in lora.state(updates).items()}


def packed() -> Block:
    block = Block()
    assert isinstance(block.q_proj, nn.Linear)
    block.q_proj = Packed(block.q_proj)
    return block


def test_attached_updates_rest_until_they_are_applied() -> None:
    wanted, tensors = trained()
    block, x = packed(), torch.randn(3, 8)
    before = block(x)
    updates = lora.attach(block, tensors, alpha=3.0)
    assert torch.equal(block(x), before)
    with lora.applied(updates):
        assert torch.allclose(block(x), wanted(x), atol=1e-2)
        with lora.plain(updates):
            assert torch.equal(block(x), before)
        assert not torch.equal(block(x), before)
    assert torch.equal(block(x), before)


def test_tensors_of_another_network_are_refused() -> None:
    _, tensors = trained()
    with pytest.raises(KeyError, match=r"lora\.1"):
        lora.attach(Block(), {name: t for name, t in tensors.items() if ".0." in name}, alpha=3.0)
    with pytest.raises(KeyError, match="2 layers, the network has 1"):
        lora.attach(nn.ModuleDict({"q_proj": nn.Linear(8, 4)}), tensors, alpha=3.0)
