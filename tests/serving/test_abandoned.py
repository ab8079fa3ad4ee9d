"""A client that is lost without a word leaves no work behind; programs that never read keep their answers."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.session.limits import Limits
from livemind_app.session.state import TurnState
from tests.load.gates import busy, eventually, raw
from tests.serving.conftest import Service, serving, until

QUESTION = "How many are left? "
LONG = "Tom has three apples. " * 800  # with 0.05 s a word it is read for minutes
GRACE_S = 0.3
RESET = b"\1\0\0\0\0\0\0\0"  # an end that says "reset" rather than "goodbye"


def reader(service: Service, token: str) -> socket.socket:
    """A connection that reads a session's events, once the session knows of it."""
    connection = raw(service, f"GET /api/sessions/{token}/events", b"\r\n")
    eventually(lambda: service.manager.get(token).idle_s == 0)
    return connection


def lose(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def turn_of(service: Service, token: str) -> TurnState:
    turn = service.manager.get(token).state.turn
    assert turn
    return turn


def statuses(service: Service, token: str) -> set[str]:
    return {lane.status for lane in turn_of(service, token).lanes.values()}


@contextmanager
def slow(grace_s: float = GRACE_S, **script: float) -> Iterator[Service]:
    """Reads or answers for minutes."""
    engine = ScriptedEngine(lambda role, prompt: "five " * 10_000, **script)  # type: ignore[arg-type]
    with serving(Limits(abandoned_s=grace_s), engine=engine) as service:
        yield service


@pytest.mark.parametrize("during", ["prefill", "answer"])
def test_a_lost_client_has_nothing_computed_any_more(during: str) -> None:
    script = {"prefill_s": 0.05} if during == "prefill" else {"token_s": 0.02}
    with slow(**script) as service:
        token = service.create(max_tokens=4096)
        connection = reader(service, token)
        assert service.submit(token, 1, LONG if during == "prefill" else QUESTION).status_code == 202
        eventually(lambda: busy(service) and (during == "prefill" or turn_of(service, token).answer))
        assert service.draft(token, 2, LONG).status_code == 202
        lose(connection)
        eventually(lambda: not busy(service))
        assert statuses(service, token) == {"stopped"}
        assert service.manager.admission.answers == 0
        assert bool(turn_of(service, token).answer) == (during == "answer")
        with service.events(token) as frames:  # who comes back finds all there was
            *_, last = until(frames, "turn", done=True)
        state = service.manager.get(token).state
        assert (state.text, state.turns[0].prompt) == (LONG, LONG if during == "prefill" else QUESTION)
        assert last.data["id"] == 1


@pytest.mark.parametrize("mode", ["infer", "draft", "exact"])
def test_work_ahead_ends_and_begins_again_with_a_call(mode: str) -> None:
    with slow(prefill_s=0.02, token_s=0.02) as service:
        token, engine = service.create(mode=mode), service.manager.engine
        assert isinstance(engine, ScriptedEngine)
        connection = reader(service, token)
        service.draft(token, 1, LONG)
        eventually(lambda: busy(service))
        lose(connection)
        eventually(lambda: not busy(service))
        own = [request for request in engine.requests if request.session == token]
        other = service.create(lanes=["live"], max_tokens=4)
        service.submit(other, 1, QUESTION)
        eventually(lambda: statuses(service, other) == {"done"})
        assert [request for request in engine.requests if request.session == token] == own
        assert service.manager.get(token).state.text == LONG
        service.draft(token, 2, f"{LONG}{QUESTION}")
        eventually(lambda: len([r for r in engine.requests if r.session == token]) > len(own))


def test_who_never_read_or_came_back_keeps_the_answer() -> None:
    """Another session, whose reader went later, was given up already."""
    with slow(grace_s=1.0, token_s=0.02) as service:
        program, back, lost = (service.create(lanes=["live"], max_tokens=4096) for _ in range(3))
        service.submit(program, 1, QUESTION)
        connection = reader(service, back)
        service.submit(back, 1, QUESTION)
        lose(connection)
        eventually(lambda: service.manager.get(back).idle_s > 0)
        again = reader(service, back)
        connection = reader(service, lost)
        service.submit(lost, 1, QUESTION)
        lose(connection)
        eventually(lambda: statuses(service, lost) == {"stopped"})
        assert statuses(service, back) | statuses(service, program) == {"running"}
        again.close()
        for token in (program, back):
            service.http.post(f"/api/sessions/{token}/stop", json={})


def test_a_typing_program_without_a_stream_is_not_given_up() -> None:
    """It read once; each call tells that it is there."""
    with slow(token_s=0.002) as service:
        typing, lost = service.create(lanes=["live"], max_tokens=4096), service.create(lanes=["live"])
        for token in (typing, lost):
            lose(reader(service, token))
            eventually(lambda token=token: service.manager.get(token).idle_s > 0)
            service.submit(token, 1, QUESTION)
        revision = 1
        while statuses(service, lost) != {"stopped"}:
            revision += 1
            assert service.draft(typing, revision, json.dumps(revision)).status_code == 202
        assert statuses(service, typing) == {"running"}
        service.http.post(f"/api/sessions/{typing}/stop", json={})
