"""The sentence codec: token ids ⇄ a few latent vectors, around a frozen base's embedding and head.

Encoder: the base's first layers, made bidirectional; then every `patch` tokens become one latent (as in CALM,
arXiv 2510.27688): each token is projected by its place in the patch, and all of them together once more.
Decoder: the base's last layers, causal, over the previous sentence (optional), the latents, and the tokens so
far; each token's input also gets the unfolded latent of its place.

`CodecConfig(pool="sum")` is SentenceVAE's own (arXiv 2408.00655, section 3.1): one vector, the sum over
tokens under LayerNorm, which the decoder attends to; what was wrong with its masks is not repeated.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from livemind_app.sentence_vae.decoder import Decoder, Ids, Latents
from livemind_app.sentence_vae.layers import Layers, padded, within
from livemind_app.sentence_vae.sentences import MOST


@dataclass(frozen=True)
class CodecConfig:
    """What a codec is made of; the noises are applied in training only."""

    encoder_layers: int = 2
    decoder_layers: int = 2
    pool: Literal["patches", "sum"] = "patches"
    patch: int = 16  # tokens of a latent
    noise: float = 0.2  # standard deviation; latents have 1
    latent_dropout: float = 0.1
    word_dropout: float = 0.1  # of the decoder's inputs
    kl: float = 0.0  # weight of a clamped divergence from N(0, 1); 0: a plain autoencoder, as the original is
    focal: float = 0.0  # γ of a focal loss; 0: cross-entropy

    def slots(self, tokens: int) -> int:
        """Latents of a sentence of so many tokens."""
        return 1 if self.pool == "sum" else -(-tokens // self.patch)

    @property
    def most_slots(self) -> int:
        return self.slots(MOST)

    def json(self) -> dict[str, Any]:
        return asdict(self)


class Codec(Decoder):
    def __init__(self, base: Any, config: CodecConfig) -> None:
        size, depth = base.config.hidden_size, base.config.num_hidden_layers
        last = Layers(base, range(depth - config.decoder_layers, depth), gate=0.03)
        super().__init__(base, last, config.most_slots)
        self.config = config
        self._rank = size // config.patch  # of a token's part of its latent
        self.encoder = Layers(base, range(config.encoder_layers), gate=0.01)
        self.gain = nn.Parameter(torch.tensor(10.0))  # of what a latent tells about a token
        if config.pool == "patches":
            self._fold(size)
        else:
            self.normal = nn.LayerNorm(size)
        if config.kl:
            self.spread = nn.Linear(size, size)  # log-variance

    def _fold(self, size: int) -> None:
        """Begin close to an inverse pair: far fewer dimensions than an embedding has tell tokens apart."""
        patch, rank = self.config.patch, self._rank
        token = torch.linalg.qr(torch.randn(size, rank))[0]
        latent = torch.linalg.qr(torch.randn(size, patch * rank))[0]
        self.fold = nn.Parameter(token.repeat(patch, 1, 1))  # [patch, d, rank]
        self.join = nn.Linear(patch * rank, size)
        self.split = nn.Linear(size, patch * rank)
        self.unfold = nn.Parameter(token.T.repeat(patch, 1, 1))  # [patch, rank, d]
        with torch.no_grad():
            self.join.weight.copy_(latent)
            self.split.weight.copy_(latent.T)
            self.join.bias.zero_()
            self.split.bias.zero_()

    def encode(self, sentences: Sequence[Ids]) -> Latents:
        """Latents of some sentences of at least one token."""
        ids, lengths = padded(sentences, self.begin.device)
        inside = within(lengths, ids.shape[1])
        positions = torch.arange(ids.shape[1], device=ids.device)[None].expand_as(ids)
        states = self.encoder(self.embed(ids), inside[:, None, None, :], positions) * inside[..., None]
        if self.config.pool == "sum":
            return Latents(self.normal(states.sum(dim=1, keepdim=True)), torch.ones_like(lengths))
        counts = -(-lengths // self.config.patch)
        values = _unit(self.join(self._folded(states))) * within(counts, int(counts.max()))[..., None]
        return Latents(values, counts)

    def _folded(self, states: Tensor) -> Tensor:
        """[batch, tokens, d] → [batch, slots, patch · rank]: tokens projected by their places in patches."""
        patch = self.config.patch
        rest = -states.shape[1] % patch
        patches = functional.pad(states, (0, 0, 0, rest)).view(len(states), -1, patch, states.shape[2])
        return torch.einsum("bspd,pdr->bspr", patches, self.fold).flatten(2)

    def unfolded(self, latents: Latents, start: int, rows: int) -> Tensor:
        """Of every row what its latent tells about its token, [batch, rows, d]; 0 behind the last latent."""
        if self.config.pool == "sum":
            return super().unfolded(latents, start, rows)
        patch, rank = self.config.patch, self._rank
        numbers = torch.arange(start, start + rows, device=latents.values.device)
        parts = self.split(latents.values).view(*latents.values.shape[:2], patch, rank)
        slots, places = numbers // patch, numbers % patch
        known = slots.clamp(max=parts.shape[1] - 1)
        told = torch.einsum("bnr,nrd->bnd", parts[:, known, places], self.unfold[places])
        return self.gain * told * (slots < latents.counts[:, None])[..., None]


def drop_layers(base: Any) -> None:
    """Leave of a base what codecs read: they have copies of their layers."""
    base.model.layers = nn.ModuleList()


def _unit(x: Tensor) -> Tensor:
    """Root mean square 1."""
    return x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + 1e-6)
