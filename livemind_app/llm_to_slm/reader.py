"""The large model's states of a prompt, on a KV cache that goes on where the text does and is cut with it."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from livemind_app.engine.cache import KVCache
from livemind_app.engine.model import LoadedModel
from livemind_app.llm_to_slm.conditioner import Conditioner, normalized


def layers_of(config: Any) -> tuple[int, int, int]:
    """After how many layers states are taken: half of them, three quarters, all."""
    count = config.get_text_config().num_hidden_layers
    return round(count / 2), round(3 * count / 4), count


def hidden(network: Any, **inputs: Any) -> Tensor:
    """Normalized states of three layers, [batch, tokens, LAYERS, width] in fp32."""
    states = network.base_model(output_hidden_states=True, **inputs).hidden_states
    return torch.stack([normalized(states[layer]) for layer in layers_of(network.config)], dim=2)


@torch.inference_mode()
def read(model: LoadedModel, conditioner: Conditioner, ids: Sequence[int], cache: KVCache) -> None:
    """Append tokens to the cache, and their mixed states to those that it has."""
    start, device = len(cache.ids), model.model.device
    states = hidden(
        model.model,
        input_ids=torch.tensor([ids], device=device),
        position_ids=torch.arange(start, start + len(ids), device=device)[None],
        past_key_values=cache.kv,
        use_cache=True,
    )
    mixed = conditioner.mix(states[0])
    cache.ids.extend(ids)
    cache.logits = None
    cache.states = mixed if cache.states is None else torch.cat((cache.states, mixed))
