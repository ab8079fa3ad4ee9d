"""Questions from files of JSON Lines, gzip or plain; what a record is can be told from its fields.

| kind | fields |
|---|---|
| mmlu | question, subject, options (or choices), answer_index (or a number as answer) |
| mmlu-pro | question, options, answer_index, category |
| gsm8k | question, answer: a number, or ending with one after `####` |
| long | prompt, n_sent, options and answer where known |
| meeting | query, context |
| plain | prompt |
"""

import gzip
import hashlib
import io
import json
import re
import string
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any, Literal

from livemind_app.errors import ConfigError
from livemind_app.text.segment import segment

Kind = Literal["mmlu-pro", "mmlu", "gsm8k", "long", "meeting", "plain"]
Form = Literal["letter", "number", "words"]
PACKAGED = "prompts.jsonl"
LETTERS = string.ascii_uppercase


@dataclass(frozen=True)
class Question:
    """What is typed, what follows it at no typing cost, and the right answer where there is one."""

    id: str
    kind: Kind
    text: str
    tail: str = ""  # the options, as in the LiveMind paper (arXiv 2406.14319)
    form: Form | None = None  # None: nobody knows the right answer
    key: str = ""
    choices: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        return self.text + self.tail

    @cached_property
    def sentences(self) -> int:
        """Sentences that are typed."""
        return len(segment(self.text))


@dataclass(frozen=True)
class Source:
    """One file: its last two names, its hash and what it asks."""

    label: str
    sha256: str
    questions: tuple[Question, ...]


def load(paths: Sequence[Path]) -> list[Source]:
    """The files, or the prompts of the package when there are none."""
    if paths:
        return [_source("/".join(path.parts[-2:]), _bytes(path)) for path in paths]
    packaged = files("livemind_app.benchmark.typing").joinpath(PACKAGED)
    return [_source(PACKAGED, packaged.read_bytes())]


def choose(
    source: Source, limit: int | None, seed: int, *, half: str = "all", sentences: int = 1
) -> list[Question]:
    """A sample of a source: of records with an even or odd index only, and of so many sentences at least.

    The same seed gives the same order whatever the limit, so that a longer run contains a shorter one.
    """
    wanted = [
        question
        for index, question in enumerate(source.questions)
        if half in ("all", ("even", "odd")[index % 2]) and question.sentences >= sentences
    ]
    Random(f"{seed}:{source.label}").shuffle(wanted)  # noqa: S311 - a sample, no secret
    return wanted[:limit]


def parse(record: dict[str, Any], identity: str) -> Question:
    """One record as a question. Raises KeyError, TypeError or ValueError for one of no known kind.

    >>> parse({"question": "Tom has 3 pens. He buys 4. How many?", "answer": "3+4=7\\n#### 7"}, "x").key
    '7'
    """
    if "query" in record:
        return Question(identity, "meeting", "\n".join([*record["context"], "", record["query"]]))
    if "prompt" in record:
        return _long(record, identity) if "n_sent" in record else _plain(record, identity)
    if "options" in record or "choices" in record:
        return _multiple_choice(record, identity)
    number = record["answer"].split("####")[-1].strip().replace(",", "")
    float(number)  # raises ValueError where it is none
    return Question(identity, "gsm8k", record["question"].strip(), form="number", key=number)


def _source(label: str, data: bytes) -> Source:
    questions = tuple(_parsed(line, f"{label}#{number}") for number, line in enumerate(_lines(label, data)))
    if not questions:
        raise ConfigError(f"--data: {label} holds no question")
    return Source(label, hashlib.sha256(data).hexdigest(), questions)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"--data: cannot read {path} ({type(error).__name__})") from error


def _lines(label: str, data: bytes) -> Iterator[str]:
    """Line by line, told by \\n only: U+2028 inside a text is no line's end."""
    try:
        raw = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        with io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8", newline="\n") as lines:
            yield from (line for line in lines if line.strip())
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ConfigError(f"--data: {label} is not readable JSON Lines ({type(error).__name__})") from error


def _parsed(line: str, identity: str) -> Question:
    try:
        return parse(json.loads(line), identity)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ConfigError(
            f"--data: {identity} is no question of a known kind; see docs/benchmarks.md"
        ) from error


def _multiple_choice(record: dict[str, Any], identity: str) -> Question:
    kind: Kind = "mmlu" if "subject" in record else "mmlu-pro"
    index = record.get("answer_index", record["answer"])
    choices = tuple(record.get("options") or record["choices"])
    text = record["question"].strip()
    return Question(identity, kind, text, _options(choices), "letter", LETTERS[index], choices)


def _plain(record: dict[str, Any], identity: str) -> Question:
    return Question(identity, "plain", record["prompt"].strip())


def _long(record: dict[str, Any], identity: str) -> Question:
    """Long prompts are gathered from many sources; some carry their options inside the prompt."""
    text, mark, inside = record["prompt"].strip().partition("\nOptions:\n")
    key, options = record.get("answer"), tuple(record.get("options") or ())
    if options and key:
        return Question(identity, "long", text, _options(options), "letter", key, options)
    if not key:
        return Question(identity, "long", text + mark + inside)
    if lettered := re.fullmatch(r"\(([A-Z])\)", key):
        choices = tuple(re.findall(r"^\([A-Z]\) (.*)$", inside, re.MULTILINE))
        return Question(identity, "long", text, _options(choices), "letter", lettered[1], choices)
    words = tuple(re.findall(r"^- (.*)$", inside, re.MULTILINE))
    return Question(identity, "long", text, _words(mark + inside), "words", key, words)


def _options(choices: Sequence[str]) -> str:
    r"""
    >>> _options(["red", "blue"])
    '\nOptions:\n(A) red\n(B) blue\nEnd with "The answer is (X)", where X is the letter of the right option.'
    """
    lines = [f"({letter}) {choice}" for letter, choice in zip(LETTERS, choices, strict=False)]
    end = 'End with "The answer is (X)", where X is the letter of the right option.'
    return "\n".join(["", "Options:", *lines, end])


def _words(options: str) -> str:
    return options + '\nEnd with "The answer is …", followed by the right option.'
