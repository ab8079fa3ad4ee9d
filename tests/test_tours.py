"""The examples of README.md and docs/tours.md run as they stand there."""

import re
from pathlib import Path
from typing import Any

import pytest

import livemind_app
from livemind_app.engine.scripted import ScriptedEngine

ROOT = Path(__file__).parents[1]


def example(document: str, word: str) -> str:
    """The one example that has this word in it."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (found,) = [code for code in blocks if word in code]
    return found


@pytest.mark.parametrize("document", ["README.md", "docs/tours.md"])
def test_the_engine_in_ones_own_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], document: str
) -> None:
    asked: list[str] = []

    def load_engine(preset: str) -> Any:
        asked.append(preset)
        return ScriptedEngine(lambda role, prompt: "Seven." if "many has he now?" in prompt else "noted")

    monkeypatch.setattr(livemind_app, "load_engine", load_engine)
    code = example(document, "load_engine")
    exec(compile(code, document, "exec"), {"__name__": "__main__"})
    assert asked == ["tiny"]
    assert capsys.readouterr().out == "Seven.\n"
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
