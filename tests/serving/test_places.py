"""Work on the models' thread that is no session's: a few at once, one of each client, none for who left."""

import asyncio
import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from livemind_app.sentence_vae.inspector import Returned
from livemind_app.serving.inspector_routes import inspector_router
from livemind_app.serving.places import PLACES
from livemind_app.session.limits import Limits
from tests.load.gates import eventually, raw
from tests.serving.conftest import Service, refusal, serving

URL = "/api/sentence-vae/sentences"


class Held:
    """Computes until it is let go or cancelled."""

    def __init__(self) -> None:
        self.computing = self.cancelled = 0
        self.open = asyncio.Event()

    async def sentences(self, text: str) -> list[Returned]:
        self.computing += 1
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.computing -= 1
        return []

    async def between(self, first: str, second: str) -> list[str]:
        return [first, second]


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def service(held: Held) -> Iterator[Service]:
    with serving(Limits(max_answers=2), others=[inspector_router({"": held})]) as service:
        yield service
        service.loop.call_soon_threadsafe(held.open.set)


def ask(service: Service, held: Held, name: str) -> socket.socket:
    """One program's request, once it is computed."""
    before, body = held.computing, json.dumps({"text": "Hi."}).encode()
    head = f"Authorization: Bearer {name}\r\nContent-Type: application/json\r\n"
    connection = raw(service, f"POST {URL}", f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    eventually(lambda: held.computing > before)
    return connection


def refused(service: Service, name: str) -> tuple[int, str]:
    response = service.http.post(URL, json={"text": "Hi."}, headers={"Authorization": f"Bearer {name}"})
    if response.status_code == 429:
        assert int(response.headers["retry-after"]) > 0
    return refusal(response)


def test_a_client_has_one_at_a_time(service: Service, held: Held) -> None:
    connection = ask(service, held, "a")
    assert refused(service, "a") == (429, "too_many_requests")
    other = {"Authorization": "Bearer b"}
    between = service.http.post(
        URL.replace("sentences", "between"), json={"first": "x", "second": "y"}, headers=other
    )
    assert between.json() == {"texts": ["x", "y"]}
    service.loop.call_soon_threadsafe(held.open.set)
    assert connection.recv(12) == b"HTTP/1.1 200"
    eventually(lambda: computed(service, "a"))
    connection.close()


def computed(service: Service, name: str) -> bool:
    answer: httpx.Response = service.http.post(
        URL, json={"text": "Hi."}, headers={"Authorization": f"Bearer {name}"}
    )
    return answer.status_code == 200


def test_there_are_a_few_places_and_who_leaves_gives_one_back(service: Service, held: Held) -> None:
    connections = [ask(service, held, str(number)) for number in range(PLACES)]
    assert refused(service, "one more") == (429, "overloaded")
    connections.pop().close()
    eventually(lambda: held.cancelled == 1)
    connections.append(ask(service, held, "one more"))
    for connection in connections:
        connection.close()
    eventually(lambda: not held.computing)
    assert held.cancelled == PLACES + 1


def test_nothing_is_computed_while_users_wait_or_the_server_is_stopped(service: Service, held: Held) -> None:
    service.gate.open.clear()
    token = service.create(lanes=["live"])
    service.submit(token, 1, "Hi?")
    assert refused(service, "a") == (429, "overloaded")
    service.gate.open.set()
    eventually(lambda: not service.manager.admission.answers)
    service.loop.call_soon_threadsafe(service.manager.admission.drain)
    eventually(lambda: service.manager.admission.draining)
    assert refused(service, "a") == (503, "draining")
    assert held.computing == 0
