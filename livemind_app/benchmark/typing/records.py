"""What was measured, one record a question and lane."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from livemind_app.journal import Journal


@dataclass(frozen=True)
class Record:
    """Times are seconds from submit; None where there is none."""

    question: str
    kind: str
    sentences: int
    lane: str
    status: str  # of the session's lane
    ttft: float | None = None
    latency: float | None = None
    overhead: float = 0.0  # submit waiting for what was computing
    tokens_before: int = 0  # generated before submit
    tokens_after: int = 0
    ready: int = 0  # of the answer's tokens, there at submit
    wasted: int = 0  # of tokens_before, thrown away
    prompt_tokens: int = 0
    prefilled_after: int = 0  # of prompt_tokens, computed after submit
    thinking_s: float = 0.0  # as of Metrics
    typing_s: float = 0.0  # the typist's time
    notes: tuple[str, ...] = ()
    waits: int = 0  # steps of thinking that made no note
    answer: str = ""
    extracted: str | None = None
    correct: bool | None = None  # None: there is no key

    @property
    def measured(self) -> bool:
        return self.latency is not None


class Records(Journal):
    """`records` holds what is known, by question and lane; what failed is asked again."""

    def __init__(self, path: Path, settings: Mapping[str, Any], *, resume: bool) -> None:
        super().__init__(path, settings, resume=resume)
        known = (record for record in map(_record, self.lines) if record.measured)
        self.records = {(record.question, record.lane): record for record in known}

    def add_record(self, record: Record) -> None:
        self.add(asdict(record))
        self.records[record.question, record.lane] = record


def _record(values: dict[str, Any]) -> Record:
    known = {field.name for field in fields(Record)}
    return Record(**{name: value for name, value in values.items() if name in known} | _notes(values))


def _notes(values: dict[str, Any]) -> dict[str, Any]:
    return {"notes": tuple(values.get("notes", ()))}
