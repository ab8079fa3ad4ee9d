"""Texts to train on: JSON Lines or plain lines, gzip or not, with the hash of every file.

| fields of a record | its text |
|---|---|
| text | itself |
| messages (lists) | their last items, one a line |
| source (a list) | its sentences, joined |
| document | itself |
| instruction, question, prompt, context, input, response, output, answer | in paragraphs |

Records whose `ended` is false are left out: their answer was cut off. A file whose name ends in .txt or
.txt.gz is one text.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livemind_app.errors import ConfigError

PARAGRAPHS = ("instruction", "question", "prompt", "context", "input", "response", "output", "answer")
PLAIN = (".txt", ".txt.gz")


@dataclass(frozen=True)
class Corpus:
    """One file: its last two names, its hash and its texts."""

    label: str
    sha256: str
    texts: tuple[str, ...]


def read(paths: Sequence[Path]) -> list[Corpus]:
    """Raises ConfigError for what cannot be read or holds no text."""
    return [_corpus(path) for path in paths]


def hashes(corpora: Sequence[Corpus]) -> dict[str, str]:
    """For a checkpoint's JSON: which data it was trained on."""
    return {corpus.label: corpus.sha256 for corpus in corpora}


def text_of(record: dict[str, Any]) -> str:
    r"""What of a record is read.

    >>> text_of({"instruction": "Add.", "context": "", "response": "Two."})
    'Add.\n\nTwo.'
    """
    for name in ("text", "document"):
        if isinstance(record.get(name), str):
            return str(record[name])
    if isinstance(record.get("messages"), list):
        return "\n".join(
            part["text"] if isinstance(part, dict) else str(part[-1]) for part in record["messages"]
        )
    if isinstance(record.get("source"), list):
        return " ".join(record["source"])
    return "\n\n".join(record[name] for name in PARAGRAPHS if record.get(name))


def _corpus(path: Path) -> Corpus:
    label = "/".join(path.parts[-2:])
    try:
        data = path.read_bytes()
        raw = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        lines = raw.decode("utf-8").split("\n")  # not splitlines: U+2028 inside a text is no line's end
        texts = ["\n".join(lines)] if path.name.endswith(PLAIN) else list(_records(lines))
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"--data: cannot read {path} ({type(error).__name__}: {error})") from error
    texts = [text.strip() for text in texts if text.strip()]
    if not texts:
        raise ConfigError(f"--data: {path} holds no text; see livemind_app/training/texts.py for its fields")
    return Corpus(label, hashlib.sha256(data).hexdigest(), tuple(texts))


def _records(lines: Sequence[str]) -> Iterator[str]:
    records = (json.loads(line) for line in lines if line.strip())
    return (text_of(record) for record in records if record.get("ended") is not False)
