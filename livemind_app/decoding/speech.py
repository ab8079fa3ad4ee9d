"""What an answer's tokens say, as far as it is certain: whole characters, and nothing of a stop string."""

from collections.abc import Callable, Sequence

from livemind_app.decoding.stops import StopFilter
from livemind_app.text.detokenize import Detokenizer


class Speech:
    """`said`: tokens of the answer that an earlier request has shown."""

    def __init__(
        self, decode: Callable[[Sequence[int]], str], stops: Sequence[str], said: Sequence[int] = ()
    ) -> None:
        self._detokenizer = Detokenizer(decode)
        self._stop = StopFilter(stops)
        self.push(said)

    @property
    def stopped(self) -> bool:
        """Whether a stop string was said; what follows it is not passed on."""
        return self._stop.stopped

    def push(self, tokens: Sequence[int]) -> str:
        """The text that they complete."""
        return self._stop.push(self._detokenizer.push(tokens))

    def rest(self) -> str:
        """What was held back, when no more tokens come."""
        return self._stop.push(self._detokenizer.flush()) + self._stop.flush()
