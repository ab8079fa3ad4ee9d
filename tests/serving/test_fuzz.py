"""schemathesis sends what the OpenAPI document allows, and what it does not: the server never fails.

LIVEMIND_FUZZ=500 pytest tests/serving/test_fuzz.py   more cases, other ones every time
"""

import os
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from livemind_app import serve
from livemind_app.config import Settings
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.sentence_vae.inspector import Returned
from livemind_app.serving.history import History
from livemind_app.serving.inspector_routes import inspector_router
from tests.serving.conftest import Gate, Service, running

CASES = int(os.environ.get("LIVEMIND_FUZZ", "0"))
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The whole program, as far as it needs no models."""
    history = History(str(tmp_path_factory.mktemp("history") / "h.sqlite"))
    engine = ScriptedEngine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serve, "_inspectors", lambda manager, settings: [inspector_router({"": Inspected()})])
        app = serve.create_app(Settings(max_sessions=10_000), engine, history)
    with running(app, engine, Gate()) as service:
        yield service


class Inspected:
    async def sentences(self, text: str) -> list[Returned]:
        return [Returned(text, text.upper(), 3, 2, [[0.5, -0.5]])]

    async def between(self, first: str, second: str) -> list[str]:
        return [first, second]


def test_no_request_makes_the_server_fail(fuzzed: Service) -> None:
    schema = schemathesis.openapi.from_url(f"{fuzzed.http.base_url}/openapi.json")
    # A stream of events does not end by itself; tests/serving/test_events.py reads it.
    operations = [found.ok() for found in schema.exclude(path_regex="/events$").get_all_operations()]
    paths = {operation.path for operation in operations}
    assert {"/api/benchmark", "/api/history", "/api/sentence-vae/sentences"} <= paths
    for operation in operations:
        fuzz(operation, fuzzed)


def fuzz(operation: schemathesis.APIOperation, service: Service) -> None:
    """Half of the cases are about a session that there is."""

    @given(operation.as_strategy(), st.booleans())
    @settings(
        max_examples=CASES or 25,
        derandomize=not CASES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def send(case: schemathesis.Case, made: bool) -> None:
        if made and "token" in case.path_parameters:
            case.path_parameters["token"] = service.create(mode="off")
        case.call_and_validate(checks=CHECKS)

    send()
