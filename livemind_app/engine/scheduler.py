"""One thread that computes: who goes next, and for how long.

A generation is a Python generator that does one forward per `next`. Between two forwards the worker
looks again at who is most urgent, so a higher priority takes over between two tokens and a lower one
resumes where it stopped. Knows nothing of models.
"""

import threading
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from time import perf_counter

from livemind_app.errors import EngineError, GenerationFailed
from livemind_app.protocol import Chunk, Finished, Output, Priority, Request

AT_ONCE_S = 0.001  # a step without a forward is shorter: a cache that is dropped or given back

Generation = Generator[Output | None, None, None]  # None: a forward without output
Sink = Callable[[Output | EngineError], None]


@dataclass
class Job:
    """A request on its way through the worker."""

    request: Request
    generation: Generation
    sink: Sink
    submitted: float = field(default_factory=perf_counter)
    computed_s: float = 0.0
    interrupted: bool = False  # other work was done while this one was waiting or running


class Worker:
    """Owns the thread. `submit` may be called from any thread; sinks are called on the worker's."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._wake = threading.Condition()
        self._closing = False
        self._turns: dict[str, int] = {}  # session → when it computed last, in forwards
        self._forwards = 0
        self._thread = threading.Thread(target=self._run, name="livemind-engine", daemon=True)
        self._thread.start()

    def submit(self, request: Request, generation: Generation, sink: Sink) -> None:
        with self._wake:
            if self._closing:
                raise EngineError("the engine was closed")
            self._jobs.append(Job(request, generation, sink))
            self._wake.notify()

    def queued(self) -> Counter[Priority]:
        """Jobs that have not ended, the running one included."""
        with self._wake:
            return Counter(job.request.priority for job in self._jobs)

    def close(self) -> None:
        """Cancel everything and join the thread."""
        with self._wake:
            self._closing = True
            for job in self._jobs:
                job.request.cancel()
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while job := self._next():
            self._advance(job)

    def _next(self) -> Job | None:
        with self._wake:
            while not self._jobs and not self._closing:
                self._turns.clear()
                self._wake.wait()
            return min(self._jobs, key=self._urgency, default=None)

    def _urgency(self, job: Job) -> tuple[bool, int, int, float]:
        """Cancelled jobs first, to give back their caches; then priority, then round robin."""
        turn = self._turns.get(job.request.session, -1)
        return (not job.request.cancel.cancelled, self._priority(job.request), turn, job.submitted)

    def _priority(self, request: Request) -> int:
        """Nobody waits for what another user may never ask for."""
        others = any(job.request.session != request.session for job in self._jobs)
        alone = request.priority != Priority.SPECULATION or not others
        return request.priority if alone else max(Priority) + 1

    def _advance(self, job: Job) -> None:
        """One forward of this job."""
        self._forwards += 1
        self._turns[job.request.session] = self._forwards
        began, cancelled = perf_counter(), job.request.cancel.cancelled
        try:
            output: Output | EngineError | None = next(job.generation)
        except StopIteration:
            output = GenerationFailed("the generation ended without a result")
        except EngineError as error:
            output = error
        except Exception as error:
            output = GenerationFailed(f"the model failed ({type(error).__name__}: {error}); send it again")
        seconds = perf_counter() - began
        job.computed_s += seconds
        if not cancelled and (output is None or isinstance(output, Chunk) or seconds > AT_ONCE_S):
            self._mark_interrupted(job)
        self._deliver(job, output)

    def _mark_interrupted(self, running: Job) -> None:
        """By another session; a baseline also by its own user's next draft, which goes first."""
        with self._wake:
            for job in self._jobs:
                foreign = job.request.session != running.request.session
                compared = job is not running and job.request.priority == Priority.BASELINE
                job.interrupted = job.interrupted or foreign or compared

    def _deliver(self, job: Job, output: Output | EngineError | None) -> None:
        if isinstance(output, Finished | EngineError):
            with self._wake:
                self._jobs.remove(job)
            job.generation.close()
        if isinstance(output, Finished):
            waited = perf_counter() - job.submitted - job.computed_s
            output = replace(output, waited_s=waited, interrupted=job.interrupted)
        if output is not None:
            job.sink(output)
