"""What is measured: a network in one format of its weights, and how it is asked for an answer."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from transformers import Cache, DynamicCache, GenerationConfig, PreTrainedModel, StoppingCriteria

from livemind_app.engine.cache import CachePool
from livemind_app.engine.generation import generation
from livemind_app.engine.loading import wrap
from livemind_app.engine.models.load import load, resolve_weights
from livemind_app.engine.packed.kv import GrowingCache, lengthen
from livemind_app.engine.packed.linear import PackedSums
from livemind_app.engine.packed.phase import decoding
from livemind_app.protocol import Chunk, Request

REFERENCE = "generate"  # transformers' own, in bf16


@dataclass(frozen=True)
class Answer:
    """When the tokens of one answer came."""

    ttft_s: float  # from the start to the first token
    decode_s: float  # from the first token to the last
    steps: int  # tokens after the first

    @classmethod
    def of(cls, began: float, times: Sequence[float]) -> "Answer":
        return cls(times[0] - began, times[-1] - times[0], len(times) - 1)


class Subject(ABC):
    """Greedy answers that never end early, and single forwards on caches of any length."""

    def __init__(self, name: str, network: PreTrainedModel, tokenizer: Any) -> None:
        self.name = name
        self.network = network
        self.tokenizer = tokenizer

    @property
    def context(self) -> int:
        """Tokens that the model takes."""
        return int(self.network.config.get_text_config().max_position_embeddings)

    @property
    def bytes(self) -> int:
        """Of the weights in memory, each counted once."""
        tensors = [*self.network.parameters(), *self.network.buffers()]
        plain = {tensor.data_ptr(): tensor.nbytes for tensor in tensors}
        packed = [module.bytes for module in self.network.modules() if isinstance(module, PackedSums)]
        return sum((*plain.values(), *packed))

    def filled(self, context: int) -> Cache:
        """A cache of so many tokens."""
        cache = self.new_cache()
        self.step([1], cache)
        lengthen(cache, context - 1)
        return cache

    @abstractmethod
    def answer(self, ids: Sequence[int], tokens: int) -> Answer:
        """So many tokens after a prompt."""

    @abstractmethod
    def new_cache(self) -> Cache: ...

    @abstractmethod
    def step(self, ids: Sequence[int], cache: Cache) -> Tensor:
        """Logits after each of the tokens, which are appended to the cache."""

    @abstractmethod
    def logits(self, ids: Sequence[int]) -> Tensor:
        """Those after every token of a text, [tokens, vocabulary]."""


class Reference(Subject):
    """transformers' own `generate`."""

    def answer(self, ids: Sequence[int], tokens: int) -> Answer:
        prompt, clock = torch.tensor([ids]), Clock()
        began = perf_counter()
        self.network.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            generation_config=GenerationConfig(max_new_tokens=tokens, do_sample=False, pad_token_id=0),
            stopping_criteria=[clock],
        )
        return Answer.of(began, clock.times)

    def new_cache(self) -> Cache:
        return DynamicCache()

    @torch.inference_mode()
    def step(self, ids: Sequence[int], cache: Cache) -> Tensor:
        output = self.network(torch.tensor([ids]), past_key_values=cache, use_cache=True)
        return output.logits[0]  # type: ignore[no-any-return]

    @torch.inference_mode()
    def logits(self, ids: Sequence[int]) -> Tensor:
        return self.network(torch.tensor([ids]), use_cache=False).logits[0]  # type: ignore[no-any-return]


class Ours(Reference):
    """The engine's own way: prefill in chunks, decode from packed weights."""

    def answer(self, ids: Sequence[int], tokens: int) -> Answer:
        model = replace(wrap(self.name, self.network, self.tokenizer), end_ids=frozenset())
        run = generation(model, CachePool(0), Request(tuple(ids), "llm", tokens))
        began = perf_counter()
        return Answer.of(began, [perf_counter() for out in run if isinstance(out, Chunk) and out.ids])

    def new_cache(self) -> Cache:
        return GrowingCache()

    def step(self, ids: Sequence[int], cache: Cache) -> Tensor:
        with decoding():
            return super().step(ids, cache)

    def logits(self, ids: Sequence[int]) -> Tensor:
        """From the weights that decode, since they are the coarser ones."""
        with decoding():
            return super().logits(ids)


class Clock(StoppingCriteria):  # type: ignore[misc]
    """Asked after every forward; stops nothing."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> Tensor:
        self.times.append(perf_counter())
        return torch.zeros(len(input_ids), dtype=torch.bool)


def reference(model: str) -> Reference:
    network, tokenizer = load(model, "bfloat16")
    network.generation_config = GenerationConfig(do_sample=False)  # no end, no penalties
    return Reference(REFERENCE, network, tokenizer)


def ours(model: str, weights: str, prefill: str) -> Ours:
    return Ours(weights, *load(model, weights=weights, prefill=prefill))


def format_of(model: str, weights: str) -> str:
    """A format's own name: auto → int8."""
    return resolve_weights(weights, model, "auto", "cpu") or ("bfloat16" if weights == "auto" else weights)
