"""Text from tokens as they come, never half a character."""

from collections.abc import Callable, Sequence

_INCOMPLETE = "\ufffd"  # what decoders write for bytes that are no character, or not yet
_MOST_HELD = 16  # a character has at most four bytes; a longer run of U+FFFD is what the tokens say
_WINDOW = 64  # tokens decoded at most


class Detokenizer:
    """Increments of `decode(ids)` whose sum is `decode` of all ids.

    For each token a window is decoded: the tokens of the last increment and those after it. The former are
    there because many tokenizers strip a leading space, or join tokens differently where a text starts.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []  # the window
        self._read = 0  # of these, how many belong to the last increment or earlier ones
        self._sent = 0  # characters of the window's text already returned
        self.holds = False  # whether the last token ended within a character

    def push(self, ids: Sequence[int]) -> str:
        """The text that these tokens complete: [0xE2, 0x82] → "", then [0xAC] → "€"."""
        return "".join(map(self._push_one, ids))

    def _push_one(self, token: int) -> str:
        self._ids.append(token)
        text = self._decode(self._ids)
        held = len(text) - len(text.rstrip(_INCOMPLETE))
        if len(self._ids) - self._read > _MOST_HELD:
            held = min(held, _MOST_HELD)
        self.holds = held > 0
        return self._advance(text, len(text) - held)

    def flush(self) -> str:
        """What was held back, at the end of all tokens."""
        text = self._decode(self._ids)
        return self._advance(text, len(text))

    def _advance(self, text: str, ready: int) -> str:
        increment = text[self._sent : ready]
        self._sent = max(self._sent, ready)
        if increment and ready == len(text):
            self._drop(self._read, unsent=0)
            self._read = len(self._ids)
        elif len(self._ids) > _WINDOW:
            self._drop(len(self._ids) - _WINDOW // 2, unsent=len(text) - self._sent)
            self._read = 0
        return increment

    def _drop(self, count: int, *, unsent: int) -> None:
        """Lets the window begin `count` tokens later; the unsent end of its text stays the same."""
        del self._ids[:count]
        self._sent = len(self._decode(self._ids)) - unsent
