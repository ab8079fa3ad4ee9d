"""Tiny models, and drafts that a test makes up."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    MistralConfig,
    PretrainedConfig,
    Qwen2Config,
    Qwen3Config,
)

from livemind_app.decoding.lookahead.cost import Costs
from livemind_app.decoding.lookahead.recycled import Likely
from livemind_app.decoding.lookahead.tree import Tree
from livemind_app.engine.cache import CachePool
from livemind_app.engine.chat import ChatTokenizer
from livemind_app.engine.generation import generation
from livemind_app.engine.lookahead import Lookahead
from livemind_app.engine.model import LoadedModel
from livemind_app.protocol import Chunk, Finished, Request

FREE = Costs({1: dict.fromkeys(range(1, 17), 1.0)})
VOCABULARY = 64
SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
}
WINDOW = 6
LAYERS = ["sliding_attention", "full_attention"]
KINDS: dict[str, Callable[[], PretrainedConfig]] = {
    "llama": lambda: LlamaConfig(**SMALL),
    "qwen2": lambda: Qwen2Config(**SMALL),
    "qwen2 sliding": lambda: Qwen2Config(
        **SMALL, use_sliding_window=True, sliding_window=WINDOW, layer_types=LAYERS
    ),
    "qwen3": lambda: Qwen3Config(**SMALL),
    "mistral": lambda: MistralConfig(**SMALL, sliding_window=WINDOW),
    "gemma3": lambda: Gemma3TextConfig(**SMALL, sliding_window=WINDOW, layer_types=LAYERS),
}


class Scripted:
    """Drafts that a test makes up: `make` is asked with the text so far."""

    def __init__(self, make: Callable[[list[int], int], Tree]) -> None:
        self.text: list[int] = []
        self.bytes = 0
        self._make = make

    def read(self, ids: Sequence[int]) -> None:
        self.text = list(ids)

    def said(self, tokens: Sequence[int]) -> None:
        self.text.extend(tokens)

    def draft(self, cost: Sequence[float], depth: int) -> Tree:
        return self._make(self.text, depth)

    def learn(self, tree: Tree, path: Sequence[int], tokens: Sequence[int], likely: Sequence[Likely]) -> None:
        assert len(path) == len(tokens) == len(likely)
        for row, parent in zip(path[1:], path, strict=False):
            assert tree.parents[row] == parent
        assert [tree.tokens[row] for row in path[1:]] == list(tokens[:-1])

    def ended(self) -> None:
        pass


class Letters:
    """A tokenizer whose tokens are letters."""

    def decode(self, ids: Sequence[int], **_: object) -> str:
        return "".join(chr(ord("A") + token) for token in ids)


def tiny(kind: str) -> LoadedModel:
    torch.manual_seed(0)
    network = AutoModelForCausalLM.from_config(KINDS[kind](), attn_implementation="sdpa").eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3)  # else every context says the same
    return LoadedModel(kind, network, ChatTokenizer(Letters()), frozenset(), 256)


def with_drafts(
    model: LoadedModel, make: Callable[[list[int], int], Tree], margin: float = 0.0
) -> LoadedModel:
    return replace(model, lookahead=Lookahead(FREE, lambda: Scripted(make), margin))


def run(model: LoadedModel, request: Request) -> tuple[list[Chunk], Finished]:
    *chunks, finished = [output for output in generation(model, CachePool(0), request) if output]
    assert isinstance(finished, Finished)
    return [chunk for chunk in chunks if isinstance(chunk, Chunk)], finished


def ids(chunks: Sequence[Chunk]) -> list[int]:
    return [token for chunk in chunks for token in chunk.ids]


def prompt(seed: int, length: int = 9) -> tuple[int, ...]:
    return tuple(random.Random(seed).choices(range(VOCABULARY), k=length))


def anything(seed: int) -> Callable[[list[int], int], Tree]:
    """Random trees."""
    chance = random.Random(seed)

    def make(text: list[int], depth: int) -> Tree:
        tree = Tree([text[-1]])
        for _ in range(chance.randrange(10)):
            parents = [row for row in range(len(tree)) if tree.depths[row] < depth]
            token, parent = chance.randrange(VOCABULARY), chance.choice(parents or [-1])
            if parent >= 0 and not tree.follow([parent], token):
                tree.add(parent, token)
        return tree

    return make


def mixed(truth: Sequence[int], start: int, seed: int) -> Callable[[list[int], int], Tree]:
    """The true continuation as one branch among wrong ones, in any order, and sometimes cut short."""
    chance = random.Random(seed)

    def make(text: list[int], depth: int) -> Tree:
        tree, row = Tree([text[-1]]), 0
        ahead = truth[len(text) - start :][: min(depth, chance.randrange(6))]
        for token in ahead:
            wrong = [other for other in chance.sample(range(VOCABULARY), 3) if other != token]
            for other in wrong[: chance.randrange(3)]:
                tree.add(row, other)
            row = tree.add(row, token)
        return tree

    return make


def oracle(truth: Sequence[int], start: int) -> Callable[[list[int], int], Tree]:
    def make(text: list[int], depth: int) -> Tree:
        tree = Tree([text[-1]])
        for token in truth[len(text) - start :][: min(depth, 7)]:
            tree.add(len(tree) - 1, token)
        return tree

    return make
