"""Gate 2: connections that are lost, at every moment, leave nothing behind."""

import json
import socket
import time

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.session.limits import Limits
from tests.load.conftest import FULL, told
from tests.load.gates import TEXT, Held, busy, eventually, raw
from tests.serving.conftest import Service, serving, until

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
            eventually(lambda: answered(service, token))
            submitted = service.submit(token, 10**6 + 100 * moment, f"{moment} {LONG}", lanes=["live"])
            assert submitted.status_code == 202
            eventually(lambda: busy(service))
    # An end that says "reset" rather than "goodbye".
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def answered(service: Service, token: str) -> bool:
    turn = service.manager.get(token).state.turn
    return turn is None or turn.done


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
    limits = Limits(max_turns=10**4, max_chat=10**9, abandoned_s=0.1)
    with serving(limits, engine=ScriptedEngine(prefill_s=0.0005)) as service:
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
