import argparse
import subprocess
import sys

import pytest

from livemind_app.engine import models_cli
from livemind_app.engine.models.catalogue import CATALOGUE, PRESETS, Entry, Preset
from livemind_app.errors import ModelError, UnknownModel
from tests.models.conftest import Pip


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    models_cli.add_arguments(parser)
    return models_cli.run(parser.parse_args(arguments))


def test_list_shows_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["MODEL", "PRESETS", "SIZE", "LICENCE", "STATE", "PATH"]
    assert [row.split()[0] for row in rows] == list(CATALOGUE)
    assert "small (slm), tiny (llm+slm)" in rows[0]
    assert all("missing" in row and "Apache-2.0" in row for row in rows)


def test_a_cache_that_cannot_be_used_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEMIND_CACHE", "/dev/null/x")
    with pytest.raises(
        ModelError, match=r"^/dev/null/x/models cannot be used \(Not a directory\).*LIVEMIND_CACHE"
    ):
        run("fetch", "tiny")


def test_list_shows_where_a_model_lies(toy: Entry, capsys: pytest.CaptureFixture[str]) -> None:
    run("list")
    assert "toy.gguf" in capsys.readouterr().out
    run("fetch", "toy")
    capsys.readouterr()
    run("list")
    row = capsys.readouterr().out.splitlines()[-1].split()
    assert row[-2] == "converted"
    assert row[-1].endswith("bf16")


def test_fetch_takes_presets_and_models(
    toy: Entry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(PRESETS, "toys", Preset("toys", llm="toy", slm="toy"))
    assert run("fetch", "toys", "toy") == 0
    out = capsys.readouterr().out
    assert out.count("toy is ready in") == 1


def test_a_wrong_name_is_an_error_for_the_command_line() -> None:
    with pytest.raises(UnknownModel):
        run("fetch", "gpt-9")


def test_the_bar_counts_each_stage_anew(
    fake: Entry, pip: Pip, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from livemind_app.engine.models.progress import Progress

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with models_cli._bar() as report:
        report(Progress(10, 100, "part 1"))
        report(Progress(90, 100, "part 2"))
        report(Progress(0, 100, "joining"))
        report(Progress(5, 50, "converting"))
    shown = capsys.readouterr().err
    assert "part 2:  90%" in shown
    assert "joining:   0%" in shown
    assert "converting:  10%" in shown


def test_help_is_fast_because_it_imports_nothing_heavy() -> None:
    code = (
        "import argparse, sys; from livemind_app.engine import models_cli\n"
        "parser = argparse.ArgumentParser(); models_cli.add_arguments(parser); parser.format_help()\n"
        "assert not {'torch', 'transformers', 'huggingface_hub', 'tqdm', 'filelock'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
