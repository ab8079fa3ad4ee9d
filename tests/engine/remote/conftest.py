from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from livemind_app.engine.loading import load_engine
from livemind_app.engine.remote.limits import RemoteLimits
from livemind_app.engine.split import OwnedEngine
from tests.engine.remote.echo import ROOT, Echo
from tests.engine.remote.fake_openai import FakeServer, Faults, serving

PATIENT = {"alive_s": 60.0}  # a machine may be busy with other tests


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with closing(Echo()) as engine:
        yield FakeServer(engine, ROOT)


@pytest.fixture
def faults(server: FakeServer) -> Faults:
    return server.faults


@contextmanager
def connected(server: FakeServer, **limits: Any) -> Iterator[OwnedEngine]:
    """Both roles on this server, which remembers what it is asked from now on."""
    with serving(server.app) as url:
        name = f"{url}/v1#smol"
        options: dict[str, Any] = {"api_key": "k", "affinity_header": "X-User"}
        with closing(
            load_engine(llm=name, slm=name, remote_limits=RemoteLimits(**limits), **options)
        ) as engine:
            engine.wait()
            server.faults.bodies.clear()
            server.faults.headers.clear()
            yield engine


@pytest.fixture
def engine(server: FakeServer) -> Iterator[OwnedEngine]:
    with connected(server) as engine:
        yield engine
