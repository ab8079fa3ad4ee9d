"""Known vulnerabilities in what is pinned.

    python scripts/audit.py                     # `make audit`
    python scripts/audit.py --where-reachable   # in CI: a database out of reach is no failure

pip-audit looks them up, in a venv of its own. Ends with 1 where there are some, or where the database does
not know a package; with 2 where nothing could be looked up.
"""

import argparse
import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parent.parent
TOOL = "pip-audit==2.10.1"
CONNECT_S = 5
FETCH_S, LOOK_S = 120, 300  # where there is a network; without one both end at once

Pins = list[dict[str, Any]]


class Unreachable(Exception):
    """Nothing could be looked up; the message says why."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--where-reachable", action="store_true", help="without the database all is well")
    parser.add_argument("--pins", type=Path, default=ROOT / "constraints.txt", metavar="FILE")
    parser.add_argument(
        "--venv", type=Path, default=ROOT / ".venv-audit", metavar="FOLDER", help="of pip-audit"
    )
    args = parser.parse_args(argv)
    try:
        found = look_up(fetched(args.venv), args.pins)
    except Unreachable as reason:
        print(f"No audit: {reason}", file=sys.stderr)
        return 0 if args.where_reachable else 2
    for line in told(found):
        print(line, file=sys.stderr)
    if any(map(bad, found)):
        return 1
    print(f"No known vulnerability in {len(found)} pinned packages.")
    return 0


def fetched(folder: Path) -> Path:
    """pip-audit in a venv, which is made where it is not there or only half."""
    tool = folder / "bin" / "pip-audit"
    if not tool.exists():
        venv.create(folder, clear=True, with_pip=True)
        pip = [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
        try:
            run([*pip, "--retries", "0", "--timeout", str(CONNECT_S), TOOL], FETCH_S, check=True)
        except subprocess.SubprocessError:
            shutil.rmtree(folder)
            raise Unreachable("pip-audit could not be installed; is there a network?") from None
    return tool


def look_up(tool: Path, pins: Path) -> Pins:
    """What is known of each pinned package."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "audit.json"
        command = [tool, "--requirement", pins, "--no-deps", "--disable-pip", "--progress-spinner", "off"]
        try:
            done = run([*command, "--timeout", str(CONNECT_S), "--format", "json", "--output", out], LOOK_S)
        except subprocess.TimeoutExpired:
            raise Unreachable(f"the database did not answer within {LOOK_S} s") from None
        if not out.exists():
            reason = (done.stderr.strip() or "it says nothing").splitlines()[-1]
            raise Unreachable(f"the database could not be asked ({reason})")
        found: Pins = json.loads(out.read_text())["dependencies"]
    if all("skip_reason" in one for one in found):
        raise Unreachable("the database knows none of the packages; a mirror may have no vulnerabilities")
    return found


def run(command: Sequence[Any], seconds: float, *, check: bool = False) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=check)


def bad(one: dict[str, Any]) -> bool:
    return "skip_reason" in one or bool(one["vulns"])


def told(found: Pins) -> list[str]:
    """A line for each vulnerability, and for each package that nothing is known of."""
    unknown = [f"{one['name']}: {one['skip_reason']}" for one in found if "skip_reason" in one]
    known = [(one, each) for one in found for each in one.get("vulns", ())]
    return unknown + [
        f"{one['name']} {one['version']}: {each['id']}, fixed in {', '.join(each['fix_versions']) or 'none'}"
        for one, each in known
    ]


if __name__ == "__main__":
    sys.exit(main())
