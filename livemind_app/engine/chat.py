"""Chats to ids by a model's own template."""

from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError

from livemind_app.protocol import Message

END_OF_TURN = ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|endoftext|>", "</s>")


class ChatTokenizer:
    """A transformers tokenizer as the protocol's Tokenizer.

    An open assistant turn is tokenized apart from what precedes it, so that the ids of a longer
    conversation begin with those of a shorter one and caches fit.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def render(self, messages: Sequence[Message], *, answer: bool = True) -> tuple[int, ...]:
        if answer and messages[-1]["role"] == "assistant":
            return self.render(messages[:-1]) + self.encode(messages[-1]["content"])
        try:
            return self._template(list(messages), answer)
        except TemplateError:  # gemma's template, for one, refuses a system message
            return self._template(_without_system(messages), answer)

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def decode(self, ids: Sequence[int]) -> str:
        text = self._tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        assert isinstance(text, str)
        return text

    def end_ids(self, configured: int | Sequence[int] | None) -> frozenset[int]:
        """Tokens that end an answer: the model's configured ones and the known ends of a turn."""
        ids: set[int | None] = {configured} if isinstance(configured, int) else set(configured or ())
        ids |= {self._tokenizer.eos_token_id, *map(self._id, END_OF_TURN)}
        return frozenset(index for index in ids if index is not None)

    def _id(self, token: str) -> int | None:
        """None for a token that the vocabulary does not have."""
        tokenizer = self._tokenizer
        index: int | None = tokenizer.convert_tokens_to_ids(token)
        return None if index == tokenizer.unk_token_id and token != tokenizer.unk_token else index

    def _template(self, messages: list[Message], answer: bool) -> tuple[int, ...]:
        text = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=answer)
        return self.encode(text)


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """System text in front of the first user message."""
    head, *rest = messages
    if head["role"] != "system":
        return list(messages)
    if not rest:
        return [{"role": "user", "content": head["content"]}]
    content = f"{head['content']}\n\n{rest[0]['content']}"
    return [{"role": rest[0]["role"], "content": content}, *rest[1:]]
