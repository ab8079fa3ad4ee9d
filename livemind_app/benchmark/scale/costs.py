"""What events cost the app tier: CPU time of the server's process, bytes on the wire, memory of a session.

Measured on a server of our own on the scripted engine, one user at a time. What an event costs is what a text
costs that is typed with it, less what it costs without.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any, Self

import psutil

from livemind_app.benchmark.load.server import own_server
from livemind_app.benchmark.machine import machine
from livemind_app.benchmark.scale.page import Page, Wire

WORDS = 400  # that the scripted engine has to say: more than is asked of it
TOKEN_S = 0.02  # of the scripted engine: a real one's pace, since readers get tokens in batches
SHORT, LONG = 8, 108  # tokens of answers, of which the difference is what a token costs
SESSIONS = 40  # whose memory is measured at once
BATCH = 25  # drafts of which CPU time is a mean
OFF: dict[str, Any] = {"mode": "off"}
# Prompts are only read ahead: nobody pauses here, and guesses would be for pauses.
WAITS = {"mode": "infer", "think_threshold": 1.0, "speculate_tokens": 0}
NOTES = {**WAITS, "think_threshold": 0.0}


@dataclass(frozen=True)
class Cost:
    """Of one event."""

    cpu_ms: float = 0.0
    up: float = 0.0  # bytes to the server
    down: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu_ms + other.cpu_ms, self.up + other.up, self.down + other.down)

    def __sub__(self, other: "Cost") -> "Cost":
        return self + other * -1

    def __mul__(self, times: float) -> "Cost":
        return Cost(self.cpu_ms * times, self.up * times, self.down * times)


@dataclass(frozen=True)
class Costs:
    """Of every event, and where they were measured."""

    keystroke: Cost  # a draft and its acknowledgement
    echo: Cost  # the same draft in the stream of events
    segment: Cost  # that is finished, read by the model, and given no note
    note: Cost  # beyond that
    answer: Cost  # a submit, and all of its answer but the tokens
    token: Cost  # of an answer
    session: Cost  # begun and ended
    note_tokens: float
    chars_per_segment: float
    keystroke_ms: tuple[float, ...]  # CPU, twenty quantiles of batches
    typed_kib: float  # memory of a session with a typed text, its notes and its open stream
    chat_kib: float  # the same with one answer more
    where: dict[str, Any] = field(compare=False)  # versions, processor, load

    @classmethod
    def load(cls, figures: dict[str, Any]) -> Self:
        events = {name: Cost(**value) for name, value in figures.items() if name in EVENTS}
        return cls(**{**figures, **events, "keystroke_ms": tuple(figures["keystroke_ms"])})


EVENTS = ("keystroke", "echo", "segment", "note", "answer", "token", "session")


@dataclass
class Typed:
    """What typing texts in one way has cost."""

    cost: Cost = Cost()
    drafts: int = 0
    segments: int = 0
    note_tokens: list[int] = field(default_factory=list)
    batches: list[float] = field(default_factory=list)  # ms of CPU a draft

    def each(self, number: int) -> Cost:
        return self.cost * (1 / max(number, 1))


class Meter:
    """CPU time of a process, all its threads, and the bytes of a page."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self._pid = pid

    def cpu_ms(self) -> float:
        """Finer than the process's own times, which are counted in steps of 10 ms."""
        stats = Path(f"/proc/{self._pid}/task").glob("*/schedstat")
        return sum(int(stat.read_text("ascii").split()[0]) for stat in stats) / 1e6

    def read(self, page: Page) -> tuple[float, Wire]:
        return self.cpu_ms(), page.wire()

    def since(self, page: Page, before: tuple[float, Wire]) -> Cost:
        wire = page.wire() - before[1]
        return Cost(self.cpu_ms() - before[0], wire.up, wire.down)

    def memory(self) -> float:
        """KiB."""
        return float(psutil.Process(self._pid).memory_info().rss) / 1024


def measure(texts: Sequence[str], rounds: int, sessions: int = SESSIONS) -> Costs:
    """Every text is typed `rounds` times in every way, the ways in turn."""
    with own_server(2 * sessions + 2, f"scripted:{WORDS}:{TOKEN_S}") as (url, process):
        meter = Meter(url, process.pid)
        ways = {"silent": (OFF, False), "read": (OFF, True), "waits": (WAITS, True), "notes": (NOTES, True)}
        typed = {name: Typed() for name in ways}
        _typing(meter, texts[0], OFF, True, Typed())  # what is made once is made now
        for text in [*texts] * rounds:
            for name, (options, reads) in ways.items():
                _typing(meter, text, options, reads, typed[name])
        answers = {tokens: _asked(meter, texts, rounds, tokens) for tokens in (SHORT, LONG)}
        session = _begun(meter, rounds * len(texts))
        typed_kib, chat_kib = _memory(meter, texts, sessions)
    return _told(typed, answers, session, typed_kib, chat_kib)


def _told(
    typed: dict[str, Typed], answers: dict[int, Cost], session: Cost, typed_kib: float, chat_kib: float
) -> Costs:
    silent, read, waits, notes = typed.values()
    token = (answers[LONG] - answers[SHORT]) * (1 / (LONG - SHORT))
    return Costs(
        keystroke=silent.each(silent.drafts),
        echo=read.each(read.drafts) - silent.each(silent.drafts),
        segment=(waits.cost - read.cost) * (1 / waits.segments),
        note=(notes.cost - waits.cost) * (1 / len(notes.note_tokens)),
        answer=answers[SHORT] - token * SHORT,
        token=token,
        session=session,
        note_tokens=sum(notes.note_tokens) / len(notes.note_tokens),
        chars_per_segment=silent.drafts / silent.segments,
        keystroke_ms=tuple(quantiles(silent.batches, n=21, method="inclusive")),
        typed_kib=typed_kib,
        chat_kib=chat_kib,
        where={**machine(["fastapi", "uvicorn"]), "load": round(os.getloadavg()[0], 1)},
    )


def _typing(meter: Meter, text: str, options: dict[str, Any], reads: bool, typed: Typed) -> None:
    """Type one text in a session of its own."""
    page = Page(meter.url, options, reads=reads)
    before, known = meter.read(page), 0
    for batch in _batches(len(text)):
        began = meter.cpu_ms()
        for end in batch:
            finished = page.draft(text[:end])
            if finished > known and options["mode"] != "off":
                action = page.until("action", done=True, index=finished - 1)
                if action["kind"] == "inference":
                    typed.note_tokens.append(action["tokens"])
            known = finished
        if len(batch) == BATCH:
            typed.batches.append((meter.cpu_ms() - began) / BATCH)
    typed.cost += meter.since(page, before)
    typed.drafts += len(text)
    typed.segments += known
    page.close()


def _batches(count: int) -> Iterator[range]:
    for first in range(1, count + 1, BATCH):
        yield range(first, min(first + BATCH, count + 1))


def _asked(meter: Meter, texts: Sequence[str], rounds: int, tokens: int) -> Cost:
    """A submit, and its answer of so many tokens."""
    page, cost = Page(meter.url, {**OFF, "max_tokens": tokens}), Cost()
    for text in [*texts] * rounds:
        before = meter.read(page)
        page.ask(text)
        cost += meter.since(page, before)
        page.clear()
    page.close()
    return cost * (1 / (rounds * len(texts)))


def _begun(meter: Meter, count: int) -> Cost:
    before, wire = meter.cpu_ms(), Wire()
    for _ in range(count):
        page = Page(meter.url, OFF)
        wire += page.wire()
        page.close()
    return Cost(meter.cpu_ms() - before, wire.up, wire.down) * (1 / count)


def _memory(meter: Meter, texts: Sequence[str], sessions: int) -> tuple[float, float]:
    """KiB of a session whose text was typed, and of one with an answer more."""
    before, pages = meter.memory(), []
    for asks in (False, True):
        for number in range(sessions):
            pages.append(page := Page(meter.url, {**NOTES, "max_tokens": LONG}))
            for end in range(1, len(text := texts[number % len(texts)]) + 1, 3):
                page.draft(text[:end])
            if asks:
                page.ask(text)
        if not asks:
            typed = meter.memory()
    asked = meter.memory()
    for page in pages:
        page.leave()
    return (typed - before) / sessions, (asked - typed) / sessions
