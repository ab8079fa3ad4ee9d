"""What comes back of sentences, and nats of the same real tokens by every arm and control."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from livemind_app.sentence_vae.bundle import Bundle
from livemind_app.sentence_vae.codec import Codec
from livemind_app.sentence_vae.decode import reconstruct
from livemind_app.sentence_vae.decoder import Ids, Latents
from livemind_app.sentence_vae.perplexity import base_nats, hybrid_nats, positions, sllm_nats
from livemind_app.sentence_vae.spoken import spoken


@torch.inference_mode()
def returned(codec: Codec, sentences: Sequence[Ids]) -> list[dict[str, Any]]:
    """Each sentence and what the codec, free-running, makes of its latents."""
    said = reconstruct(codec, sentences)
    return [{"ids": list(one), "said": other} for one, other in zip(sentences, said, strict=True)]


@torch.inference_mode()
def nats(bundle: Bundle, window: Sequence[Ids]) -> dict[str, float]:
    """Summed over the last sentence's tokens.

    base: the whole window before it, token by token; truncated: only as many tokens of it as the hybrid
    context has positions; hybrid_raw: the hybrid context without its latents. oracle: the codec's decoder
    with the sentence's own latents; zero: with none; previous: with none, but the sentence before in view;
    shuffled: with the latents of another sentence.
    """
    context = [token for sentence in window[:-1] for token in sentence]
    last, end = window[-1], bundle.codec.end
    own = bundle.codec.encode([last])
    none = Latents(torch.zeros_like(own.values), own.counts)
    other = _resized(bundle.codec.encode([window[0]]), own)
    rows = {
        "base": base_nats(bundle.base, context, last, end),
        "oracle": spoken(bundle.codec, own, [last]).words,
        "zero": spoken(bundle.codec, none, [last]).words,
        "previous": spoken(bundle.codec, none, [last], [window[-2]]).words,
        "shuffled": spoken(bundle.codec, other, [last]).words,
    }
    if bundle.sllm:
        rows["sllm"] = sllm_nats(bundle.sllm, window, scored=1)
    if bundle.hybrid:
        kept = positions(bundle.hybrid, window)
        rows["truncated"] = base_nats(bundle.base, context[max(0, len(context) - kept) :], last, end)
        rows["hybrid"] = hybrid_nats(bundle.hybrid, window)
        rows["hybrid_raw"] = hybrid_nats(bundle.hybrid, window, latents=False)
    return {name: _sum(row) for name, row in rows.items()}


def _resized(latents: Latents, like: Latents) -> Latents:
    """As many latents as the other has, repeated or cut."""
    count = int(like.counts[0])
    return Latents(latents.values.repeat(1, -(-count // latents.values.shape[1]), 1)[:, :count], like.counts)


def _sum(row: Tensor) -> float:
    return float(row.double().sum())
