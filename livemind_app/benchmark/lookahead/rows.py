"""One row for each answer; those of a prompt are on disk together."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from livemind_app.journal import Journal


@dataclass(frozen=True)
class Row:
    """One answer by one arm."""

    prompt: str
    dataset: str
    arm: str
    warm: bool
    tokens: int
    seconds: float  # from the first token to the last
    forwards: int
    drafted: int
    draft_s: float  # of them, drafting
    diverged: int | None = None  # index of the first token that greedy decoding does not say
    margin: float | None = None  # of logits there

    @property
    def rate(self) -> float:
        """Tokens a second after the first; 0 where there is nothing to time."""
        return (self.tokens - 1) / self.seconds if self.tokens > 1 and self.seconds > 0 else 0.0


class Rows(Journal):
    """Each line of it has the rows of all arms on one prompt."""

    @property
    def all(self) -> list[Row]:
        return [Row(**row) for line in self.lines for row in line]

    @property
    def done(self) -> set[str]:
        return {row.prompt for row in self.all}

    def add_rows(self, rows: Sequence[Row]) -> None:
        """All of one prompt."""
        self.add([asdict(row) for row in rows])
