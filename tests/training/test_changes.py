"""What trained updates add to the weights of another network of the same shape."""

import pytest
import torch
from torch import Tensor, nn

from livemind_app.training import lora


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.q_proj = nn.Linear(8, 4, bias=False)
        self.o_proj = nn.Linear(4, 8, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.o_proj(self.q_proj(x))
        return y


def trained() -> tuple[Block, dict[str, Tensor]]:
    block = Block()
    updates = lora.add_lora(block, rank=2, alpha=3.0)
    for update in updates:
        nn.init.normal_(update.up)
    return block, {name: tensor.clone() for name, tensor in lora.state(updates).items()}


def test_weights_with_the_changes_are_the_layers_with_their_updates() -> None:
    wanted, tensors = trained()
    block, x = nn.Sequential(Block()), torch.randn(3, 8)
    for name, change in lora.changes(block, tensors, alpha=3.0).items():
        block.get_submodule(name).weight.data += change()
    assert torch.allclose(block(x), wanted(x), atol=1e-6)


def test_layers_may_be_of_any_kind_and_untrained_ones_are_left_out() -> None:
    _, tensors = trained()
    block = nn.ModuleDict({"q_proj": nn.Identity(), "o_proj": nn.Identity(), "other": nn.Identity()})
    assert list(lora.changes(block, tensors, alpha=3.0)) == ["q_proj", "o_proj"]
    tensors["lora.0.up"].zero_()
    assert list(lora.changes(block, tensors, alpha=3.0)) == ["o_proj"]


def test_tensors_of_another_network_are_refused() -> None:
    _, tensors = trained()
    with pytest.raises(KeyError, match="2 layers, the network has 1"):
        lora.changes(nn.ModuleDict({"q_proj": nn.Linear(8, 4)}), tensors, alpha=3.0)
