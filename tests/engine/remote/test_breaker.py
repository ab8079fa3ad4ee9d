"""When a failing server is left alone, and how it is found again."""

from dataclasses import dataclass, replace
from threading import Thread

import pytest

from livemind_app.engine.remote import breaker, remote
from livemind_app.engine.split import OwnedEngine
from livemind_app.errors import ServerBusy, ServerFailed
from livemind_app.protocol import Cancel, Chunk, Priority
from tests.engine.remote.echo import REQUEST, said, wait_for
from tests.engine.remote.fake_openai import Faults


@dataclass
class Clock:
    """The breaker's, which stands still."""

    now: float = 0.0

    def rest(self) -> None:
        self.now += breaker.REST_S


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(remote, "Breaker", lambda: breaker.Breaker(lambda: clock.now))
    return clock


ANSWER = replace(REQUEST, priority=Priority.ANSWER)


def fail(engine: OwnedEngine, faults: Faults, times: int = breaker.FAILURES) -> None:
    """In the middle of answers, which nobody tries again."""
    faults.cut_after = 1
    for _ in range(times):
        with pytest.raises(ServerFailed, match="middle of an answer"):
            said(engine, ANSWER)
    faults.cut_after = None


def state(engine: OwnedEngine) -> str:
    return engine.status()[0].state


def test_a_server_that_fails_is_spared(engine: OwnedEngine, faults: Faults) -> None:
    fail(engine, faults, breaker.FAILURES - 1)
    assert len(said(engine)) == 8
    fail(engine, faults, breaker.FAILURES - 1)
    assert state(engine) == "ready"
    fail(engine, faults, 1)
    assert state(engine) == "failed"
    asked = len(faults.bodies)
    with pytest.raises(ServerFailed, match="in a moment"):
        said(engine)
    assert len(faults.bodies) == asked


def test_what_breaks_off_at_once_is_one_failure(engine: OwnedEngine, faults: Faults) -> None:
    """A router that lost a worker goes on with the others."""
    faults.stall_after = 1
    broken = [engine.generate(ANSWER) for _ in range(breaker.FAILURES + 1)]
    assert all(next(outputs) for outputs in broken)
    faults.cut_after, faults.stall_after = 2, None
    for outputs in broken:
        with pytest.raises(ServerFailed, match="middle of an answer"):
            list(outputs)
    faults.cut_after = None
    assert state(engine) == "ready"
    assert len(said(engine, ANSWER)) == 8


def test_after_the_rest_one_request_tries_and_the_others_wait_for_it(
    engine: OwnedEngine, faults: Faults, clock: Clock
) -> None:
    fail(engine, faults)
    clock.rest()
    faults.stall_after = 0
    asked, cancel = len(faults.bodies), Cancel()
    trial = Thread(target=lambda: list(engine.generate(replace(ANSWER, cancel=cancel))))
    trial.start()
    assert wait_for(lambda: len(faults.bodies) == asked + 1)
    assert state(engine) == "failed"
    with pytest.raises(ServerFailed, match="in a moment"):
        said(engine, ANSWER)
    assert len(faults.bodies) == asked + 1
    cancel()  # says nothing about the server: the next trial is after another rest
    trial.join()
    assert state(engine) == "failed"
    clock.rest()
    faults.stall_after = None
    assert len(said(engine, ANSWER)) == len(said(engine, ANSWER)) == 8


def test_a_trial_that_fails_begins_another_rest(engine: OwnedEngine, faults: Faults, clock: Clock) -> None:
    fail(engine, faults)
    clock.rest()
    faults.status, faults.retry_after = [503] * 3, "0"
    with pytest.raises(ServerFailed, match="503"):
        said(engine, ANSWER)
    with pytest.raises(ServerFailed, match="in a moment"):
        said(engine, ANSWER)
    clock.rest()
    assert len(said(engine, ANSWER)) == 8


def test_the_first_token_of_a_trial_lets_the_others_in(
    engine: OwnedEngine, faults: Faults, clock: Clock
) -> None:
    fail(engine, faults)
    clock.rest()
    faults.stall_after = 1
    trial = engine.generate(ANSWER)
    assert isinstance(next(trial), Chunk)
    other = engine.generate(ANSWER)
    assert isinstance(next(other), Chunk)
    faults.stall_after = None
    assert len(list(trial)) == len(list(other)) == 8


@pytest.mark.parametrize(("retry_after", "told"), [("7", "in 7 s"), (None, "in a moment")])
def test_a_busy_server_has_not_failed(
    engine: OwnedEngine, faults: Faults, retry_after: str | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livemind_app.engine.remote.failures.BACKOFF_S", 0.001)
    for _ in range(breaker.FAILURES + 1):
        faults.status, faults.retry_after = [429] * 3, retry_after
        with pytest.raises(ServerBusy, match=rf"http://.*429.*try again {told}"):
            said(engine)
    assert state(engine) == "ready"
    faults.status = []
    assert len(said(engine)) == 8


def test_who_says_when_to_come_back_is_not_asked_before(engine: OwnedEngine, faults: Faults) -> None:
    faults.status, faults.retry_after = [503] * 3, "60"
    with pytest.raises(ServerFailed, match="in 60 s"):
        said(engine)
    assert len(faults.bodies) == 1
