"""The real small model, loaded once for each format of its weights: a whole suite's engines."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from livemind_app.engine.loading import load_engine
from livemind_app.engine.remote.limits import RemoteLimits
from livemind_app.engine.split import OwnedEngine
from tests.engine.remote.fake_openai import FakeServer, serving

FORMATS: dict[str, dict[str, Any]] = {
    "float32": {"dtype": "float32"},
    "int8": {"weights": "int8"},
    "int4": {"weights": "int4"},
    "gguf": {"weights": "gguf"},
    "gguf, all packed": {"weights": "gguf", "prefill": "packed"},
}
REMOTE = "behind a server"
ENGINES = (*FORMATS, REMOTE)


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[OwnedEngine]:
    with remote() if request.param == REMOTE else local(**FORMATS[request.param]) as engine:
        yield engine


@contextmanager
def local(**options: Any) -> Iterator[OwnedEngine]:
    with closing(load_engine("tiny", **options)) as engine:
        engine.wait()
        yield engine


@contextmanager
def remote() -> Iterator[OwnedEngine]:
    """An engine on a server on an engine."""
    with local(dtype="float32") as behind, serving(FakeServer(behind, "smollm2-135m").app) as url:
        name, patient = f"{url}/v1#smol", RemoteLimits(alive_s=60.0)  # a model takes this machine for seconds
        with closing(load_engine(llm=name, slm=name, remote_limits=patient)) as engine:
            engine.wait()
            yield engine
