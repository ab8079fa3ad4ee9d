"""A model made of a frozen base with low-rank updates, and a frozen codec."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from livemind_app.sentence_vae.codec import Codec
from livemind_app.training.lora import LoRALinear, add_lora


class Updated(nn.Module):
    """Puts updates of this rank beside layers of `base`, which computes as before outside of `updated`."""

    def __init__(self, base: Any, codec: Codec, rank: int) -> None:
        super().__init__()
        self._frozen = (base, codec)  # in a tuple: not ours to save
        self._own = add_lora(base.model, rank)
        self.updates = nn.ModuleList(self._own)
        self._enable(False)

    @property
    def base(self) -> Any:
        return self._frozen[0]

    @property
    def codec(self) -> Codec:
        return self._frozen[1]

    @contextmanager
    def updated(self) -> Iterator[None]:
        """The base is this model's while the block runs."""
        self._enable(True)
        try:
            yield
        finally:
            self._enable(False)

    @property
    def all_updates(self) -> list[LoRALinear]:
        return self._own

    def _enable(self, enabled: bool) -> None:
        for update in self._own:
            update.enabled = enabled
