"""Sentences out of latents, token by token, a batch at a time."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from transformers import DynamicCache

from livemind_app.sentence_vae.codec import Codec
from livemind_app.sentence_vae.decoder import Decoder, Ids, Latents
from livemind_app.sentence_vae.sentences import MOST


@torch.inference_mode()
def reconstruct(
    codec: Codec, sentences: Sequence[Ids], previous: Sequence[Ids] | None = None
) -> list[list[int]]:
    """Encode and decode greedily, free-running: what was said before is the decoder's own."""
    return decode(codec, codec.encode(sentences), previous)


@torch.inference_mode()
def decode(
    decoder: Decoder, latents: Latents, previous: Sequence[Ids] | None = None, most: int = MOST
) -> list[list[int]]:
    """Greedy tokens of each sentence, its end not among them."""
    said: list[list[int]] = [[] for _ in range(len(latents.counts))]
    ended = [False] * len(said)
    for logits, feed in steps(decoder, latents, previous, most):
        tokens = logits.argmax(dim=-1)
        for row, token in enumerate(tokens.tolist()):
            ended[row] = ended[row] or token == decoder.end
            if not ended[row]:
                said[row].append(token)
        if all(ended):
            break
        feed.copy_(tokens)
    return said


def steps(
    decoder: Decoder, latents: Latents, previous: Sequence[Ids] | None = None, most: int = MOST
) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits [batch, vocabulary] of the next token, and where to put the one that was chosen, [batch].

    At most `most` times. The consumer writes its tokens before it asks for more.
    """
    prefix, cache = decoder.prefix(latents, previous), DynamicCache()
    batch = len(latents.counts)
    inside = prefix.mask
    causal = torch.ones(inside.shape[1], inside.shape[1], dtype=torch.bool, device=inside.device).tril()
    allowed = (causal & inside[:, None, :]) | torch.eye(len(causal), dtype=torch.bool, device=inside.device)
    decoder.decoder(prefix.values, allowed[:, None], prefix.positions, cache)
    chosen = torch.zeros(batch, dtype=torch.long, device=inside.device)
    for at in range(most):
        before = decoder.begin.expand(batch, 1, -1) if at == 0 else decoder.embed(chosen[:, None])
        inputs = before + decoder.unfolded(latents, at, 1)
        inside = torch.cat([inside, inside.new_ones(batch, 1)], dim=1)
        positions = decoder.positions(at, 1).expand(batch, -1)
        states = decoder.decoder(inputs, inside[:, None, None, :], positions, cache)
        yield decoder.logits(states[:, 0]), chosen
