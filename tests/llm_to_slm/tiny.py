"""Two tiny random models with tokenizers of their own, built in-process."""

from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast, Qwen2Config

from livemind_app.engine.chat import ChatTokenizer
from livemind_app.engine.loading import wrap
from livemind_app.engine.model import LoadedModel

TEXT = [
    "The bakery bakes 120 rolls. By noon it has sold half of them. How many are left?",
    "You are a helpful assistant. Solve the problem by thinking step by step.",
    "def add(a, b):\n    return a + b\n",
    "system user assistant",
]
SPECIAL = ["<|im_start|>", "<|im_end|>", "[INST]", "[/INST]"]
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
STRIPPING = (
    "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content | trim }} [/INST]"
    "{% else %}{{ m.content | trim }}\n\n{% endif %}{% endfor %}"
)


def tokenizer(vocabulary: int, template: str = CHATML) -> PreTrainedTokenizerFast:
    """Byte-level BPE; a larger vocabulary has longer tokens."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        TEXT,
        trainers.BpeTrainer(
            vocab_size=vocabulary, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
        ),
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|im_end|>")
    fast.chat_template = template
    return fast


def model(kind: str, vocabulary: int, width: int, seed: int, template: str = CHATML) -> LoadedModel:
    """`kind` is qwen2 or llama; fp32."""
    torch.manual_seed(seed)
    fast = tokenizer(vocabulary, template)
    sizes: dict[str, Any] = {
        "vocab_size": len(fast),
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "tie_word_embeddings": True,
    }
    config = (Qwen2Config if kind == "qwen2" else LlamaConfig)(**sizes)
    network = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.15)  # else every context says the same
        embedding = network.get_input_embeddings().weight
        for token in range(len(fast)):
            if token < len(SPECIAL) or not fast.decode([token]).strip().isascii():
                embedding[token] *= 0.1  # answers are words, not parts of characters, and go on
    network.generation_config.eos_token_id = fast.eos_token_id
    return wrap(f"tiny-{kind}-{width}", network, fast)


def reader() -> LoadedModel:
    return model("qwen2", 330, 48, seed=1)


def writer() -> LoadedModel:
    return model("llama", 290, 32, seed=2)


def chat(text: str) -> list[Any]:
    return [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": text}]


def chat_tokenizer(vocabulary: int, template: str = CHATML) -> ChatTokenizer:
    return ChatTokenizer(tokenizer(vocabulary, template))
