"""The hybrid context: latents for old sentences, tokens for the last ones, and the base says token by token.

The same encoder, a projection and low-rank updates of the base: as in ICAE (arXiv 2307.06945), but sentence
by sentence, so that an edit costs what it changes. Rows of latents are read behind their sentence's tokens,
which are then forgotten: in every layer they can take over what the tokens said there, as gist tokens do
(arXiv 2304.08467). Tokens that go stand where earlier text does, so that what stays is close together. The
first row is always a token: attention that finds nothing rests on it (arXiv 2309.17453).
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from math import ceil, log2
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from livemind_app.sentence_vae.codec import Codec
from livemind_app.sentence_vae.decoder import Ids
from livemind_app.sentence_vae.updated import Updated


@dataclass(frozen=True)
class HybridConfig:
    rank: int = 16
    raw: int = 2  # sentences at the end that stay tokens at least
    share: float = 0.28  # of a text's tokens, at its end, that stay tokens too: two thirds of that at least

    def json(self) -> dict[str, Any]:
        return asdict(self)

    def old(self, lengths: Sequence[int]) -> int:
        """How many of a text's sentences, of so many tokens each, become latents: the first ones.

        What follows the last of them is read again when that is another one, so it moves in steps that grow
        with the text.
        """
        ends = list(accumulate(lengths))
        tokens = ends[-1] if ends else 0
        staying = self.share * tokens
        step = 2 ** int(log2(max(staying / 3, 1)))
        going = ceil((tokens - staying) / step) * step
        return max(0, min(bisect_left(ends, going) + 1, len(lengths) - self.raw))


class HybridContext(Updated):
    def __init__(self, base: Any, codec: Codec, config: HybridConfig) -> None:
        super().__init__(base, codec, config.rank)
        size = base.config.hidden_size
        self.config = config
        self.inward = nn.Linear(size, size)
        nn.init.normal_(self.inward.weight, std=0.1 * size**-0.5)

    def begin_as(self, token: int) -> None:
        """Have every latent be read as this token, until training tells them apart.

        The end of a line, best: what a base keeps there of the line before is useful without any training.
        """
        with torch.no_grad():
            self.inward.weight.zero_()
            self.inward.bias.copy_(self._embedded([token])[0])

    def rows(self, pieces: Sequence[tuple[Ids, bool]]) -> "Rows":
        """What the backbone reads: of an old piece its latents, of another one its tokens."""
        read = iter(self.latents([ids for ids, old in pieces if old]))
        values: list[Tensor] = []
        places = Places()
        for ids, old in pieces:
            going = self._embedded(ids if old else ())
            staying = next(read) if old else self._embedded(ids)
            places.add(len(going), len(staying))
            values += [going, staying]
        return Rows(torch.cat(values)[None], places)

    def latents(self, sentences: Sequence[Ids]) -> list[Tensor]:
        """Of each sentence [slots, d], as the backbone reads them."""
        if not sentences:
            return []
        with torch.no_grad():
            encoded = self.codec.encode(sentences)
        rows = self.inward(encoded.values)
        return [own[:count] for own, count in zip(rows, encoded.counts.tolist(), strict=True)]

    def logits(self, pieces: Sequence[tuple[Ids, bool]], scored: int) -> Tensor:
        """Of the last `scored` tokens, [scored, vocabulary], each given all before it; inside `updated`."""
        states = self.base.model(**self.rows(pieces).arguments, use_cache=False).last_hidden_state
        logits: Tensor = self.base.lm_head(states[0, -scored - 1 : -1]).float()
        return logits

    def read(self, pieces: Sequence[tuple[Ids, bool]], cache: Any) -> Tensor:
        """Fill an empty cache with what stays; the logits after it, [vocabulary]. Inside `updated`."""
        rows = self.rows(pieces)
        output = self.base(**rows.arguments, past_key_values=cache, use_cache=True, logits_to_keep=1)
        staying = torch.tensor(rows.places.staying, device=rows.values.device)
        for layer in cache.layers:
            layer.keys, layer.values = layer.keys[..., staying, :], layer.values[..., staying, :]
        logits: Tensor = output.logits[0, -1]
        return logits

    def nats(self, pieces: Sequence[tuple[Ids, bool]], scored: int) -> Tensor:
        """Of the last `scored` tokens, [scored]; the last piece has them, or more. Inside `updated`."""
        logits = self.logits(pieces, scored)
        targets = torch.tensor(list(pieces[-1][0][-scored:]), device=logits.device)
        return functional.cross_entropy(logits, targets, reduction="none")

    def pieces(self, sentences: Sequence[Ids], following: Ids = ()) -> list[tuple[Ids, bool]]:
        """A text from its beginning, its last sentences and what follows them as tokens, in one piece."""
        old = self.config.old([len(sentence) for sentence in sentences])
        raw = [token for sentence in sentences[old:] for token in sentence]
        start = ([self.codec.end], False)
        return [start, *((sentence, True) for sentence in sentences[:old]), ([*raw, *following], False)]

    def _embedded(self, ids: Ids) -> Tensor:
        return self.codec.embed(torch.tensor(list(ids), dtype=torch.long, device=self.inward.weight.device))


class Places:
    """Where rows stand, and which of them stay; the others are seen by their own piece only."""

    def __init__(self) -> None:
        self.positions: list[int] = []
        self.staying: list[bool] = []
        self._pieces: list[int] = []

    def add(self, going: int, staying: int) -> None:
        """A piece of so many rows that go, and then stay."""
        at = sum(self.staying)
        self.positions += range(at - going, at + staying)
        self.staying += [False] * going + [True] * staying
        self._pieces += [self._pieces[-1] + 1 if self._pieces else 0] * (going + staying)

    @property
    def allowed(self) -> Tensor:
        """[rows, rows]"""
        pieces, staying = torch.tensor(self._pieces), torch.tensor(self.staying)
        seen = staying[None] | (pieces[None] == pieces[:, None])
        return seen & torch.ones(len(pieces), len(pieces), dtype=torch.bool).tril()


@dataclass(frozen=True)
class Rows:
    """values [1, rows, d]"""

    values: Tensor
    places: Places

    @property
    def arguments(self) -> dict[str, Tensor]:
        """Of the backbone."""
        if all(self.places.staying):
            return {"inputs_embeds": self.values}
        device = self.values.device
        return {
            "inputs_embeds": self.values,
            "position_ids": torch.tensor([self.places.positions], device=device),
            "attention_mask": self.places.allowed[None, None].to(device),
        }
