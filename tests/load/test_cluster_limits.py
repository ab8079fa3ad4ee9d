"""A cluster that has too much to do, and one that is told to stop."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from tests.load.clusters import NEEDED, START_S, Cluster, starting
from tests.load.conftest import told
from tests.load.replica import PROCESS
from tests.serving.conftest import parse, refusal, until

pytestmark = NEEDED
TEXT = "Tom has three apples. Ann gives him four more. How many has he now?"


def test_answers_are_finished_at_sigterm_and_nothing_new_is_taken(tmp_path: Path) -> None:
    gate = tmp_path / "go"
    with starting("--gate", str(gate), "--max-answers", "1", "--drain-s", "300") as cluster:
        (asked, token), (_, other) = cluster.both().items()
        stream = cluster.http.stream("GET", f"/api/sessions/{token}/events")
        with stream as response:
            frames = parse(response.iter_lines())
            assert cluster.submit(token, 1, TEXT).status_code == 202
            until(frames, "lane", status="running")
            crowded = beside(cluster, asked)
            overloaded = cluster.submit(crowded, 1, TEXT)
            assert refusal(overloaded) == (429, "overloaded")
            cluster.process.send_signal(signal.SIGTERM)
            refused = [overloaded, unready(cluster.http), cluster.submit(other, 1, TEXT), cluster.begin()]
            assert [refusal(each) for each in refused[2:]] == 2 * [(503, "draining")]
            assert all(int(each.headers["retry-after"]) > 0 for each in refused)
            assert cluster.draft(crowded, 2, TEXT[:20]).status_code == 202
            gate.touch()
            seen = until(frames, "turn", done=True)
            assert any(frame.event == "lane" and frame.data["status"] == "done" for frame in seen)
            assert list(frames) == []  # the stream ends as it should, and is not cut
        began = time.monotonic()
        assert cluster.process.wait(120) == 0
        told(gone_after_s=round(time.monotonic() - began, 1))


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    with starting("--gate", str(tmp_path / "never"), "--replicas", "1", "--drain-s", "300") as cluster:
        token, _ = cluster.create()
        assert cluster.submit(token, 1, TEXT).status_code == 202
        cluster.process.send_signal(signal.SIGTERM)
        unready(cluster.http)
        assert cluster.process.poll() is None
        cluster.process.send_signal(signal.SIGTERM)
        assert cluster.process.wait(120) == 0


def beside(cluster: Cluster, process: int) -> str:
    """Another session of the same process."""
    while True:
        token, found = cluster.create()
        if found == process:
            return token


def unready(http: httpx.Client) -> httpx.Response:
    end = time.monotonic() + START_S
    while (response := http.get("/api/ready")).status_code == 200:
        assert time.monotonic() < end
    return response


async def crowd(url: str, path: str, streams: int) -> tuple[httpx.Response, float]:
    """With so many streams open: what is refused, and seconds until another process takes sessions."""
    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(base_url=url, timeout=None, limits=limits) as http,
        AsyncExitStack() as stack,
    ):
        opened = [await stack.enter_async_context(http.stream("GET", path)) for _ in range(streams)]
        assert {response.status_code for response in opened} == {200}
        refused = await first_answer(http, 6)
        began = time.monotonic()
        while await taken_by(http) in (None, opened[0].headers[PROCESS]):
            assert time.monotonic() - began < START_S
        return refused, time.monotonic() - began


async def first_answer(http: httpx.AsyncClient, count: int) -> httpx.Response:
    tasks = [asyncio.create_task(http.get("/api/health")) for _ in range(count)]
    done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return done.pop().result()


async def taken_by(http: httpx.AsyncClient) -> str | None:
    """The process that takes a new session; None where it would have to wait, or is refused."""
    try:
        response = await http.post("/api/sessions", json={}, timeout=3)
    except httpx.TimeoutException:
        return None
    if response.status_code == 429:
        assert int(response.headers["retry-after"]) > 0
        return None
    assert response.status_code == 201, response.text
    return response.headers[PROCESS]


def test_a_crowd_is_refused_by_the_proxy_and_then_gets_another_replica() -> None:
    with starting("--replicas", "1-2", "--max-sessions", "2", "--crowded") as cluster:
        token, _ = cluster.create()
        streams = 2 + 2  # that a replica answers at a time; two more requests may wait
        refused, seconds = asyncio.run(crowd(cluster.url, f"/api/sessions/{token}/events", streams))
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        told(second_replica_after_s=round(seconds, 1))
