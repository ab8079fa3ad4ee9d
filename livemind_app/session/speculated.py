"""An answer that nobody has asked for yet."""

from dataclasses import dataclass, field, replace

from livemind_app.protocol import Chunk, Draft, Finished, Sampling


@dataclass
class Speculated:
    """As far as it has come; it holds for the prompt `ids` and this sampling only.

    `draft`: what it may begin with, of the answer to an earlier state of the prompt.
    """

    ids: tuple[int, ...]
    sampling: Sampling
    draft: Draft | None = None
    said: list[int] = field(default_factory=list)
    text: str = ""
    forwards: int = 0
    kept: int = 0  # of `said`, from the draft
    kept_text: int = 0  # characters of `text`, from the draft
    finished: Finished | None = None  # when that is all of it
    _held: str = ""

    @property
    def left(self) -> Draft | None:
        """What of the draft has not been looked at; None once the answer goes its own way."""
        if self.draft and self.draft.ids[: len(self.said)] == tuple(self.said):
            return replace(self.draft, ids=self.draft.ids[len(self.said) :])
        return None

    def add(self, chunk: Chunk) -> None:
        if chunk.ids:
            self.said.extend(chunk.ids)
            self.text += chunk.text
            self._held = ""
            if chunk.kept:
                self.kept += len(chunk.ids)
                self.kept_text = len(self.text)
            self.forwards += not chunk.drafted and not chunk.kept and len(self.said) > len(chunk.ids)
        else:
            self._held = chunk.text  # half a character, should the answer end here

    def passed_on(self, keep: float) -> Draft | None:
        """What the answer to a later state of the prompt may begin with."""
        if self.left:
            return self.draft
        ended = self.finished is not None and self.finished.reason == "eos"
        return Draft(tuple(self.said), keep, ended) if self.said else None

    def end(self, finished: Finished, limit: int) -> None:
        """It ended by itself or at `limit` tokens; one that ran out of budget can go on."""
        if finished.reason in ("eos", "stop") or len(self.said) == limit:
            self.text += self._held
            self.finished = finished
