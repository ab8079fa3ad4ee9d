"""Gates 1 to 5 on a server with an engine that needs no model."""

import asyncio
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psutil
import pytest

from livemind_app.cli import main
from livemind_app.engine.scripted import ScriptedEngine, WordTokenizer
from livemind_app.protocol import Output, Priority, Request
from livemind_app.serving.app import Timing, create_api
from livemind_app.serving.connections import ConnectionLimits
from livemind_app.serving.server import Server, address, listen
from livemind_app.session.limits import Limits
from livemind_app.session.manager import SessionManager
from livemind_app.text.segment import IncrementalSegmenter
from tests.load.conftest import FULL, SECONDS, told
from tests.serving.conftest import WAIT_S, Service, refusal, serving, until

TEXT = "Tom has three apples. Ann gives him four more. He eats two of them. How many has he now?"


def eventually(condition: Any, seconds: float = WAIT_S) -> float:
    """Seconds until it holds; fails when it never does."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds
        time.sleep(0.01)
    return time.monotonic() - began


# 1. Typing users.


class CountingEngine(ScriptedEngine):
    """Knows how many requests of a session are under way for each of its caches."""

    def __init__(self, token_s: float = 0.001) -> None:
        super().__init__(token_s=token_s)
        self._live: Counter[tuple[str, str | None]] = Counter()
        self.most: Counter[str] = Counter()

    async def stream(self, request: Request) -> AsyncGenerator[Output, None]:  # type: ignore[override]
        key = (request.session, request.cache_key)
        if request.priority is Priority.SPECULATION:
            self._live[key] += 1
            self.most[request.session] = max(self.most[request.session], self._live[key])
        try:
            async for output in super().stream(request):
                yield output
        finally:
            if request.priority is Priority.SPECULATION:
                self._live[key] -= 1


async def test_a_session_has_one_guess_at_a_time() -> None:
    engine = CountingEngine()
    manager = SessionManager(engine)
    random = Random(7)
    sessions = [manager.create({"mode": "exact", "lanes": ["exact"]}) for _ in range(8)]
    for revision in range(1, 200):
        session = sessions[revision % len(sessions)]
        session.draft(revision, TEXT[: random.randrange(len(TEXT))] + random.choice(["", "?", "."]))
        if random.random() < 0.3:
            await asyncio.sleep(0.005)
    for session in sessions:
        session.draft(1000, TEXT)
        await session.settled()
    assert engine.most
    assert set(engine.most.values()) == {1}
    await manager.close()
    engine.close()


def test_users_have_one_guess_at_a_time_each(tmp_path: Path) -> None:
    """The same users, whose engine is counted in: not for its times."""
    out, engine, users = tmp_path / "load.json", CountingEngine(), 100 if FULL else 8
    with serving(Limits(max_sessions=users), engine=engine) as service:
        command = ["bench", "load", "--url", str(service.http.base_url), "--sessions", str(users)]
        command += ["--keys-per-second", "6" if FULL else "60", "--seconds", "60" if FULL else "3"]
        assert main([*command, "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    assert summary["lost_drafts"] == summary["responses_5xx"] == 0
    assert 0 < len(engine.most) <= users
    assert set(engine.most.values()) == {1}


@pytest.mark.skipif(not FULL, reason="make test-load; tests/benchmark/load has the short one")
@pytest.mark.timeout(600)
def test_a_hundred_users_type_for_five_minutes(tmp_path: Path) -> None:
    out = tmp_path / "load.json"
    command = ["bench", "load", "--sessions", "100", "--keys-per-second", "6", "--seconds", "300"]
    assert main([*command, "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    told(**summary)
    assert summary["ack_p99_ms"] < 100
    assert summary["rss_growth_mb"] < 30
    assert summary["lost_drafts"] == summary["responses_5xx"] == summary["failed_answers"] == 0


@pytest.mark.skipif(not FULL, reason="make test-load; LIVEMIND_LOAD_SECONDS says how long")
@pytest.mark.timeout(SECONDS + 300)
def test_a_soak(tmp_path: Path) -> None:
    """Fewer users for as long as one likes: nothing grows, nothing is lost."""
    out = tmp_path / "load.json"
    command = ["bench", "load", "--sessions", "30", "--keys-per-second", "4", "--seconds", str(SECONDS)]
    assert main([*command, "--json", str(out)]) == 0
    summary = json.loads(out.read_text())["summary"]
    told(**summary)
    assert summary["answers"] > 0
    assert summary["rss_growth_mb"] < 30
    assert summary["lost_drafts"] == summary["responses_5xx"] == summary["failed_answers"] == 0
    assert summary["retry_after_missing"] == summary["refused_connections"] == 0


# 2. Connections that are lost, at every moment.


def raw(service: Service, head: str, body: bytes = b"") -> socket.socket:
    """A connection on which this was sent."""
    host, port = service.http.base_url.host, service.http.base_url.port
    connection = socket.create_connection((host, port), timeout=WAIT_S)
    connection.sendall(f"{head} HTTP/1.1\r\nHost: {host}\r\n".encode() + body)
    return connection


LONG = "Tom has three apples. " * 40


def lose(service: Service, token: str, moment: int) -> None:
    """Break a connection in the middle of a keystroke, a head, a stream, a submit, or a prefill."""
    url, json_head = f"/api/sessions/{token}", b"Content-Type: application/json\r\nContent-Length: 60\r\n\r\n"
    match moment % 5:
        case 0:
            connection = raw(service, f"PUT {url}/draft", json_head + b'{"revision": 1, "te')
        case 1:
            connection = raw(service, f"PUT {url}/dr")
        case 2:
            connection = raw(service, f"GET {url}/events", b"\r\n")
            connection.recv(12)
        case 3:
            body = json.dumps({"revision": 10**6 + 100 * moment, "text": TEXT}).encode()
            head = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            connection = raw(service, f"POST {url}/submit", head + body)
        case _:
            connection = raw(service, f"GET {url}/events", b"\r\n")
            connection.recv(12)
            service.http.post(f"{url}/stop", json={})
            service.submit(token, 10**6 + 100 * moment, f"{moment} {LONG}", lanes=["live"])
            eventually(lambda: busy(service))
            service.http.post(f"{url}/stop", json={})
    # An end that says "reset" rather than "goodbye".
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def busy(service: Service) -> int:
    return sum(service.manager.engine.usage().queued.values())


@dataclass(frozen=True)
class Held:
    """What a server holds while nothing happens."""

    tasks: int
    threads: int
    descriptors: int
    connections: int
    bytes: int

    @classmethod
    def of(cls, service: Service) -> "Held":
        process = psutil.Process()
        connections = len(service.server.server_state.connections)
        tasks = len(asyncio.all_tasks(service.loop))
        threads, descriptors = threading.active_count(), process.num_fds()
        return cls(tasks, threads, descriptors, connections, process.memory_info().rss)

    def no_more_than(self, other: "Held") -> bool:
        mine, others = ({**vars(held), "bytes": 0} for held in (self, other))
        return all(mine[name] <= others[name] for name in mine)


def resting(service: Service, tokens: list[str]) -> Held:
    """When all of these sessions have answered something and are at rest."""
    service.http.get("/api/health")  # the connection that asks is there before and after
    for token in tokens:
        service.http.post(f"/api/sessions/{token}/stop", json={})
        with service.events(token) as frames:
            assert (
                service.submit(token, service.manager.get(token).state.revision + 1, TEXT).status_code == 202
            )
            turn = service.manager.get(token).state.turns[-1].id
            until(frames, "turn", id=turn, done=True)
    eventually(lambda: not busy(service))
    return Held.of(service)


def test_lost_connections_leave_nothing_behind() -> None:
    """While their sessions are still there, and when these are gone."""
    count = 2000 if FULL else 60
    with serving(Limits(max_turns=10**4), engine=ScriptedEngine(prefill_s=0.0005)) as service:
        first = service.create(lanes=["live"])
        for moment in range(10):  # what is made once is made now
            lose(service, first, moment)
        alone = resting(service, [first])
        tokens = [service.create(lanes=["live"]) for _ in range(8)]
        before = resting(service, tokens)
        for number in range(10, 10 + count):
            lose(service, tokens[number // 5 % len(tokens)], number)
        idle_s = eventually(lambda: not busy(service))
        after = resting(service, tokens)
        eventually(lambda: Held.of(service).no_more_than(before))
        share, growth = idle_cpu(5.0 if FULL else 0.5), (after.bytes - before.bytes) / 2**20
        told(disconnects=count, engine_idle_after_s=round(idle_s, 2), idle_cpu=share, growth_mb=growth)
        assert share < 0.2
        assert growth < 50
        assert idle_s < 1 or not FULL
        for token in tokens:
            assert service.http.delete(f"/api/sessions/{token}").status_code == 204
        eventually(lambda: Held.of(service).no_more_than(alone))
        assert len(service.manager) == 1
        assert not service.manager.admission.answers
        assert service.http.get("/api/health").status_code == 200


def idle_cpu(seconds: float) -> float:
    """Of a core, while nothing is asked; on a busy machine it is what was got of it."""
    began = time.process_time()
    time.sleep(seconds)
    return (time.process_time() - began) / seconds


# 3. More than it can do.


def test_three_times_what_it_can_do() -> None:
    """Speculation rests first, submits are refused with a time to come back, nothing grows without end."""
    capacity = 8
    with serving(Limits(max_answers=capacity, max_sessions=100)) as service:
        service.gate.open.clear()
        tokens = [service.create(lanes=["live"]) for _ in range(3 * capacity)]
        answered, refused, slowest = [], [], 0.0
        for token in tokens:
            service.draft(token, 1, TEXT[:50])
            began = time.monotonic()
            response = service.submit(token, 2, TEXT)
            slowest = max(slowest, time.monotonic() - began)
            (answered if response.status_code == 202 else refused).append((token, response))
            assert not answered or len(answered) < capacity / 2 or service.manager.admission.shedding
        assert len(answered) == capacity
        for _, response in refused:
            assert refusal(response) == (429, "overloaded")
            assert int(response.headers["retry-after"]) > 0
        assert busy(service) <= 3 * capacity
        told(answered=len(answered), refused=len(refused), slowest_ms=round(1000 * slowest, 1))
        assert slowest < 0.05 or not FULL
        for token, _ in refused:  # what was typed is still there
            assert service.manager.get(token).state.text == TEXT[:50]
        service.gate.open.set()
        for token, _ in answered:
            with service.events(token) as frames:
                until(frames, "turn", done=True)
        token = refused[0][0]
        assert service.submit(token, 3, TEXT).status_code == 202


class Watched(CountingEngine):
    """Knows of work that was begun ahead although there was no room for it."""

    def __init__(self, token_s: float) -> None:
        super().__init__(token_s)
        self.shedding = lambda: False
        self.ahead = self.untimely = 0

    def stream(self, request: Request) -> AsyncGenerator[Output, None]:
        if request.priority in (Priority.NOTE, Priority.SPECULATION) and not request.cancel.cancelled:
            self.ahead += 1
            self.untimely += self.shedding()
        return super().stream(request)


@dataclass
class Refusals:
    answered: int = 0
    seconds: list[float] = field(default_factory=list)  # until a refusal
    most_queued: int = 0


async def insist(
    http: httpx.AsyncClient, service: Service, token: str, until_s: float, seen: Refusals
) -> None:
    """Type and submit again soon, whatever is said about when to come back."""
    session, url = service.manager.get(token), f"/api/sessions/{token}"
    while time.monotonic() < until_s:
        draft = {"revision": session.state.revision + 1, "text": TEXT[:50]}
        assert (await http.put(f"{url}/draft", json=draft)).status_code == 202
        began = time.monotonic()
        body = {"revision": session.state.revision + 1, "text": TEXT}
        response = await http.post(f"{url}/submit", json=body)
        seen.most_queued = max(seen.most_queued, busy(service))
        if response.status_code == 202:
            while not (turn := session.state.turn) or not turn.done:
                await asyncio.sleep(0.01)
            seen.answered += 1
            await http.post(f"{url}/clear", json={})
        else:
            seen.seconds.append(time.monotonic() - began)
            assert refusal(response) == (429, "overloaded")
            assert int(response.headers["retry-after"]) > 0
            assert session.state.text == TEXT[:50]
            await asyncio.sleep(0.3)


@pytest.mark.timeout(SECONDS + 120)
async def test_three_times_what_it_can_do_for_a_long_time() -> None:
    capacity, engine = 8, Watched(token_s=0.01)
    limits = Limits(max_answers=capacity, max_sessions=100)
    with serving(limits, engine=engine) as service:
        engine.shedding = lambda: service.manager.admission.shedding
        tokens = [service.create(mode="exact", lanes=["live"]) for _ in range(3 * capacity)]
        seen, began = Refusals(), Held.of(service).bytes
        until_s = time.monotonic() + (SECONDS if FULL else 3)
        async with httpx.AsyncClient(base_url=service.http.base_url, timeout=WAIT_S) as http:
            await asyncio.gather(*(insist(http, service, token, until_s, seen) for token in tokens))
        growth = (Held.of(service).bytes - began) / 2**20
        seen.seconds.sort()
        p50, p99 = (seen.seconds[int(len(seen.seconds) * share)] for share in (0.5, 0.99))
        told(answered=seen.answered, refused=len(seen.seconds), growth_mb=growth)
        told(refusal_p50_ms=1000 * p50, refusal_p99_ms=1000 * p99)
        assert seen.answered > capacity
        assert engine.untimely == 0
        assert seen.most_queued <= 2 * 3 * capacity  # an answer each, and what is still being cut off
        assert growth < 50
        assert p50 < 0.05 or not FULL  # those who insist compute in this process, too
        # When it is over there is room again.
        before = engine.ahead
        service.draft(tokens[0], 10**6, TEXT)
        eventually(lambda: engine.ahead > before)


# 4. Bodies that are none: most are in tests/serving/test_refusals.py.


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is cut into segments or tokens from now on."""
    texts: list[str] = []
    cut, encode = IncrementalSegmenter.cut, WordTokenizer.encode

    def cutting(self: IncrementalSegmenter, text: str, **more: bool) -> Any:
        texts.append(text)
        return cut(self, text, **more)

    def encoding(self: WordTokenizer, text: str) -> tuple[int, ...]:
        texts.append(text)
        return encode(self, text)

    monkeypatch.setattr(IncrementalSegmenter, "cut", cutting)
    monkeypatch.setattr(WordTokenizer, "encode", encoding)
    return texts


def refused_at_once(service: Service, sent: bytes, status: bytes) -> None:
    """Although nothing ends what is sent, and nothing more comes."""
    token = service.create(mode="exact")
    began = time.monotonic()
    with raw(
        service, f"PUT /api/sessions/{token}/draft", b"Content-Type: application/json\r\n"
    ) as connection:
        with suppress(ConnectionError):  # it may be refused before all is sent
            connection.sendall(sent)
        assert connection.recv(12) == b"HTTP/1.1 " + status
    seconds = time.monotonic() - began
    told(bytes=len(sent), refused_after_ms=round(1000 * seconds, 1))
    assert seconds < 0.2 or not FULL
    service.http.delete(f"/api/sessions/{token}")


@pytest.mark.parametrize("size", [1_000_001, 20_000_000])
def test_a_body_that_says_it_is_too_large_is_not_read(
    service: Service, computed: list[str], size: int
) -> None:
    refused_at_once(service, b"Content-Length: %d\r\n\r\n" % size, b"413")
    assert not computed


@pytest.mark.parametrize("size", [1_000_001, 20_000_000])
def test_a_body_that_does_not_say_its_length_is_read_until_it_is_too_large(
    service: Service, computed: list[str], size: int
) -> None:
    start = b'{"revision": 1, "text": "'
    body = start + b"x" * (size - len(start))
    refused_at_once(service, b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (size, body), b"413")
    assert not computed


def test_a_paste_that_is_too_long_is_not_cut_into_tokens(service: Service, computed: list[str]) -> None:
    token = service.create(mode="exact", lanes=["exact"])
    paste = "A sentence of nine hundred thousand characters. " * 19_000
    for answer in (service.draft(token, 1, paste), service.submit(token, 1, paste)):
        assert refusal(answer) == (413, "text_too_long")
    assert not computed
    service.draft(token, 2, TEXT)
    eventually(lambda: any(TEXT in text for text in computed[1:]))  # segments, then tokens
    assert computed[0] == TEXT
    service.http.delete(f"/api/sessions/{token}")


# 5. Slow readers and slow writers: the readers are in tests/serving/test_events.py.


def test_requests_that_never_end_hold_up_nobody() -> None:
    """A hundred that send a byte now and then: others are served, and the server lets go of them."""
    timing, limits = Timing(body_timeout_s=1.0), ConnectionLimits(head_s=1.0)
    with serving(timing=timing, connections=limits) as service:
        hold_up(service)


def hold_up(service: Service) -> None:
    token = service.create()
    head = b"Content-Type: application/json\r\nContent-Length: 60\r\n\r\n{"
    slow = [raw(service, f"PUT /api/sessions/{token}/draft", head if n % 2 else b"") for n in range(100)]
    try:
        for revision in range(1, 30):
            assert service.draft(token, revision, TEXT[:revision]).status_code == 202
            for connection in slow[:10]:
                with suppress(OSError):
                    connection.sendall(b"x")
        service.http.close()
        eventually(lambda: not service.server.server_state.connections)
        for connection in slow:
            with suppress(ConnectionError):
                while connection.recv(1024):  # TimeoutError where it was not closed
                    pass
    finally:
        for connection in slow:
            connection.close()


@contextmanager
def impatient() -> Iterator[tuple[str, int]]:
    """A server that waits 0.2 s for a body."""
    engine = ScriptedEngine()
    manager = SessionManager(engine)
    started = threading.Event()
    with listen("127.0.0.1", 0) as listening:
        app = create_api(manager, engine.status, timing=Timing(body_timeout_s=0.2))
        server = Server(app, listening, end_streams=manager.close, announce=lambda _: started.set())
        thread = threading.Thread(target=server.run)
        thread.start()
        assert started.wait(WAIT_S)
        yield address(listening), listening.getsockname()[1]
        server.should_exit = True
        thread.join(WAIT_S)
    engine.close()


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    with impatient() as (url, port), httpx.Client(base_url=url, timeout=WAIT_S) as http:
        token = http.post("/api/sessions", json={}).json()["session"]
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as connection:
            head = f"PUT /api/sessions/{token}/draft HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n"
            connection.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n{")
            assert connection.recv(12) == b"HTTP/1.1 408"
        assert http.get("/api/health").status_code == 200
