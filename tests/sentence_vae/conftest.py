"""Tiny random bases, built in the process, and a corpus of random sentences."""

from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from livemind_app.sentence_vae.codec import Codec, CodecConfig
from livemind_app.sentence_vae.data import Sentences
from livemind_app.sentence_vae.hybrid import HybridConfig, HybridContext
from livemind_app.sentence_vae.sllm import SentenceModel, SllmConfig

VOCABULARY, END = 96, 1
SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
    "eos_token_id": END,
    "pad_token_id": 0,
    "bos_token_id": None,
}
SMALL = CodecConfig(encoder_layers=1, decoder_layers=1, patch=8)
PAPER = CodecConfig(encoder_layers=1, decoder_layers=1, pool="sum", focal=2.0)
VAE = CodecConfig(encoder_layers=1, decoder_layers=1, patch=8, kl=0.1)


def base(kind: str = "llama") -> Any:
    torch.manual_seed(0)
    if kind == "qwen2":
        network = Qwen2ForCausalLM(Qwen2Config(**SHAPE))
    else:
        network = LlamaForCausalLM(LlamaConfig(**SHAPE))
    with torch.no_grad():
        network.get_input_embeddings().weight.normal_(std=0.15)
    return network.float().eval().requires_grad_(False)


def codec(config: CodecConfig = SMALL, kind: str = "llama") -> Codec:
    network = base(kind)
    torch.manual_seed(1)
    return Codec(network, config).eval()


@pytest.fixture(params=["llama", "qwen2"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def sentence_model(kind: str = "llama") -> SentenceModel:
    one = codec(kind=kind).requires_grad_(False)
    torch.manual_seed(2)
    model = SentenceModel(one._base[0], one, SllmConfig(rank=4, speaker_rank=4)).eval()
    disturb(model)
    return model


def hybrid(kind: str = "llama") -> HybridContext:
    one = codec(kind=kind).requires_grad_(False)
    torch.manual_seed(2)
    model = HybridContext(one._base[0], one, HybridConfig(rank=4)).eval()
    disturb(model)
    return model


def disturb(model: torch.nn.Module) -> None:
    """As if it were trained: updates that are zero would hide mistakes."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(".up"):
                parameter.normal_(std=0.05)


def corpus(documents: int = 60, seed: int = 0) -> Sentences:
    """Documents of 4 to 8 sentences of 4 to 20 tokens, each token one more than the one before."""
    random = np.random.default_rng(seed)
    ids: list[int] = []
    lengths, counts = [], []
    for _ in range(documents):
        counts.append(int(random.integers(4, 9)))
        for _ in range(counts[-1]):
            lengths.append(int(random.integers(4, 21)))
            start = int(random.integers(2, VOCABULARY))
            ids += [2 + (start + step) % (VOCABULARY - 2) for step in range(lengths[-1])]
    return Sentences(
        np.array(ids, dtype=np.uint32),
        np.cumsum(lengths),
        np.cumsum(counts),
        np.array([True] * documents),
    )
