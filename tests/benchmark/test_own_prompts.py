"""The benchmark on prompts of a user's own, on a running server's engine; its routes."""

import asyncio
import io
import json
import threading
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from livemind_app.benchmark.typing.own_prompts import FAILED, OwnPrompts
from livemind_app.benchmark.typing.own_prompts_routes import own_prompts_router
from livemind_app.config import Settings
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.errors import BenchmarkRunning, ConfigError
from livemind_app.protocol import Request
from livemind_app.serving.access import Access
from livemind_app.serving.app import create_api
from livemind_app.session.manager import SessionManager
from tests.benchmark.scripted import FACTS, script

PROMPTS = [f"{FACTS}How many are left?", "Tom has three apples. And Ann?", "How many\nin all?"]
LANES = ["live", "conventional"]


@pytest.fixture
def engine() -> Any:
    engine = ScriptedEngine(script)
    yield engine
    engine.close()


async def ended(own: OwnPrompts) -> None:
    async with asyncio.timeout(60):
        while own.state == "running":
            await asyncio.sleep(0.01)


async def test_a_run_gives_the_report_of_the_typing_benchmark(engine: ScriptedEngine) -> None:
    own = OwnPrompts(SessionManager(engine), Settings())
    assert (own.state, own.report) == ("idle", b"")
    own.start(PROMPTS, {"lanes": LANES, "note_tokens": 16, "mode": "exact"}, "constant:300")
    await ended(own)
    assert own.status["error"] is None
    assert (own.state, own.status["done"], own.status["total"]) == ("done", 6, 6)
    assert {name: figures["n"] for name, figures in own.status["lanes"].items()} == dict.fromkeys(LANES, 3)
    with zipfile.ZipFile(io.BytesIO(own.report)) as archive:
        names = archive.namelist()
        figures = json.loads(archive.read("figures.json"))
        report = archive.read("report.md").decode()
        prompts = [json.loads(line)["prompt"] for line in archive.read("own/prompts.jsonl").splitlines()]
    assert prompts == PROMPTS
    assert {"report.md", "figures.json", "latency.svg"} <= set(names)
    assert figures["summary"]["lanes"] == own.status["lanes"]
    assert [record["kind"] for record in figures["records"]] == ["plain"] * 6
    assert "| live | 3 |" in report
    command = figures["meta"]["command"]
    assert command in report
    for words in (
        *("--data own/prompts.jsonl", "--lanes live,conventional", "--typist constant:300"),
        "--set note_tokens=16",
    ):
        assert words in command


async def test_one_run_at_a_time_and_a_cancelled_one_leaves_no_report() -> None:
    reached = threading.Event()

    def step(request: Request) -> None:
        reached.set()
        while not request.cancel.cancelled and not over.is_set():
            over.wait(0.01)

    over = threading.Event()
    engine = ScriptedEngine(script, step=step)
    own = OwnPrompts(SessionManager(engine), Settings())
    own.start(PROMPTS, {"lanes": LANES}, "constant")
    assert await asyncio.to_thread(reached.wait, 10)
    with pytest.raises(BenchmarkRunning):
        own.start(PROMPTS, {}, "constant")
    await own.cancel()
    over.set()
    assert (own.state, own.report) == ("cancelled", b"")
    own.start(PROMPTS[:1], {"lanes": ["slm"]}, "constant")
    await ended(own)
    assert own.state == "done"
    engine.close()


async def test_what_cannot_run_is_refused_at_once(engine: ScriptedEngine) -> None:
    own = OwnPrompts(SessionManager(engine), Settings())
    with pytest.raises(ConfigError):
        own.start(PROMPTS, {"lanes": ["fast"]}, "constant")
    assert own.state == "idle"


async def test_a_failure_is_told_without_a_prompt(
    engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(PROMPTS[0])

    monkeypatch.setattr(engine, "tokenizer", fail)
    own = OwnPrompts(SessionManager(engine), Settings())
    own.start(PROMPTS, {"lanes": LANES}, "constant")
    await ended(own)
    assert (own.state, own.status["error"]) == ("failed", FAILED)
    assert "RuntimeError" in caplog.text
    assert "apples" not in caplog.text


@pytest.fixture
async def api(engine: ScriptedEngine) -> AsyncIterator[Any]:
    """Clients by the address they come from."""
    manager = SessionManager(engine)
    own = OwnPrompts(manager, Settings())
    app = create_api(manager, others=[own_prompts_router(own)], access=Access())

    def client(address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    yield client
    await own.close()
    await manager.close()


async def test_the_routes(api: Any) -> None:
    async with api("127.0.0.1") as http:
        assert (await http.get("/api/benchmark")).json()["state"] == "idle"
        assert (await http.get("/api/benchmark/report")).status_code == 404
        body = {"prompts": PROMPTS, "options": {"lanes": LANES}, "chars_per_minute": 300}
        begun = await http.post("/api/benchmark", json=body)
        assert (begun.status_code, begun.json()["state"], begun.json()["total"]) == (202, "running", 6)
        again = await http.post("/api/benchmark", json=body)
        assert (again.status_code, again.json()["error"]["code"]) == (409, "benchmark_running")
        while (status := (await http.get("/api/benchmark")).json())["state"] == "running":
            await asyncio.sleep(0.01)
        assert status["state"] == "done"
        report = await http.get("/api/benchmark/report")
        described = (await http.get("/openapi.json")).json()["paths"]["/api/benchmark/report"]["get"]
        assert list(described["responses"]["200"]["content"]) == [report.headers["content-type"]]
        assert zipfile.ZipFile(io.BytesIO(report.content)).testzip() is None
        assert (await http.delete("/api/benchmark")).json()["state"] == "done"
        assert (await http.put("/api/benchmark")).status_code == 405


@pytest.mark.parametrize("prompts", [[], ["  "], ["x" * 20_001], ["x"] * 201, "x"])
async def test_prompts_that_cannot_be_typed_are_refused(api: Any, prompts: Any) -> None:
    async with api("127.0.0.1") as http:
        refused = await http.post("/api/benchmark", json={"prompts": prompts})
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_request")


async def test_nobody_else_may_run_it(api: Any) -> None:
    async with api("203.0.113.1") as http:
        assert (await http.get("/api/benchmark")).json()["state"] == "unavailable"
        for method, path in (("POST", ""), ("DELETE", ""), ("GET", "/report")):
            refused = await http.request(method, f"/api/benchmark{path}", json={"prompts": ["x"]})
            assert refused.status_code == 403
