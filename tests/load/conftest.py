"""The gates of load and faults. Short by default; LIVEMIND_LOAD=full makes them long and looks at times too.

Short ones say nothing about speed: they hold on a machine that is busy with other things.
"""

import os
from collections.abc import Iterator

import pytest

from tests.serving.conftest import Service, serving

FULL = os.environ.get("LIVEMIND_LOAD") == "full"
SECONDS = float(os.environ.get("LIVEMIND_LOAD_SECONDS", "600"))  # of what takes long in a full run


def told(**figures: object) -> None:
    """Print figures, for `make test-load`."""
    print("\n" + "  ".join(f"{name}={value}" for name, value in figures.items()))


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serving() as running:
        yield running
