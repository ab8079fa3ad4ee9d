"""The audit of what is pinned, with a pip-audit that says what it is told to."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "audit.py"
FAKE = """#!{python}
import sys
answer, status = {answer!r}, {status}
if answer is None:
    sys.exit("Could not connect to the feed")
open(sys.argv[sys.argv.index("--output") + 1], "w").write(answer)
sys.exit(status)
"""
SAFE: dict[str, Any] = {"name": "safe", "version": "1.0", "vulns": []}
UNSAFE = {"name": "bad", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "odd", "skip_reason": "Dependency not found"}


def audit(folder: Path, found: list[dict[str, Any]] | None, *options: str) -> tuple[int, str]:
    """Status, and what is said, where pip-audit finds this; None: it finds no database."""
    tool = folder / "bin" / "pip-audit"
    tool.parent.mkdir()
    answer = None if found is None else json.dumps({"dependencies": found})
    status = int(any(one.get("vulns") for one in found or ()))
    tool.write_text(FAKE.format(python=sys.executable, answer=answer, status=status))
    tool.chmod(0o755)
    command = [sys.executable, str(SCRIPT), "--venv", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("options", [(), ("--where-reachable",)], ids=str)
@pytest.mark.parametrize(
    ("found", "status", "told"),
    [
        ([SAFE], 0, "No known vulnerability in 1 pinned packages"),
        ([SAFE, UNSAFE], 1, "bad 2.0: PYSEC-1, fixed in 2.1"),
        ([SAFE, UNKNOWN], 1, "odd: Dependency not found"),
    ],
    ids=["safe", "unsafe", "unknown"],
)
def test_what_is_found_is_told(
    tmp_path: Path, found: list[dict[str, Any]], status: int, told: str, options: tuple[str, ...]
) -> None:
    returned, said = audit(tmp_path, found, *options)
    assert returned == status
    assert told in said


@pytest.mark.parametrize(("options", "status"), [((), 2), (("--where-reachable",), 0)], ids=str)
@pytest.mark.parametrize(
    ("found", "told"),
    [(None, "Could not connect to the feed"), ([UNKNOWN], "knows none")],
    ids=["off", "mirror"],
)
def test_a_database_that_cannot_be_asked_is_told(
    tmp_path: Path, found: list[dict[str, Any]] | None, told: str, options: tuple[str, ...], status: int
) -> None:
    returned, said = audit(tmp_path, found, *options)
    assert returned == status
    assert said.startswith("No audit: ")
    assert told in said


def test_without_a_network_it_says_so_and_leaves_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "venv"
    command = [sys.executable, str(SCRIPT), "--venv", str(folder), "--where-reachable"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, folder.exists()) == (0, False)
    assert "pip-audit could not be installed" in done.stderr
