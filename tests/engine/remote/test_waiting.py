"""How long a remote server is waited for, and what is told of one that hangs."""

import socket
from dataclasses import replace
from threading import Thread

import pytest

from livemind_app.engine.remote.client import Client
from livemind_app.engine.remote.limits import RemoteLimits
from livemind_app.errors import ServerFailed
from livemind_app.protocol import Cancel, Finished, Output, Priority
from tests.engine.remote.conftest import connected
from tests.engine.remote.echo import REQUEST, said, wait_for
from tests.engine.remote.fake_openai import FakeServer

LONG_S = 60.0  # a wait that a test does not see the end of


def test_a_hang_before_the_first_token_is_told_at_once_and_not_tried_again(server: FakeServer) -> None:
    with connected(server, first_token_s=0.3) as engine:
        server.faults.stall_after = 0
        with pytest.raises(ServerFailed, match=r"http://.* no token within 0.3 s .*REMOTE_FIRST_TOKEN_S"):
            said(engine)
        assert len(server.faults.bodies) == 1
        assert wait_for(lambda: server.faults.running == 0)


def test_a_hang_between_tokens(server: FakeServer) -> None:
    with connected(server, between_tokens_s=0.3) as engine:
        server.faults.stall_after = 2
        outputs = engine.generate(REQUEST)
        assert [next(outputs) for _ in range(2)]
        told = r"http://.* middle of an answer.* no token for 0.3 s .*REMOTE_BETWEEN_TOKENS_S"
        with pytest.raises(ServerFailed, match=told):
            list(outputs)
        assert len(server.faults.bodies) == 1


@pytest.mark.parametrize(
    ("status", "retry_after", "pauses"),
    [
        (500, None, [0.4, 0.8]),
        (408, None, [0.4, 0.8]),
        (520, None, [0.4, 0.8]),
        (503, "1", [1.0]),
        (429, "1", [1.0]),
        (503, "2", []),
        (429, "0", [0.0, 0.0]),
        (501, "30", []),
    ],
)
def test_a_server_that_refuses_is_told_within_two_seconds(
    server: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    retry_after: str | None,
    pauses: list[float],
) -> None:
    """All pauses together; they are noted here and not waited for."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    with connected(server) as engine:
        monkeypatch.setattr("livemind_app.engine.remote.client.sleep", sleep)
        server.faults.status, server.faults.retry_after = [status] * 9, retry_after
        with pytest.raises(ServerFailed, match=str(status)):
            said(engine)
    assert slept == pauses
    assert len(server.faults.bodies) == len(pauses) + 1
    assert sum(slept) < 2


async def test_a_server_that_is_not_reached_is_told_in_time_with_what_to_look_at() -> None:
    """A listener whose queue is full answers no further handshake, as a dead network does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            client = Client(f"http://127.0.0.1:{port}/v1", limits=RemoteLimits(connect_s=0.2, alive_s=LONG_S))
            with pytest.raises(ServerFailed, match=r"http://127.* does not answer: not reached within 0.2 s"):
                async for _ in client.complete({}, {}):
                    pass
            with pytest.raises(ServerFailed, match="does not answer"):
                await client.models()
            await client.close()


@pytest.mark.parametrize("tokens", [0, 2])
def test_a_stopped_server_is_not_waited_for(server: FakeServer, tokens: int) -> None:
    limits = {"first_token_s": LONG_S, "between_tokens_s": LONG_S, "alive_s": 0.2}
    with connected(server, **limits) as engine:
        server.faults.stall_after = tokens
        outputs = engine.generate(REQUEST)
        assert len([next(outputs) for _ in range(tokens)]) == tokens
        server.faults.stopped = True
        with pytest.raises(ServerFailed, match=r"http://.* no sign of life.* See whether"):
            list(outputs)
        assert len(server.faults.bodies) <= 1


def test_one_that_lives_is_waited_for(server: FakeServer) -> None:
    with connected(server, alive_s=LONG_S) as engine:
        server.faults.stall_after = 0
        answers: list[tuple[int, ...]] = []
        asking = Thread(target=lambda: answers.append(said(engine)))
        before = server.faults.asked
        asking.start()
        assert wait_for(lambda: server.faults.asked >= before + 2)
        assert not answers
        server.faults.stall_after = None
        asking.join()
        assert answers == [tuple(range(100, 108))]


def test_work_ahead_leaves_room_on_the_server(server: FakeServer) -> None:
    """What nobody waits for takes turns; answers and baselines never wait for it."""
    faults = server.faults
    with connected(server, speculations=2) as engine:
        faults.stall_after = 1
        kinds = (Priority.NOTE, Priority.SPECULATION)
        ahead = [replace(REQUEST, priority=kinds[number % 2]) for number in range(6)]
        threads = [Thread(target=said, args=(engine, request)) for request in ahead]
        for thread in threads:
            thread.start()
        assert wait_for(lambda: faults.running == 2)
        for number, kind in enumerate((Priority.ANSWER, Priority.BASELINE)):
            answer = Thread(target=said, args=(engine, replace(REQUEST, priority=kind)))
            threads.append(answer)
            answer.start()
            assert wait_for(lambda running=3 + number: faults.running == running)
        assert len(faults.bodies) == 4
        faults.stall_after = None
        for thread in threads:
            thread.join()
        assert len(faults.bodies) == 8
        assert faults.most <= 4


def test_work_ahead_that_waits_can_be_cancelled(server: FakeServer) -> None:
    with connected(server, speculations=1) as engine:
        server.faults.stall_after = 1
        first, cancel = Cancel(), Cancel()
        running = engine.generate(replace(REQUEST, cancel=first))
        next(running)
        ends: list[Output] = []
        waiting = Thread(target=lambda: ends.extend(engine.generate(replace(REQUEST, cancel=cancel))))
        waiting.start()
        assert wait_for(lambda: sum(engine.usage().queued.values()) == 2)
        cancel()
        waiting.join()
        assert ends == [Finished("cancelled")]
        assert len(server.faults.bodies) == 1
        first()
        list(running)
