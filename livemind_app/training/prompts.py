"""Prompts from files of JSON Lines, gzip or plain; what a record is can be told from its fields.

| fields | prompt | reference |
|---|---|---|
| question, answer | the question | the answer; a number where it ends with `#### number` |
| instruction, context or input, response or output | in paragraphs | the response |
| source, target | the sentences to summarize | the first target |
| document, questions | the document and one of its questions | the first response |
| query, context, answer | the context and the query | the answer |
| prompt | itself | none |
"""

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from livemind_app.errors import ConfigError
from livemind_app.protocol import Message

SYSTEM = "You are a helpful assistant. Solve the problem by thinking step by step."  # the app's own
SUMMARIZE = "Summarize this text in one sentence."
HELD_OUT = 1 / 16  # of all prompts, told by their hashes


@dataclass(frozen=True)
class Prompt:
    """`id` is of the text, so the same text is the same prompt in whatever file it stands."""

    text: str
    source: str  # the file's last two names
    reference: str = ""
    number: bool = False  # the reference ends with one

    @property
    def id(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @property
    def held_out(self) -> bool:
        return int(self.id[:4], 16) < HELD_OUT * 0x10000

    @property
    def messages(self) -> list[Message]:
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": self.text}]


def read(paths: Sequence[Path]) -> tuple[list[Prompt], dict[str, str]]:
    """All prompts, each once, and the files' hashes. Raises ConfigError for what cannot be read."""
    prompts: dict[str, Prompt] = {}
    hashes = {}
    for path in paths:
        label = "/".join(path.parts[-2:])
        hashes[label], records = _records(path)
        found = [prompt for record in records for prompt in prompts_of(record, label)]
        if not found:
            raise ConfigError(
                f"--data: {path} holds no prompt; docs/llm_to_slm.md says which fields are read"
            )
        prompts.update({prompt.id: prompt for prompt in found})
    return list(prompts.values()), hashes


def sample(prompts: Sequence[Prompt], limit: int | None, seed: int) -> list[Prompt]:
    """The same seed gives the same order whatever the limit; sources alternate as they are mixed."""
    chosen = sorted(prompts, key=lambda prompt: prompt.id)
    Random(seed).shuffle(chosen)  # noqa: S311 - a sample, no secret
    return chosen[:limit]


def prompts_of(record: dict[str, Any], source: str) -> Iterator[Prompt]:
    r"""
    >>> next(prompts_of({"question": "1 + 1?", "answer": "1 + 1 = 2\n#### 2"}, "x")).number
    True
    """
    if "query" in record:
        yield Prompt("\n".join([*record["context"], "", record["query"]]).strip(), source, record["answer"])
    elif "document" in record:
        for item in record["questions"]:
            yield Prompt(f"{record['document'].strip()}\n\n{item['question']}", source, item["responses"][0])
    elif "target" in record:
        target = record["target"] if isinstance(record["target"], str) else record["target"][0]
        yield Prompt(f"{SUMMARIZE}\n\n{' '.join(record['source'])}", source, target)
    elif "instruction" in record:
        given = record.get("context") or record.get("input") or ""
        text = "\n\n".join(part.strip() for part in (record["instruction"], given) if part.strip())
        yield Prompt(text, source, record.get("response") or record.get("output") or "")
    elif "question" in record and isinstance(record["answer"], str) and "options" not in record:
        yield Prompt(record["question"].strip(), source, record["answer"], "####" in record["answer"])
    elif "prompt" in record:
        yield Prompt(record["prompt"].strip(), source)


def _records(path: Path) -> tuple[str, list[dict[str, Any]]]:
    try:
        data = path.read_bytes()
        raw = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        lines = raw.decode("utf-8").split("\n")  # not splitlines: U+2028 inside a text is no line's end
        return hashlib.sha256(data).hexdigest(), [json.loads(line) for line in lines if line.strip()]
    except (OSError, EOFError, ValueError) as error:
        raise ConfigError(f"--data: cannot read {path} ({type(error).__name__}: {error})") from error
