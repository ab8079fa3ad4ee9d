"""Chats to ids by a model's own template."""

from collections.abc import Iterable, Sequence
from typing import Any

from jinja2 import TemplateError

from livemind_app.protocol import Message, Rendered
from livemind_app.text.align import places

END_OF_TURN = ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|endoftext|>", "</s>")


class ChatTokenizer:
    """A transformers tokenizer as the protocol's Tokenizer.

    An open assistant turn is tokenized apart from what precedes it, so that the ids of a longer
    conversation begin with those of a shorter one and caches fit. `context`: tokens that its model takes.
    """

    def __init__(self, tokenizer: Any, context: int | None = None) -> None:
        self._tokenizer = tokenizer
        self.context = context

    def render(self, messages: Sequence[Message], *, answer: bool = True) -> tuple[int, ...]:
        if answer and messages[-1]["role"] == "assistant":
            return self.render(messages[:-1]) + self.encode(messages[-1]["content"])
        return self.encode(self._text(messages, answer))

    def locate(self, messages: Sequence[Message], *, answer: bool = True) -> Rendered:
        mark = unused(message["content"] for message in messages)
        marked = [_marked(message, mark) for message in messages]
        parts = self._text(marked, answer).split(mark)
        found = self._tokenizer("".join(parts), add_special_tokens=False, return_offsets_mapping=True)
        return Rendered(tuple(found["input_ids"]), places(parts, [end for _, end in found["offset_mapping"]]))

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def decode(self, ids: Sequence[int]) -> str:
        text = self._tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        assert isinstance(text, str)
        return text

    def spell(self, ids: Sequence[int]) -> str:
        """As `decode`, with the marks of turns written out."""
        text = self._tokenizer.decode(list(ids), clean_up_tokenization_spaces=False)
        assert isinstance(text, str)
        return text

    @property
    def marks(self) -> frozenset[int]:
        """Tokens that stand for no text: where turns begin and end."""
        added = self._tokenizer.added_tokens_decoder
        return frozenset(index for index, token in added.items() if token.special)

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

    def _text(self, messages: Sequence[Message], answer: bool) -> str:
        try:
            return self._template(list(messages), answer)
        except TemplateError:  # gemma's template, for one, refuses a system message
            return self._template(_without_system(messages), answer)

    def _template(self, messages: list[Message], answer: bool) -> str:
        text = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=answer)
        assert isinstance(text, str)
        return text


def unused(texts: Iterable[str]) -> str:
    """A character that occurs in none of them."""
    known = set().union(*texts)
    return next(mark for mark in map(chr, range(0xE000, 0xF900)) if mark not in known)


def _marked(message: Message, mark: str) -> Message:
    """The content between marks, the space around it outside: templates may strip that."""
    content = message["content"]
    inner = content.strip()
    before, _, after = content.partition(inner) if inner else (content, "", "")
    return {"role": message["role"], "content": f"{before}{mark}{inner}{mark}{after}"}


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """System text in front of the first user message."""
    head, *rest = messages
    if head["role"] != "system":
        return list(messages)
    if not rest:
        return [{"role": "user", "content": head["content"]}]
    content = f"{head['content']}\n\n{rest[0]['content']}"
    return [{"role": rest[0]["role"], "content": content}, *rest[1:]]
