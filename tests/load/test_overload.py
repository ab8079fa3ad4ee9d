"""Gate 3: more than the server can do."""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import httpx
import pytest

from livemind_app.protocol import Output, Priority, Request
from livemind_app.session.limits import Limits
from tests.load.conftest import FULL, SECONDS, told
from tests.load.gates import TEXT, CountingEngine, Held, busy, eventually
from tests.serving.conftest import WAIT_S, Service, refusal, serving, until


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
