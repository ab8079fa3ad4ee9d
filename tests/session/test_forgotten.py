"""On models: nothing of what was typed stays in caches or in what lookahead learned; caches have a limit."""

import asyncio
import gc
import time
from collections.abc import Iterator, Sequence

import pytest

from livemind_app.decoding.lookahead.drafter import Drafter
from livemind_app.engine.cache import KVCache
from livemind_app.engine.local import LocalEngine
from livemind_app.engine.lookahead import with_lookahead
from livemind_app.errors import SessionNotFound
from livemind_app.protocol import Chunk, Request
from livemind_app.serving.metrics import ServerMetrics
from livemind_app.session import Limits, Session, SessionManager
from tests.llm_to_slm import tiny
from tests.session.conftest import turn_done, until

pytestmark = pytest.mark.usefixtures("only_what_is_new")
WAIT_S = 20.0
SECRET = "Violet walrus 4711."
LANES = ["live", "exact", "conventional", "slm"]


def made(cache_bytes: int = 2**30) -> LocalEngine:
    model = with_lookahead(tiny.writer())
    engine = LocalEngine(lambda report: {"llm": model, "slm": model}, cache_bytes)
    engine.wait()
    return engine


@pytest.fixture
def engine() -> Iterator[LocalEngine]:
    engine = made()
    yield engine
    engine.close()


def within(secret: Sequence[int], ids: Sequence[object]) -> bool:
    return any(tuple(ids[at : at + len(secret)]) == secret for at in range(len(ids) - len(secret) + 1))


def held(secret: tuple[int, ...]) -> dict[str, int]:
    """Caches, what lookahead learned of a text, and ids of the secret, anywhere in this process."""
    found = {"caches": 0, "drafts": 0, "ids": 0}
    for tracked in gc.get_objects():
        found["caches"] += isinstance(tracked, KVCache)
        found["drafts"] += isinstance(tracked, Drafter)
        values = [tracked, *(v for v in gc.get_referents(tracked) if type(v) in (list, tuple))]
        found["ids"] += sum(within(secret, v) for v in values if type(v) in (list, tuple) and v is not secret)
    return found


async def type_and_ask(session: Session) -> None:
    session.draft(1, f"{SECRET} And")
    await session.settled()
    session.submit(2, f"{SECRET} And then?")
    await until(session, turn_done, timeout=60)
    session.draft(3, f"{SECRET} Or")
    await session.settled()


@pytest.mark.parametrize("mode", ["infer", "draft"])
@pytest.mark.parametrize("end", ["expiry", "delete", "clear"])
async def test_models_forget_what_was_typed(engine: LocalEngine, end: str, mode: str) -> None:
    secret = engine.tokenizer("llm").encode(SECRET)[1:-1]  # the ends may join what is around
    manager = SessionManager(engine, Limits(idle_s=0.001) if end == "expiry" else Limits())
    token = manager.create({"mode": mode, "lanes": LANES, "max_tokens": 8}).token
    await type_and_ask(manager.get(token))
    assert all(held(secret).values())  # the search finds all of them while they are there
    assert engine.usage().cache_bytes > 0
    if end == "expiry":
        await expired(manager, token)
    elif end == "delete":
        await manager.delete(token)
    else:
        manager.get(token).clear()
    deadline = time.monotonic() + WAIT_S
    while engine.usage().cache_bytes or any(held(secret).values()):
        assert time.monotonic() < deadline, held(secret)
        await asyncio.sleep(0.01)
        gc.collect()
    await manager.close()


async def expired(manager: SessionManager, token: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        manager.create()  # expiry is looked at here, and twice a minute
        try:
            manager.get(token)
        except SessionNotFound:
            return
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def figures(metrics: ServerMetrics) -> dict[str, float]:
    response = await metrics.respond(None)  # type: ignore[arg-type]
    lines = (line.split() for line in bytes(response.body).decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def asked(engine: LocalEngine, session: str) -> int:
    """Bytes of one prompt's cache at rest. All sessions ask as much."""
    ids = engine.tokenizer("llm").render(tiny.chat("How many are left?"))
    assert list(engine.generate(Request(ids, "llm", 4, session=session, cache_key="x")))
    return engine.usage().cache_bytes


def cached(engine: LocalEngine, session: str) -> int:
    """Tokens that a session's cache still has of that prompt; looking moves it to the newest."""
    ids = engine.tokenizer("llm").render(tiny.chat("How many are left?"))
    *_, finished = engine.generate(Request(ids, "llm", 0, session=session, cache_key="x"))
    assert not isinstance(finished, Chunk)
    return finished.cached_tokens


async def test_metrics_tell_the_bytes_of_caches_and_which_had_to_go() -> None:
    one = made()
    size = asked(one, "a")
    one.close()
    engine = made(cache_bytes=size * 5 // 2)  # room for two
    manager = SessionManager(engine)
    metrics = ServerMetrics(manager)
    assert (await figures(metrics))["livemind_cache_bytes"] == 0
    for session in ("a", "b"):
        asked(engine, session)
    now = await figures(metrics)
    assert (now["livemind_cache_bytes"], now["livemind_cache_evictions_total"]) == (2 * size, 0)
    assert cached(engine, "a") > 0
    asked(engine, "c")
    now = await figures(metrics)
    assert (now["livemind_cache_bytes"], now["livemind_cache_evictions_total"]) == (2 * size, 1)
    assert cached(engine, "a") > 0
    assert cached(engine, "c") > 0
    assert cached(engine, "b") == 0  # used longest ago
    assert (await figures(metrics))["livemind_cache_evictions_total"] == 2
    for session in ("a", "b", "c"):
        engine.forget(session)
    assert engine.compute(lambda models: True).result(timeout=WAIT_S)
    assert (await figures(metrics))["livemind_cache_bytes"] == 0
    await manager.close()
    engine.close()
