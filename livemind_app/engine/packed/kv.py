"""Keys and values in buffers that grow ahead, so that a token is written where it stays."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import DynamicLayer

BLOCK = 256  # tokens; buffers grow by at least this much, and by half of their size


class GrowingLayer(DynamicLayer):  # type: ignore[misc]
    """`keys` and `values` are views of the filled part; cropping only shortens the views."""

    def __init__(self) -> None:
        super().__init__()
        self._buffers: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        start: int = self.get_seq_length()
        end = start + key_states.shape[-2]
        keys, values = self._room(key_states, value_states, start, end)
        keys[..., start:end, :] = key_states
        values[..., start:end, :] = value_states
        self.keys, self.values = keys[..., :end, :], values[..., :end, :]
        return self.keys, self.values

    def lengthened(self, like: Tensor, heads: int, tokens: int) -> tuple[Tensor, Tensor, int]:
        """Buffers [1, heads, capacity, size] in which so many tokens are to be written from a place on.

        `like` is any tensor [..., size] of the type that keys and values have.
        """
        start: int = self.get_seq_length()
        end = start + tokens
        if not self._buffers or end > self._buffers[0].shape[-2]:
            new = like.new_empty(1, heads, tokens, like.shape[-1])
            self._room(new, new, start, end)
        assert self._buffers
        keys, values = self._buffers
        self.keys, self.values = keys[..., :end, :], values[..., :end, :]
        return keys, values, start

    def keep(self, start: int, rows: Sequence[int]) -> None:
        """Of the tokens from `start` on keep some, by their ascending numbers from there, close together."""
        end = start + len(rows)
        if rows and rows[-1] != len(rows) - 1:
            index = torch.tensor(rows, device=self.keys.device) + start
            self.keys[..., start:end, :] = self.keys[..., index, :]
            self.values[..., start:end, :] = self.values[..., index, :]
        self.keys, self.values = self.keys[..., :end, :], self.values[..., :end, :]

    def take(self, sequences: Sequence[int]) -> None:
        """Of a batch keep some."""
        assert self._buffers
        end = self.get_seq_length()
        keys, values = (buffer[list(sequences)] for buffer in self._buffers)
        self._buffers = keys, values
        self.keys, self.values = keys[..., :end, :], values[..., :end, :]

    @property
    def bytes(self) -> int:
        """What is held, the room ahead included."""
        return sum(buffer.nbytes for buffer in self._buffers or ())

    @property
    def filled(self) -> int:
        """Bytes of the keys and values that are there."""
        return self.keys.nbytes + self.values.nbytes if self._buffers else 0

    def _room(self, key_states: Tensor, value_states: Tensor, start: int, end: int) -> tuple[Tensor, Tensor]:
        """Buffers that hold `end` tokens, the first `start` of them filled."""
        if self._buffers and end <= self._buffers[0].shape[-2]:
            return self._buffers
        capacity = max(end, start * 3 // 2) // BLOCK * BLOCK + BLOCK
        keys = key_states.new_empty((*key_states.shape[:-2], capacity, key_states.shape[-1]))
        values = value_states.new_empty((*value_states.shape[:-2], capacity, value_states.shape[-1]))
        if start:
            keys[..., :start, :] = self.keys
            values[..., :start, :] = self.values
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self._buffers = keys, values
        return self._buffers


@torch.inference_mode()
def lengthen(cache: Cache, tokens: int) -> None:
    """Append tokens to a cache that has some. What they say does not change what a step on them costs."""
    for index, layer in enumerate(cache.layers):
        parts = [
            part.new_full((*part.shape[:-2], tokens, part.shape[-1]), 0.01)
            for part in (layer.keys, layer.values)
        ]
        cache.update(*parts, index)


class GrowingCache(Cache):  # type: ignore[misc]
    """A layer for each that the model updates, made at its first update."""

    def __init__(self) -> None:
        super().__init__(layer_class_to_replicate=GrowingLayer)

    def layer(self, index: int) -> GrowingLayer:
        """Made now if there is none."""
        while len(self.layers) <= index:
            self.layers.append(GrowingLayer())
        layer: GrowingLayer = self.layers[index]
        return layer

    @torch.inference_mode()
    def keep(self, start: int, rows: Sequence[int]) -> None:
        """`GrowingLayer.keep` in every layer."""
        for layer in self.layers:
            layer.keep(start, rows)

    @torch.inference_mode()
    def take(self, sequences: Sequence[int]) -> None:
        """`GrowingLayer.take` in every layer."""
        for layer in self.layers:
            layer.take(sequences)

    @property
    def bytes(self) -> int:
        return sum(layer.bytes for layer in self.layers)

    @property
    def filled(self) -> int:
        return sum(layer.filled for layer in self.layers)
