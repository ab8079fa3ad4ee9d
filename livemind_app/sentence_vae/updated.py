"""A model made of a frozen base, a frozen codec, and low-rank updates of their layers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from livemind_app.sentence_vae.codec import Codec
from livemind_app.training.lora import LoRALinear, add_lora


class Updated(nn.Module):
    """Puts updates beside layers of `base` and `codec`, which compute as before outside of `updated`."""

    def __init__(self, base: Any, codec: Codec, rank: int, decoder_rank: int = 0) -> None:
        """`rank`: of the updates of the base; `decoder_rank`: of the codec's decoder, 0 for none."""
        super().__init__()
        self._frozen = (base, codec)  # in a tuple: not ours to save
        self.updates = nn.ModuleList(add_lora(base.model, rank))
        self.decoder_updates = nn.ModuleList(add_lora(codec.decoder, decoder_rank) if decoder_rank else [])
        self._enable(False)

    @property
    def base(self) -> Any:
        return self._frozen[0]

    @property
    def codec(self) -> Codec:
        return self._frozen[1]

    @contextmanager
    def updated(self) -> Iterator[None]:
        """Base and decoder are this model's while the block runs."""
        self._enable(True)
        try:
            yield
        finally:
            self._enable(False)

    @property
    def all_updates(self) -> list[LoRALinear]:
        return [each for each in (*self.updates, *self.decoder_updates) if isinstance(each, LoRALinear)]

    def _enable(self, enabled: bool) -> None:
        for update in self.all_updates:
            update.enabled = enabled
