"""An answer that nobody has asked for yet."""

from dataclasses import dataclass, field

from livemind_app.protocol import Chunk, Finished, Sampling


@dataclass
class Speculated:
    """As far as it has come; it holds for the prompt `ids` and this sampling only."""

    ids: tuple[int, ...]
    sampling: Sampling
    said: list[int] = field(default_factory=list)
    text: str = ""
    forwards: int = 0
    finished: Finished | None = None  # when that is all of it
    _held: str = ""

    def add(self, chunk: Chunk) -> None:
        if chunk.ids:
            self.said.extend(chunk.ids)
            self.text += chunk.text
            self.forwards += not chunk.drafted and len(self.said) > len(chunk.ids)
        else:
            self._held = chunk.text  # half a character, should the answer end here

    def end(self, finished: Finished, limit: int) -> None:
        """It ended by itself or at `limit` tokens; one that ran out of budget can go on."""
        if finished.reason in ("eos", "stop") or len(self.said) == limit:
            self.text += self._held
            self.finished = finished
