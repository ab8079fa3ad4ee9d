"""What a context takes in the backbone's cache."""

from collections.abc import Sequence

from livemind_app.sentence_vae.bundle import Bundle
from livemind_app.sentence_vae.decoder import Ids
from livemind_app.sentence_vae.perplexity import positions


def occupied(bundle: Bundle, window: Sequence[Ids]) -> dict[str, int]:
    """Positions of a window's sentences but the last, by arm; `tokens` is how many tokens they have."""
    context = window[:-1]
    slots = sum(bundle.codec.config.slots(len(sentence)) for sentence in context)
    tokens = sum(map(len, context))
    found = {"tokens": tokens, "base": tokens}
    if bundle.sllm:
        found["sllm"] = slots + 1  # the beginning
    if bundle.hybrid:
        found["hybrid"] = positions(bundle.hybrid, window)
    return found


def position_bytes(bundle: Bundle) -> int:
    """Keys and values of one position in all layers."""
    config = bundle.base.config
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * config.num_key_value_heads * head * bundle.base.dtype.itemsize)
