"""A model with trained updates in its weights, packed as they are; the one without them stays as it is."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from torch import Tensor

from livemind_app.engine.model import LoadedModel
from livemind_app.engine.models.prepare import prepare
from livemind_app.engine.models.pretrained import read_network
from livemind_app.engine.packed.revise import revised
from livemind_app.errors import ModelError
from livemind_app.training import lora


def merged(
    model: LoadedModel, updates: Mapping[str, Tensor], alpha: float, names: Collection[str] = lora.EVERY
) -> LoadedModel:
    """It shares with `model` all that is not updated. `updates` is a `lora.state`.

    Raises ModelError where they do not fit.
    """
    try:
        changes = lora.changes(model.model, updates, alpha, names)
        return replace(model, model=revised(model.model, changes, _Stored(model.name)))
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"the updates do not fit {model.name} ({error})") from error


class _Stored:
    """A model's weights as its files have them, opened when the first is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, projection: str) -> Tensor:
        weight: Tensor = self._network.get_parameter(f"{projection}.weight")
        return weight

    @cached_property
    def _network(self) -> Any:
        return read_network(prepare(self._name), dtype="auto")
