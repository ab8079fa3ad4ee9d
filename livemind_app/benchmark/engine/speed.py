"""Answers and single steps, timed. All subjects take turns, so that what slows the machine slows each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol, TypeVar

from transformers import Cache

from livemind_app.benchmark.engine.subjects import Answer, Subject

ROWS = (1, 2, 4, 8, 16, 32)  # tokens a step
CONTEXTS = (50, 300, 1000, 2000, 4000)  # tokens before it
PROMPT = 300  # tokens
Point = tuple[int, int]  # rows, context
Tick = Callable[[str], None]  # told after every unit of work


class Answering(Protocol):
    """A subject, or a server beside them."""

    name: str

    def answer(self, ids: Sequence[int], tokens: int) -> Answer: ...


A = TypeVar("A", bound=Answering)


@dataclass
class Samples:
    """Of one subject, one in each round."""

    answers: list[Answer] = field(default_factory=list)
    steps: dict[Point, list[float]] = field(default_factory=dict)  # s


def points(context: int) -> list[Point]:
    """Those that fit into a model's context."""
    wanted = [*((rows, PROMPT) for rows in ROWS), *((1, length) for length in CONTEXTS)]
    return [point for point in dict.fromkeys(wanted) if sum(point) <= context]


def answers(
    answering: Sequence[Answering], prompt: Sequence[int], tokens: int, rounds: int, tick: Tick
) -> dict[str, Samples]:
    """`rounds` of each after a short one that does not count."""
    samples = {subject.name: Samples() for subject in answering}
    for subject in answering:
        subject.answer(prompt, 2)
    for subject in _turns(answering, rounds):
        samples[subject.name].answers.append(subject.answer(prompt, tokens))
        tick(f"{subject.name}: answer")
    return samples


def steps(
    subjects: Sequence[Subject], samples: dict[str, Samples], rounds: int, tick: Tick
) -> dict[str, Samples]:
    """Added to the samples: steps at every point, `rounds` of each after one that does not count."""
    for point in points(subjects[0].context):
        _steps(subjects, point, rounds, samples)
        tick(f"steps of {point[0]} after {point[1]}")
    return samples


def units(answering: int, context: int, rounds: int) -> int:
    """How often both tick."""
    return answering * rounds + len(points(context))


def _turns(subjects: Sequence[A], rounds: int) -> Iterator[A]:
    """Each in each round, every time another one first."""
    for number in range(rounds):
        first = number % len(subjects)
        yield from (*subjects[first:], *subjects[:first])


def _steps(subjects: Sequence[Subject], point: Point, rounds: int, samples: dict[str, Samples]) -> None:
    rows, context = point
    caches = {subject.name: subject.filled(context) for subject in subjects}
    for subject in subjects:
        _step(subject, rows, caches[subject.name])
    for subject in _turns(subjects, rounds):
        seconds = _step(subject, rows, caches[subject.name])
        samples[subject.name].steps.setdefault(point, []).append(seconds)


def _step(subject: Subject, rows: int, cache: Cache) -> float:
    began = perf_counter()
    subject.step(range(1, rows + 1), cache)
    seconds = perf_counter() - began
    cache.crop(-rows)
    return seconds
