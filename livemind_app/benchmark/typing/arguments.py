"""Arguments that the typing benchmark and the sweep share."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livemind_app.errors import ConfigError

FILES = ("draft_text", "adapter", "sentence_vae")  # settings that name a file or a folder of checkpoints
MODELS = ("preset", "llm", "slm", "dtype", "weights", "prefill", "drafts", *FILES)


def add_common(parser: argparse.ArgumentParser) -> None:
    """What to measure with and on, and where to."""
    add = parser.add_argument
    add("--preset", metavar="base|small|tiny", help="models by size")
    add("--llm", metavar="MODEL", help="replaces the preset's large model")
    add("--slm", metavar="MODEL", help="replaces the preset's small model")
    add("--dtype", metavar="auto|bfloat16|float32", help="what to compute in (default: auto)")
    add("--weights", metavar="FORMAT", help="how weights lie in memory, as of `livemind serve`")
    add("--prefill", metavar="auto|plain|packed", help="what prefill reads, as of `livemind serve`")
    add("--adapter", metavar="FOLDER", help="of `livemind train llm-to-slm`, as of `livemind serve`")
    add("--sentence-vae", metavar="FOLDER", help="with codec/, sllm/ and hybrid/, as of `livemind serve`")
    add("--drafts", metavar="own|shared", help="whose texts are drafted from, as of `livemind serve`")
    add("--draft-text", metavar="FILE", help="that lookahead drafts from, as of `livemind serve`")
    add(
        "--data",
        default="",
        metavar="FILE[,FILE]",
        help="JSON Lines, or ORG/NAME of the hub (default: own)",
    )
    add("--limit", type=int, metavar="N", help="questions of each file (default: all)")
    add("--half", choices=("all", "even", "odd"), default="all", help="records with these indices only")
    add("--min-sentences", type=int, default=1, metavar="N", help="leave shorter questions out")
    add("--seed", type=int, default=0, metavar="S", help="which questions, which keystrokes (default: 0)")
    add("--typist", default="constant", metavar="T", help="constant[:SPEED], lognormal or trace:FILE[#TRACE]")
    add("--clock", choices=("virtual", "real"), default="virtual", help="virtual: typing costs no real time")
    add("--set", action="append", default=[], metavar="OPTION=VALUE", help="a session option, in all lanes")
    add("--report", type=Path, metavar="FOLDER", help="write a report with plots there")
    add("--json", required=True, metavar="OUT", help="where to write the figures")
    add("--resume", action="store_true", help="go on with a run to the same OUT that was stopped")


def options_of(pairs: Sequence[str]) -> dict[str, Any]:
    """
    >>> options_of(["format=u-pi", "note_tokens=64", "think_threshold=0.5"])
    {'format': 'u-pi', 'note_tokens': 64, 'think_threshold': 0.5}
    """
    changes = {}
    for pair in pairs:
        name, given, value = pair.partition("=")
        if not given:
            raise ConfigError(f"--set is {pair!r}, but must be OPTION=VALUE")
        changes[name] = _value(value)
    return changes


def _value(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw
