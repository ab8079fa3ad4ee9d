"""What a codec makes of sentences: what comes back, their latents, and what lies between two of them."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from livemind_app.engine.local import Models
from livemind_app.engine.models.load import load
from livemind_app.errors import ModelError
from livemind_app.sentence_vae.codec import Codec, drop_layers
from livemind_app.sentence_vae.decode import decode
from livemind_app.sentence_vae.decoder import Ids, Latents
from livemind_app.sentence_vae.files import CODEC, load_codec, shipped
from livemind_app.sentence_vae.sentences import cut
from livemind_app.training import checkpoint

MOST_SENTENCES = 6  # of a text; the others are left out
STEPS = 7  # from one sentence to the other, both included
DIGITS = 3

T = TypeVar("T")


class Computer(Protocol):
    """Where models are computed on: engine.local.LocalEngine."""

    def compute(self, work: Callable[[Models], T]) -> Future[T]: ...


@dataclass(frozen=True)
class Returned:
    """A sentence and what came back of it; latents [slots, d]."""

    text: str
    said: str
    tokens: int
    right: int  # of these, at their places
    latents: list[list[float]]


class Inspector:
    """Reads the codec when it is first asked, and keeps it: without the base's layers it is small."""

    def __init__(self, engine: Computer, folder: str | None = None) -> None:
        self._engine = engine
        self._folder = Path(folder) if folder else None
        self._codec: tuple[Codec, Any] | None = None

    async def sentences(self, text: str) -> list[Returned]:
        """The first sentences of a text. Raises ModelError where there is no codec for the models."""
        return await self._on_models(lambda codec, tokenizer: returned(codec, tokenizer, text))

    async def between(self, first: str, second: str) -> list[str]:
        """From one sentence to another by equal steps. Raises ModelError, too."""
        return await self._on_models(lambda codec, tokenizer: between(codec, tokenizer, first, second))

    async def _on_models(self, work: Callable[[Codec, Any], T]) -> T:
        """Cancelled before it is computed it never is; later it is waited for, as it takes the thread."""
        future = self._engine.compute(lambda models: work(*self._opened(models)))
        waiting = asyncio.wrap_future(future)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if not future.cancel():
                await asyncio.gather(waiting, return_exceptions=True)
            raise

    def _opened(self, models: Models) -> tuple[Codec, Any]:
        names = dict.fromkeys(model.name for model in reversed(list(models.values())))
        folders = (self._folder or shipped(name) for name in names)
        folder = next((folder for folder in folders if folder), None)
        if folder is None:
            raise ModelError(
                f"there is no sentence codec for {' or '.join(names)}; train one with `livemind train "
                "sentence-vae`, and serve with `--sentence-vae FOLDER`"
            )
        self._codec = self._codec or _read(folder)
        return self._codec


def _read(folder: Path) -> tuple[Codec, Any]:
    """The codec of a folder and its base's tokenizer."""
    base, tokenizer = load(checkpoint.read_meta(folder / CODEC)["base"], "float32")
    codec = load_codec(folder / CODEC, base.requires_grad_(False))
    drop_layers(base)
    return codec, tokenizer


@torch.inference_mode()
def returned(codec: Codec, tokenizer: Any, text: str) -> list[Returned]:
    """Each sentence encoded and decoded, free-running, on its own."""
    sentences = cut(text, tokenizer)[:MOST_SENTENCES]
    if not sentences:
        return []
    latents = codec.encode(sentences)
    counts = latents.counts.tolist()
    rows = [_rounded(own[:count]) for own, count in zip(latents.values, counts, strict=True)]
    return [
        Returned(tokenizer.decode(ids), tokenizer.decode(said), len(ids), _right(ids, said), own)
        for ids, said, own in zip(sentences, decode(codec, latents), rows, strict=True)
    ]


@torch.inference_mode()
def between(codec: Codec, tokenizer: Any, first: str, second: str) -> list[str]:
    """Sentences decoded from latents on the line between those of two; of a text its first one counts."""
    ends = [cut(text, tokenizer)[:1] for text in (first, second)]
    if not all(ends):
        return []
    one, other = (codec.encode(sentence) for sentence in ends)
    slots = max(one.values.shape[1], other.values.shape[1])
    start, goal = (_widened(each.values, slots) for each in (one, other))
    shares = torch.linspace(0, 1, STEPS, device=start.device)[:, None, None]
    values = torch.lerp(start, goal, shares)
    counts = torch.full((STEPS,), slots, device=start.device)
    return [tokenizer.decode(said) for said in decode(codec, Latents(values, counts))]


def _widened(values: Tensor, slots: int) -> Tensor:
    return nn.functional.pad(values, (0, 0, 0, slots - values.shape[1]))


def _right(ids: Ids, said: Sequence[int]) -> int:
    return sum(a == b for a, b in zip(ids, said, strict=False))


def _rounded(rows: Tensor) -> list[list[float]]:
    return [[round(value, DIGITS) for value in row] for row in rows.tolist()]
