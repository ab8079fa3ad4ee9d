"""Grouped attention against torch's own, alone and inside of networks."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import PreTrainedModel

from livemind_app.engine.packed.attention import NAME, attention, grouped, use_grouped_attention
from livemind_app.engine.packed.kv import GrowingCache
from livemind_app.engine.packed.phase import decoding
from tests.engine.packed.networks import ids, llama, mistral, qwen2

HEADS = ((12, 2, 16), (14, 2, 8), (9, 3, 64), (4, 4, 32), (8, 1, 16))


def qkv(heads: tuple[int, int, int], tokens: int, context: int) -> tuple[Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(context)
    many, few, size = heads
    shapes = ((many, tokens), (few, context), (few, context))
    query, key, value = (torch.randn(1, count, length, size, generator=random) for count, length in shapes)
    return query, key, value


def mask_of(tokens: int, context: int, window: int) -> Tensor:
    """Causal, and `window` tokens back."""
    at = torch.arange(context - tokens, context)[:, None]
    seen = torch.arange(context)[None]
    return ((seen <= at) & (seen > at - window))[None, None]


@settings(max_examples=60)
@given(
    heads=st.sampled_from(HEADS),
    tokens=st.integers(1, 9),
    past=st.integers(0, 70),
    window=st.sampled_from((1, 5, 1000)),
    additive=st.booleans(),
)
def test_grouped_equals_torch(
    heads: tuple[int, int, int], tokens: int, past: int, window: int, additive: bool
) -> None:
    query, key, value = qkv(heads, tokens, past + tokens)
    mask = mask_of(tokens, past + tokens, window)
    if additive:
        mask = torch.zeros(mask.shape).masked_fill(~mask, torch.finfo(torch.float32).min)
    ours = grouped(query, key, value, mask, 0.3)
    theirs = scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=0.3, enable_gqa=True)
    torch.testing.assert_close(ours, theirs.transpose(1, 2), atol=1e-5, rtol=1e-5)


def test_without_a_mask_all_is_seen() -> None:
    query, key, value = qkv((6, 2, 8), 1, 20)
    theirs = scaled_dot_product_attention(query, key, value, enable_gqa=True)
    torch.testing.assert_close(grouped(query, key, value, None, 8**-0.5), theirs.transpose(1, 2))


def test_bf16_stays_bf16() -> None:
    query, key, value = (part.bfloat16() for part in qkv((6, 2, 8), 2, 20))
    assert grouped(query, key, value, mask_of(2, 20, 99), 1.0).dtype == torch.bfloat16


def test_sequences_of_a_batch_are_as_alone_and_padding_sees_nothing() -> None:
    query, key, value = (part.repeat(2, 1, 1, 1) for part in qkv((6, 2, 8), 2, 20))
    query[1], mask = query[1] + 1, mask_of(2, 20, 99).repeat(2, 1, 1, 1)
    mask[1, :, 0] = False
    both = grouped(query, key, value, mask, 0.3)
    torch.testing.assert_close(both[:1], grouped(query[:1], key[:1], value[:1], mask[:1], 0.3))
    torch.testing.assert_close(both[1:], grouped(query[1:], key[1:], value[1:], mask[1:], 0.3))
    assert both.isfinite().all()


@pytest.mark.parametrize("case", ["prefill", "no mask", "unknown option"])
def test_the_rest_is_left_to_torch(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livemind_app.engine.packed.attention.grouped", lambda *_: pytest.fail("grouped"))
    query, key, value = qkv((4, 4, 8), 3, 3)
    mask = None if case == "no mask" else mask_of(3, 3, 9)
    options = {"softcap": 3.0} if case == "unknown option" else {}

    def call() -> Tensor:
        return attention(torch.nn.Module(), query, key, value, mask, **options)[0]

    if case == "prefill":
        assert call().shape == (1, 3, 4, 8)
        return
    with decoding():
        if case == "unknown option":
            with pytest.raises(ValueError, match="softcap"):
                call()
        else:
            assert call().shape[1:] == (3, 4, 8)


@pytest.mark.parametrize("network", [llama(), qwen2(), mistral(8)], ids=["llama", "qwen2", "window of 8"])
@pytest.mark.parametrize("rows", [1, 3])
@torch.inference_mode()
def test_a_network_decodes_what_it_prefills(network: PreTrainedModel, rows: int) -> None:
    """Token by token, or some at a time, on the cache that grows."""
    tokens = ids(31)
    exact = network(tokens, use_cache=False).logits
    use_grouped_attention(network)
    assert network.config._attn_implementation == NAME
    cache = GrowingCache()
    parts = [network(tokens[:, :16], past_key_values=cache).logits]
    with decoding():
        rest = tokens[:, 16:].split(rows, dim=1)
        parts += [network(part, past_key_values=cache).logits for part in rest]
    torch.testing.assert_close(torch.cat(parts, dim=1), exact, atol=2e-5, rtol=1e-4)


def test_models_with_an_attention_of_their_own_keep_it() -> None:
    network = llama(attn_implementation="eager")
    use_grouped_attention(network)
    assert network.config._attn_implementation == "eager"
