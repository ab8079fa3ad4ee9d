"""A benchmark on the scripted engine; as a command it kills itself, for the test of resuming."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from livemind_app.benchmark.typing.clock import VirtualClock
from livemind_app.benchmark.typing.datasets import Question
from livemind_app.benchmark.typing.lanes import LANES
from livemind_app.benchmark.typing.records import Record, Records
from livemind_app.benchmark.typing.run import Bench, measure
from livemind_app.benchmark.typing.typists import Constant
from livemind_app.engine.scripted import ScriptedEngine

FACTS = "Tom has three apples. Ann gives him four more. He eats two of them. "
QUESTIONS = tuple(
    Question(f"q{number}", "gsm8k", f"{FACTS * number}How many are left?", form="number", key="5")
    for number in range(1, 4)
)
SETTINGS = {"seed": 0}


def script(role: str, prompt: str) -> str:
    """A note that says something new, or an answer that is shorter for every note."""
    if prompt.endswith("Note:"):
        return "therefore seven"
    return "so " * max(8 - 2 * prompt.count("therefore seven"), 0) + "he has 5"


def bench(*lanes: str, **changes: Any) -> Bench:
    chosen = [LANES[name] for name in lanes or ("live", "conventional", "slm")]
    values = {"typist": Constant(), "clock": VirtualClock(), "questions": QUESTIONS} | changes
    return Bench(lanes=chosen, **values)


def run(
    bench: Bench, path: Path, *, resume: bool = False, engine: ScriptedEngine | None = None
) -> list[Record]:
    """The records that were measured now, in their order."""
    made = engine or ScriptedEngine(script)
    new: list[Record] = []
    try:
        with Records(path, SETTINGS, resume=resume) as journal:
            asyncio.run(measure(made, bench, journal, new.append))
    finally:
        made.close()
    return new


def main() -> None:
    """Die in the middle of the answer that comes after so many finished ones."""
    path, survived = Path(sys.argv[1]), int(sys.argv[2])

    def step(request: Any) -> None:
        finished = path.exists() and path.read_text().count("\n") - 1  # the first line is the settings
        if request.session and request.max_tokens and finished >= survived:
            os.kill(os.getpid(), signal.SIGKILL)

    run(bench(), path, engine=ScriptedEngine(script, step=step))


if __name__ == "__main__":
    main()
