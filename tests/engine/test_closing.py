"""An engine that is closed while its models are still coming."""

import threading
from collections.abc import Iterator

import pytest

from livemind_app.engine.local import LocalEngine, Models, Report
from livemind_app.errors import EngineError
from livemind_app.protocol import ModelStatus, Request


class Coming:
    """A loader that fetches, then loads, each until the test lets it go on."""

    def __init__(self) -> None:
        self.fetching, self.fetched = threading.Event(), threading.Event()
        self.loading, self.loaded = threading.Event(), threading.Event()

    def __call__(self, report: Report) -> Models:
        report(ModelStatus("llm", "big", "fetching", 0.1))
        self.fetching.set()
        self.fetched.wait()
        report(ModelStatus("llm", "big", "loading"))
        self.loading.set()
        self.loaded.wait()
        return {}


@pytest.fixture
def coming() -> Iterator[Coming]:
    coming = Coming()
    yield coming
    coming.fetched.set()
    coming.loaded.set()


def test_a_download_is_not_waited_for_and_nothing_is_loaded_after_it(coming: Coming) -> None:
    engine = LocalEngine(coming, roles=["llm"])
    coming.fetching.wait()
    engine.close()
    assert not coming.fetched.is_set()
    coming.fetched.set()
    with pytest.raises(EngineError, match="closed"):
        engine.wait()
    assert not coming.loading.is_set()
    with pytest.raises(EngineError):
        list(engine.generate(Request((1,), "llm", 4)))


def test_weights_that_are_read_are_waited_for(coming: Coming) -> None:
    engine = LocalEngine(coming, roles=["llm"])
    coming.fetched.set()
    coming.loading.wait()
    closing = threading.Thread(target=engine.close)
    closing.start()
    closing.join(0.3)
    assert closing.is_alive()
    coming.loaded.set()
    closing.join(10)
    assert not closing.is_alive()
