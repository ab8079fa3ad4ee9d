"""Who computes next: priorities, round robin, cancelling. Generations here are scripted, no model."""

import queue
import threading
from typing import Any

import pytest

from livemind_app.engine.scheduler import Generation, Worker
from livemind_app.errors import EngineError, GenerationFailed
from livemind_app.protocol import Chunk, Finished, Priority, Request


class Bench:
    """A worker whose first job blocks it, so that a queue of jobs can be laid out beforehand."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.outputs: dict[str, queue.SimpleQueue[Any]] = {}
        self.worker = Worker()
        self._go = threading.Event()
        self.start("gate", Priority.ANSWER, self._blocked())

    def start(self, name: str, priority: Priority, generation: Generation, session: str = "a") -> Request:
        request = Request((), "llm", 8, session=session, priority=priority)
        self.outputs[name] = queue.SimpleQueue()
        self.worker.submit(request, generation, self.outputs[name].put)
        return request

    def tokens(self, name: str, count: int, cancelled: Any = lambda: False) -> Generation:
        for index in range(count):
            if cancelled():
                yield Finished("cancelled")
                return
            self.log.append(f"{name}{index}")
            yield Chunk((index,), "x")
        yield Finished("eos")

    def run(self, *names: str) -> dict[str, Finished]:
        self._go.set()
        return {name: self.finish(name) for name in names}

    def finish(self, name: str) -> Any:
        while not isinstance(output := self.outputs[name].get(timeout=10), Finished | EngineError):
            pass
        return output

    def _blocked(self) -> Generation:
        assert self._go.wait(10)
        yield Finished("eos")


@pytest.fixture
def bench() -> Any:
    bench = Bench()
    yield bench
    bench._go.set()
    bench.worker.close()


def test_more_urgent_goes_first(bench: Bench) -> None:
    for name, priority in (("b", Priority.BASELINE), ("s", Priority.SPECULATION), ("n", Priority.NOTE)):
        bench.start(name, priority, bench.tokens(name, 2))
    bench.start("a", Priority.ANSWER, bench.tokens("a", 2))
    bench.run("a", "n", "s", "b")
    assert bench.log == ["a0", "a1", "n0", "n1", "s0", "s1", "b0", "b1"]


def test_a_higher_priority_takes_over_between_two_tokens_and_the_lower_resumes(bench: Bench) -> None:
    def low() -> Generation:
        bench.log.append("low0")
        bench.start("high", Priority.ANSWER, bench.tokens("high", 2), session="b")
        yield Chunk((0,), "x")
        bench.log.append("low1")
        yield Finished("eos")

    bench.start("low", Priority.BASELINE, low())
    finished = bench.run("low")["low"]
    assert bench.log == ["low0", "high0", "high1", "low1"]
    assert finished.interrupted


def test_sessions_of_one_priority_take_turns(bench: Bench) -> None:
    for name in ("x", "y"):
        bench.start(name, Priority.NOTE, bench.tokens(name, 3), session=name)
    finished = bench.run("x", "y")
    assert bench.log == ["x0", "y0", "x1", "y1", "x2", "y2"]
    assert finished["x"].interrupted
    assert finished["y"].interrupted


def test_one_session_alone_is_not_interrupted(bench: Bench) -> None:
    bench.start("first", Priority.NOTE, bench.tokens("first", 2))
    bench.start("second", Priority.NOTE, bench.tokens("second", 2))
    finished = bench.run("first", "second")
    assert bench.log == ["first0", "first1", "second0", "second1"]
    assert not any(output.interrupted for output in finished.values())


def test_who_computes_nothing_interrupts_nobody(bench: Bench) -> None:
    """A cache that is dropped, and a job that was cancelled before its turn."""

    def dropping() -> Generation:
        yield Finished("length")

    def cancelled() -> Generation:
        yield Finished("cancelled")

    bench.start("ours", Priority.ANSWER, bench.tokens("ours", 3), session="a")
    bench.start("drop", Priority.ANSWER, dropping(), session="")
    bench.start("theirs", Priority.NOTE, cancelled(), session="b").cancel()
    assert not bench.run("ours", "drop", "theirs")["ours"].interrupted


def test_a_baseline_is_interrupted_by_its_own_users_next_draft(bench: Bench) -> None:
    bench.start("conventional", Priority.BASELINE, bench.tokens("conventional", 2))
    bench.start("ahead", Priority.SPECULATION, bench.tokens("ahead", 2))
    finished = bench.run("conventional", "ahead")
    assert bench.log[:2] == ["ahead0", "ahead1"]
    assert finished["conventional"].interrupted
    assert not finished["ahead"].interrupted


def test_cancelled_jobs_end_first_and_before_their_next_token(bench: Bench) -> None:
    request: Request

    def cancelled() -> bool:
        return request.cancel.cancelled

    request = bench.start("low", Priority.BASELINE, bench.tokens("low", 5, cancelled))
    bench.start("high", Priority.ANSWER, bench.tokens("high", 1))
    request.cancel()
    finished = bench.run("high", "low")
    assert finished["low"].reason == "cancelled"
    assert bench.log == ["high0"]


def test_a_guess_waits_for_whatever_others_want(bench: Bench) -> None:
    bench.start("guess", Priority.SPECULATION, bench.tokens("guess", 2), session="a")
    bench.start("own", Priority.BASELINE, bench.tokens("own", 1), session="a")
    bench.start("other", Priority.BASELINE, bench.tokens("other", 2), session="b")
    bench.run("guess", "own", "other")
    others = [entry for entry in bench.log if entry.startswith("other")]
    assert bench.log.index("guess0") > bench.log.index(others[-1])


def test_a_failure_ends_one_job_only(bench: Bench) -> None:
    def broken() -> Generation:
        yield None
        raise RuntimeError("no memory")

    bench.start("broken", Priority.NOTE, broken())
    bench.start("whole", Priority.BASELINE, bench.tokens("whole", 1))
    bench.run("whole")
    failure = bench.finish("broken")
    assert isinstance(failure, GenerationFailed)
    assert "no memory" in str(failure)


def test_waiting_is_counted_and_closing_refuses(bench: Bench) -> None:
    bench.start("job", Priority.NOTE, bench.tokens("job", 1))
    assert bench.run("job")["job"].waited_s > 0
    bench.worker.close()
    with pytest.raises(EngineError, match="closed"):
        bench.start("late", Priority.NOTE, bench.tokens("late", 1))
