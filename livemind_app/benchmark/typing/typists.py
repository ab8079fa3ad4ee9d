"""Simulated users: what the draft holds at which second.

Every typist ends with the whole text, at times that never go back; the same seed types the same.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from pathlib import Path
from random import Random
from typing import Protocol

from livemind_app.benchmark.typing.traces import Trace, load_trace, replay
from livemind_app.errors import ConfigError
from livemind_app.text.sentences import boundaries


@dataclass(frozen=True)
class Draft:
    """The text box `at` seconds after typing began."""

    at: float
    text: str


class Typist(Protocol):
    def drafts(self, text: str, random: Random) -> Iterator[Draft]: ...

    def enter_s(self, random: Random) -> float:
        """Seconds between the last key and Enter."""
        ...


@dataclass(frozen=True)
class Constant:
    """The LiveMind paper's typist (arXiv 2406.14319, section 4): 240 characters a minute."""

    chars_per_minute: float = 240.0

    def drafts(self, text: str, random: Random) -> Iterator[Draft]:
        gap = 60.0 / self.chars_per_minute
        return (Draft(end * gap, text[:end]) for end in range(1, len(text) + 1))

    def enter_s(self, random: Random) -> float:
        return 0.0


@dataclass(frozen=True)
class LogNormal:
    """Log-normal gaps, and pauses where people think.

    Inside words log(gap in ms) has mean 5.11 and deviation 0.50, and people differ by 0.33; the median
    gap before a word is 228 ms (transcription by 2,275 people). Whoever composes pauses more: 5.5 to
    8.9 % of gaps are longer than 1 s, 3 to 5 % longer than 2 s. A pause before every sentence and every
    third word gives that. Before Enter they read what they wrote: as before a sentence.
    """

    inside_word: float = 5.11  # mean of log(ms)
    before_word: float = log(228.0)
    deviation: float = 0.50
    people: float = 0.33
    pause: float = log(2000.0)
    pause_deviation: float = 0.90
    pausing: float = 1 / 3  # of words

    def drafts(self, text: str, random: Random) -> Iterator[Draft]:
        person = random.gauss(0.0, self.people)
        sentences = set(boundaries(text))
        at = 0.0
        for end in range(1, len(text) + 1):
            at += self._gap(text, end - 1, sentences, person, random)
            yield Draft(at, text[:end])

    def enter_s(self, random: Random) -> float:
        return self._pause(random)

    def _gap(self, text: str, place: int, sentences: set[int], person: float, random: Random) -> float:
        """Seconds before the character at `place`."""
        begins = place > 0 and text[place - 1].isspace() and not text[place].isspace()
        if place in sentences or (begins and random.random() < self.pausing):
            return self._pause(random)
        mean = self.before_word if begins else self.inside_word
        return random.lognormvariate(mean + person, self.deviation) / 1000

    def _pause(self, random: Random) -> float:
        return random.lognormvariate(self.pause, self.pause_deviation) / 1000


@dataclass(frozen=True)
class Replay:
    """The rhythm and the edits of a recorded trace, on another text."""

    trace: Trace

    @property
    def sha256(self) -> str:
        """Of what is replayed."""
        return hashlib.sha256(repr(self.trace).encode()).hexdigest()

    def drafts(self, text: str, random: Random) -> Iterator[Draft]:
        start = random.randrange(len(self.trace.edits))
        return (Draft(at, draft) for at, draft in replay(self.trace, text, start))

    def enter_s(self, random: Random) -> float:
        return 0.0  # the trace does not tell


def typist(name: str) -> Typist:
    """From the command line: `constant[:CHARACTERS A MINUTE]`, `lognormal` or `trace:FILE[#TRACE]`.

    >>> typist("constant:300").chars_per_minute
    300.0
    """
    kind, _, rest = name.partition(":")
    if kind == "constant":
        return Constant(_speed(rest)) if rest else Constant()
    if kind in ("lognormal", "log-normal") and not rest:
        return LogNormal()
    if kind == "trace" and rest:
        file, _, trace = rest.partition("#")
        return Replay(load_trace(Path(file), trace))
    raise ConfigError(f"--typist is {name!r}, but must be constant[:SPEED], lognormal or trace:FILE[#TRACE]")


def _speed(raw: str) -> float:
    try:
        speed = float(raw)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1e6:
        raise ConfigError(f"--typist: the speed is {raw!r}, but must be characters a minute, above 0")
    return speed
