"""What is asked: questions from files, and copying tasks made of Python's own library."""

import ast
import hashlib
import importlib
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from livemind_app.benchmark.typing import datasets
from livemind_app.benchmark.typing.datasets import Question
from livemind_app.text.segment import segment

MODULES = (
    "ast", "argparse", "bisect", "calendar", "cmd", "colorsys", "configparser", "csv", "dataclasses",
    "difflib", "fnmatch", "fractions", "functools", "gettext", "glob", "heapq", "html", "inspect",
    "ipaddress", "json.decoder", "json.encoder", "linecache", "locale", "mimetypes", "numbers",
    "optparse", "pathlib", "pprint", "queue", "random", "sched", "shlex", "shutil", "statistics",
    "string", "tempfile", "textwrap", "tokenize", "traceback", "types", "uuid", "zipfile",
)  # fmt: skip
LINES = (8, 30)  # of a function
CHARACTERS = (250, 900)  # of a text to correct
RENAME = "Rename `{0}` to `the_{0}` in this function and change nothing else. Answer with the code only."
CORRECT = "Correct the spelling of this text and change nothing else. Answer with the corrected text only."
STEPS = "\nThink step by step."
NOTES = "notes:"


@dataclass(frozen=True)
class Prompt:
    """One request; `dataset` says which table it counts in."""

    id: str
    dataset: str
    text: str
    noted: bool = False  # as the output stage of the live lanes: behind notes on its sentences


def load(names: Sequence[str], limit: int, warm: int, seed: int) -> tuple[list[Prompt], list[Prompt]]:
    """`limit` prompts of each set to measure and `warm` others to learn from; ConfigError for a bad file.

    A greater limit only adds prompts.
    """
    measured: list[Prompt] = []
    learned: list[Prompt] = []
    for name in names:
        prompts = list(_made(name)) if name in _MADE else _of_file(name)
        Random(f"{seed}:{name}").shuffle(prompts)  # noqa: S311 - a sample, no secret
        learned += prompts[:warm]
        measured += prompts[warm : warm + limit]
    return measured, learned


def hashes(names: Sequence[str]) -> dict[str, str]:
    """Of all that each set may ask: a file elsewhere, or another Python's library, is another set."""
    found = {}
    for name in names:
        prompts = _made(name) if name in _MADE else _of_file(name)
        asked = json.dumps([(prompt.id, prompt.text) for prompt in prompts])
        found[prompts[0].dataset if prompts else name] = hashlib.sha256(asked.encode()).hexdigest()
    return found


@cache
def _made(name: str) -> tuple[Prompt, ...]:
    return tuple(_MADE[name]())


def _of_file(name: str) -> list[Prompt]:
    path = name.removeprefix(NOTES)
    (source,) = datasets.load([Path(path)])
    if path == name:
        return [Prompt(q.id, source.label, _asked(q)) for q in source.questions]
    asked = [q for q in source.questions if len(segment(q.prompt)) > 1]
    return [Prompt(NOTES + q.id, NOTES + source.label, q.prompt, noted=True) for q in asked]


def _asked(question: Question) -> str:
    return question.prompt if question.kind in ("meeting", "plain") else question.prompt + STEPS


def code_edits() -> Iterator[Prompt]:
    """A name changed throughout a function."""
    for module, source in _sources():
        lines = source.split("\n")
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.FunctionDef):
                continue
            code = textwrap.dedent("\n".join(lines[node.lineno - 1 : node.end_lineno]))
            old = next((arg.arg for arg in node.args.args if arg.arg not in ("self", "cls")), None)
            if old and LINES[0] <= code.count("\n") + 1 <= LINES[1]:
                text = f"{RENAME.format(old)}\n\n```python\n{code}\n```"
                yield Prompt(f"{module}:{node.lineno}", "code-edits", text)


def corrections() -> Iterator[Prompt]:
    """Spelling mistakes put into a paragraph of documentation."""
    for module, source in _sources():
        for number, node in enumerate(ast.walk(ast.parse(source))):
            if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                continue
            text = " ".join((ast.get_docstring(node) or "").split())
            if CHARACTERS[0] <= len(text) <= CHARACTERS[1] and ">>>" not in text:
                yield Prompt(f"{module}#{number}", "corrections", f"{CORRECT}\n\n{_misspelled(text)}")


def _misspelled(text: str) -> str:
    """Two letters exchanged in every eighth longer word."""
    count = 0

    def spell(match: re.Match[str]) -> str:
        nonlocal count
        word, count = match[0], count + 1
        return word if count % 8 else word[0] + word[2] + word[1] + word[3:]

    return re.sub(r"[A-Za-z]{5,}", spell, text)


def _sources() -> Iterator[tuple[str, str]]:
    for module in MODULES:
        yield module, inspect.getsource(importlib.import_module(module))


_MADE: dict[str, Callable[[], Iterator[Prompt]]] = {"code-edits": code_edits, "corrections": corrections}
