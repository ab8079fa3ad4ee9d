"""Networks of a few thousand random weights, built in the process."""

from typing import Any

import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

SHAPE: dict[str, Any] = {
    "vocab_size": 96,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "max_position_embeddings": 512,
    "attn_implementation": "sdpa",
    "initializer_range": 0.1,
}


def llama(**options: Any) -> PreTrainedModel:
    return _made(LlamaForCausalLM, LlamaConfig(**SHAPE | options))


def qwen2(**options: Any) -> PreTrainedModel:
    """With biases on queries, keys and values."""
    network = _made(Qwen2ForCausalLM, Qwen2Config(**SHAPE | options))
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)
    return network


def mistral(window: int) -> PreTrainedModel:
    """Sees `window` tokens back."""
    return _made(MistralForCausalLM, MistralConfig(**SHAPE, sliding_window=window))


def qwen3() -> PreTrainedModel:
    """Norms queries and keys, too."""
    return _made(Qwen3ForCausalLM, Qwen3Config(**SHAPE))


def _made(kind: Any, config: Any) -> PreTrainedModel:
    torch.manual_seed(0)
    network: PreTrainedModel = kind(config).eval().requires_grad_(False)
    return network


def ids(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, SHAPE["vocab_size"], (1, count), generator=torch.Generator().manual_seed(seed))
