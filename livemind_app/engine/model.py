"""A language model as the worker's thread computes on it: the forwards that a generation is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from livemind_app.decoding.lookahead.tree import Tree
from livemind_app.engine.cache import KVCache
from livemind_app.engine.chat import ChatTokenizer
from livemind_app.engine.packed.phase import decoding
from livemind_app.engine.tree_mask import tree_mask

if TYPE_CHECKING:
    from livemind_app.engine.lookahead import Lookahead

PREFILL_CHUNK = 64  # tokens a forward; on two cores about 0.3 s for 1.5B parameters


@dataclass(frozen=True)
class LoadedModel:
    """A causal language model with its tokenizer; computed on by the worker's thread only."""

    name: str
    model: Any
    tokenizer: ChatTokenizer
    end_ids: frozenset[int]
    context: int
    lookahead: "Lookahead | None" = None

    def prefill(self, ids: Sequence[int], cache: KVCache) -> None:
        """Append part of a prompt to the cache and leave the logits after its last token in it."""
        self._forward(ids, cache)

    def decode(self, tokens: Sequence[int], cache: KVCache) -> None:
        """The same for tokens that were generated: it reads the packed weights, if there are any."""
        with decoding():
            self._forward(tokens, cache)

    def reread(self, tokens: Sequence[int], cache: KVCache) -> Tensor:
        """Like decode; the logits after each of the tokens, [tokens, vocab]."""
        with decoding():
            return self._forward(tokens, cache, rows=len(tokens))

    @torch.inference_mode()
    def verify(self, tree: Tree, cache: KVCache) -> Tensor:
        """Logits after every row of the tree, [rows, vocab].

        The rows are behind the text in the cache, not in its `ids`: `cache.accept` has to follow.
        """
        start, device = len(cache.ids), self.model.device
        with decoding():
            output = self.model(
                input_ids=torch.tensor([tree.tokens], device=device),
                position_ids=start + torch.tensor([tree.depths], device=device),
                attention_mask=tree_mask(tree, start, self.model.config, device),
                past_key_values=cache.kv,
                use_cache=True,
            )
        logits: Tensor = output.logits[0]
        return logits

    @torch.inference_mode()
    def _forward(self, ids: Sequence[int], cache: KVCache, rows: int = 1) -> Tensor:
        start = len(cache.ids)
        device = self.model.device
        output = self.model(
            **self._inputs(ids, start),
            position_ids=torch.arange(start, start + len(ids), device=device)[None],
            past_key_values=cache.kv,
            use_cache=True,
            logits_to_keep=rows,
        )
        logits: Tensor = output.logits[0]
        cache.ids.extend(ids)
        cache.logits = logits[-1]
        return logits

    def _inputs(self, ids: Sequence[int], start: int) -> dict[str, Tensor]:
        """What the network is fed for the tokens that follow the first `start`."""
        return {"input_ids": torch.tensor([ids], device=self.model.device)}
