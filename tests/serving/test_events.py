"""The stream of a session: order, replay, slow readers, cleaning up."""

import socket
import time
from collections.abc import Iterator

from livemind_app.serving.app import Timing
from livemind_app.session.limits import Limits
from tests.serving.conftest import WAIT_S, Frame, Service, parse, serving, until

SMALL = 64 * 1024  # bytes, of a socket's buffer
TEXT = "The train left at nine. Where is it now?"


def finished_turn(service: Service, token: str) -> list[Frame]:
    with service.events(token) as frames:
        service.submit(token, 1, TEXT, lanes=["live", "slm"])
        return until(frames, "turn", done=True)


def answer(frames: list[Frame]) -> str:
    return "".join(frame.data["delta"] for frame in frames if frame.event == "answer")


def test_ids_grow_and_types_agree(service: Service, token: str) -> None:
    frames = finished_turn(service, token)
    ids = [frame.id for frame in frames]
    assert ids == sorted(set(ids))
    assert all(frame.data["type"] == frame.event for frame in frames)
    times = [frame.data["at"] for frame in frames]
    assert times == sorted(times)


def test_without_a_position_everything_is_replayed(service: Service, token: str) -> None:
    live = finished_turn(service, token)
    with service.events(token) as frames:
        replayed = until(frames, "turn", done=True)
    assert answer(replayed) == answer(live)
    assert [f for f in replayed if f.event != "answer"] == [f for f in live if f.event != "answer"]


def test_replay_after_last(service: Service, token: str) -> None:
    live = finished_turn(service, token)
    for cut in (0, 1, len(live) // 2, len(live) - 2):
        with service.events(token, last=live[cut].id) as frames:
            rest = until(frames, "turn", done=True)
        assert rest[0].id > live[cut].id
        assert answer(live[: cut + 1]) + answer(rest) == answer(live)


def test_the_header_of_a_reconnecting_browser_wins(service: Service, token: str) -> None:
    live = finished_turn(service, token)
    with service.events(token, last=live[0].id, **{"Last-Event-ID": str(live[-2].id)}) as frames:
        assert until(frames, "turn", done=True) == live[-1:]


def test_a_position_the_server_never_gave_starts_with_the_whole_picture(service: Service, token: str) -> None:
    finished_turn(service, token)
    with service.events(token, last=10_000) as frames:
        state = next(frames)
    assert state.event == "state"
    assert state.data["turns"][0]["prompt"] == TEXT


def test_lost_events_are_replaced_by_the_whole_picture() -> None:
    with serving(Limits(ring=4)) as service:
        token = service.create(mode="off")
        for revision in range(1, 11):
            service.draft(token, revision, "x" * revision)
        with service.events(token, last=1) as frames:
            state = next(frames)
            service.draft(token, 11, "the end")
            after = next(frames)
    assert state.event == "state"
    assert (state.data["revision"], state.data["text"]) == (10, "x" * 10)
    assert (after.event, after.data["revision"]) == ("segments", 11)
    assert after.id > state.id


def test_all_readers_get_the_same(service: Service, token: str) -> None:
    with service.events(token) as one, service.events(token) as two, service.events(token) as three:
        service.submit(token, 1, TEXT, lanes=["live"])
        answers = {answer(until(frames, "turn", done=True)) for frames in (one, two, three)}
    assert len(answers) == 1


def test_two_sessions_do_not_mix(service: Service, token: str) -> None:
    other = service.create(mode="off")
    with service.events(token) as mine, service.events(other) as theirs:
        service.draft(token, 1, "mine")
        service.draft(other, 1, "theirs")
        assert next(mine).data["segments"][0]["text"] == "mine"
        assert next(theirs).data["segments"][0]["text"] == "theirs"


def connect(service: Service, token: str) -> socket.socket:
    """A reader with a small buffer that asks for events and takes only what it is told to."""
    host, port = service.http.base_url.host, service.http.base_url.port
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    reader.settimeout(20)
    reader.connect((host, port))
    reader.sendall(f"GET /api/sessions/{token}/events HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
    assert reader.recv(12) == b"HTTP/1.1 200"
    return reader


def lines(reader: socket.socket) -> Iterator[str]:
    with reader.makefile(encoding="utf-8", newline="\n") as text:
        for line in text:
            yield line.rstrip("\r\n")


def flood(service: Service, token: str) -> Iterator[int]:
    """Post more text than the buffers between server and reader hold; yields the revisions."""
    text = "x" * 20_000
    for revision in range(1, 41):
        assert service.draft(token, revision, text).status_code == 202
        yield revision


def test_a_slow_reader_skips_to_the_whole_picture_and_others_do_not_notice() -> None:
    with serving(Limits(ring=4), send_buffer=SMALL) as service:
        token = service.create(mode="off")
        with connect(service, token) as slow, service.events(token) as fast:
            for revision in flood(service, token):
                frame = next(fast)
                assert (frame.event, frame.data["revision"]) == ("segments", revision)
            seen = []
            for frame in parse(lines(slow)):
                seen.append(frame)
                if frame.data["revision"] == revision:
                    break
    assert len(seen) < revision
    assert "state" in [frame.event for frame in seen]
    ids = [frame.id for frame in seen]
    assert ids == sorted(set(ids))


def test_a_reader_that_takes_nothing_is_cut_off() -> None:
    with serving(Limits(ring=4), Timing(send_timeout_s=0.2), send_buffer=SMALL) as service:
        token = service.create(mode="off")
        session = service.manager.get(token)
        with connect(service, token) as stuck:
            deadline, revision = time.monotonic() + WAIT_S, 1
            service.draft(token, revision, "first")
            received = b""
            while b"event: segments" not in received:  # the stream's head is there before the stream
                received += stuck.recv(1)
            while session.idle_s == 0:  # more and more, until its reader is gone from the session
                revision += 1
                assert service.draft(token, revision, "x" * 20_000).status_code == 202
                assert time.monotonic() < deadline
            while stuck.recv(1 << 20):  # what follows its buffers is the end
                assert time.monotonic() < deadline


def test_a_reader_that_leaves_is_forgotten(service: Service, token: str) -> None:
    session = service.manager.get(token)
    with service.events(token) as frames:
        service.draft(token, 1, "x")
        next(frames)
        assert session.idle_s == 0
    # A later stream ends after the earlier one's disconnect was seen.
    other = service.create()
    with service.events(other) as frames:
        service.http.delete(f"/api/sessions/{other}")
        list(frames)
    assert session.idle_s > 0


def test_silent_streams_are_pinged() -> None:
    with serving(timing=Timing(ping_s=0.05)) as service:
        token = service.create(mode="off")
        with service.http.stream("GET", f"/api/sessions/{token}/events") as response:
            assert response.headers["cache-control"] == "no-store"
            received = response.iter_lines()
            assert next(received) == "retry: 1000"
            assert next(line for line in received if line.startswith(": ping"))
