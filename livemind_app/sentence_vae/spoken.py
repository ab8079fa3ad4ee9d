"""What the decoder makes of given sentences, teacher-forced: nats and right guesses of every token."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from livemind_app.sentence_vae.decoder import Decoder, Ids, Latents
from livemind_app.sentence_vae.layers import padded, within


@dataclass(frozen=True)
class Spoken:
    """Of all tokens of all sentences, one after the other, each sentence's end included: [tokens]."""

    nats: Tensor
    right: Tensor
    end: Tensor  # which of them are ends
    apart: Tensor | None = None  # [words]: nats of divergence from the base's own expectation

    @property
    def words(self) -> Tensor:
        """Nats of the tokens that are no ends."""
        return self.nats[~self.end]


def spoken(
    decoder: Decoder,
    latents: Latents,
    sentences: Sequence[Ids],
    previous: Sequence[Ids] | None = None,
    *,
    common: Tensor | None = None,
    holes: float = 0.0,
    base_states: Tensor | None = None,
) -> Spoken:
    """`common`: a softmax over these tokens and those of the batch, which is cheaper; None: over all.

    `holes`: share of the decoder's own words that are replaced by others, so that it has to ask the latents.
    `base_states`: [words, d], the base's last ones before each word, after its final norm.
    """
    ids, lengths = padded(sentences, decoder.begin.device)
    heard = ids
    if holes:
        replaced = torch.rand(ids.shape, device=ids.device) < holes
        heard = torch.where(replaced, torch.randint_like(ids, decoder.vocabulary), ids)
    inside = within(lengths + 1, ids.shape[1] + 1)
    states = decoder.rows(decoder.inputs(heard, latents), decoder.prefix(latents, previous))[inside]
    ends = lengths[:, None] == torch.arange(ids.shape[1] + 1, device=ids.device)
    targets = functional.pad(ids, (0, 1)).masked_fill(ends, decoder.end)[inside]
    tokens = None
    if common is not None:
        tokens, numbers = torch.unique(torch.cat([targets, common]), return_inverse=True)
        targets = numbers[: len(targets)]
    logits, end = decoder.logits(states, tokens), ends[inside]
    nats = functional.cross_entropy(logits, targets, reduction="none")
    apart = None
    if base_states is not None:
        expected = decoder.head(base_states, tokens).log_softmax(dim=-1)
        said = logits[~end].log_softmax(dim=-1)
        apart = functional.kl_div(said, expected, log_target=True, reduction="none").sum(dim=-1)
    return Spoken(nats, logits.argmax(dim=-1) == targets, end, apart)
