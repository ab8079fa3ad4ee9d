"""Attention of few queries over a long context: the queries of one KV head together in one batched matmul.

torch's own attention reads keys and values slowly for a single query. Prefill, many queries at a time,
stays with it; lean layers have an attention of their own.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from livemind_app.engine.packed.phase import phase

NAME = "livemind"
UNKNOWN = ("softcap", "position_bias")  # options that `grouped` does not compute


def use_grouped_attention(network: PreTrainedModel) -> None:
    """For models that run on torch's attention; others keep their own."""
    if network.config._attn_implementation == "sdpa":
        AttentionInterface.register(NAME, attention)
        AttentionMaskInterface.register(NAME, sdpa_mask)
        network.set_attn_implementation(NAME)


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """What transformers calls, with [batch, heads, tokens, size]; returns [batch, tokens, heads, size]."""
    masked = attention_mask is not None or query.shape[2] == 1
    known = all(options.get(name) is None for name in UNKNOWN)
    if phase.decode and masked and known:
        return grouped(query, key, value, attention_mask, scaling or query.shape[-1] ** -0.5), None
    output: tuple[Tensor, None] = sdpa_attention_forward(
        module, query, key, value, attention_mask, scaling=scaling, **options
    )
    return output


def grouped(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scaling: float) -> Tensor:
    """Softmax in fp32; True in a mask is what may be seen."""
    batch, heads, tokens, size = query.shape
    rows = query.reshape(batch * key.shape[1], -1, size)
    keys, values = key.flatten(0, 1), value.flatten(0, 1)
    scores = torch.baddbmm(rows.new_empty(1), rows, keys.mT, beta=0, alpha=scaling).float()
    if mask is not None:
        _hide(scores.view(batch, heads, tokens, -1), mask)
    output = torch.bmm(scores.softmax(dim=-1).to(values.dtype), values)
    return output.view(batch, heads, tokens, -1).transpose(1, 2)


def _hide(scores: Tensor, mask: Tensor) -> None:
    if mask.dtype == torch.bool:
        scores.masked_fill_(~mask, torch.finfo(scores.dtype).min)  # finite: padding sees nothing at all
    else:
        scores += mask
