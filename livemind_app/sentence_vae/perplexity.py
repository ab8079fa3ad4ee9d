"""Nats of the same real tokens of a text, by the base, the sentence model and the hybrid context.

Only tokens of sentences count, none of the ends that a sentence model says besides, and no padding.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from livemind_app.sentence_vae.decoder import Ids
from livemind_app.sentence_vae.hybrid import HybridContext
from livemind_app.sentence_vae.sllm import SentenceModel
from livemind_app.sentence_vae.spoken import spoken


def base_nats(base: Any, context: Ids, ids: Ids, end: int) -> Tensor:
    """Of `ids`, [len(ids)], after `context`; `end` is read first, as a text's beginning."""
    everything = torch.tensor([[end, *context, *ids]], device=base.device)
    logits = base(everything, use_cache=False, logits_to_keep=len(ids) + 1).logits[0, :-1]
    return functional.cross_entropy(logits.float(), everything[0, -len(ids) :], reduction="none")


def sllm_nats(model: SentenceModel, sentences: Sequence[Ids], scored: int | None = None) -> Tensor:
    """Of the tokens of the last `scored` sentences, all if None."""
    count = len(sentences) if scored is None else scored
    encoded = model.codec.encode(sentences)
    with model.updated():
        (predicted,) = model([encoded])
    latents = predicted.latents.part(len(sentences) - count, len(sentences))
    return spoken(model.speaker, latents, sentences[-count:], ((), *sentences[:-1])[-count:]).words


def hybrid_nats(context: HybridContext, sentences: Sequence[Ids], *, latents: bool = True) -> Tensor:
    """Of the last sentence's tokens, with the old ones of those before it as latents, or left out."""
    pieces = context.pieces(sentences[:-1], sentences[-1])
    with context.updated():
        return context.nats([piece for piece in pieces if latents or not piece[1]], len(sentences[-1]))


def positions(context: HybridContext, sentences: Sequence[Ids]) -> int:
    """Backbone positions that `hybrid_nats` keeps of the sentences before the last."""
    slots = context.codec.config.slots
    pieces = context.pieces(sentences[:-1])[1:]
    return sum(slots(len(ids)) if old else len(ids) for ids, old in pieces)
