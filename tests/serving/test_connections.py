"""Connections that say nothing, or too slowly, or take nothing, are let go of; and there are only so many."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from livemind_app.serving.access import Access
from livemind_app.serving.addresses import Proxies, TrustedProxies
from livemind_app.serving.app import Timing
from livemind_app.serving.connections import ConnectionLimits
from livemind_app.session.limits import Limits
from tests.serving.conftest import WAIT_S, Service, refusal, serving, until

HEALTH = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n"
SHORT_S = 0.3


@pytest.fixture(scope="module")
def hurried() -> Iterator[Service]:
    with serving(connections=ConnectionLimits(head_s=SHORT_S)) as service:
        yield service


@contextmanager
def connected(service: Service, said: bytes = b"", source: str = "127.0.0.1") -> Iterator[socket.socket]:
    where = (service.http.base_url.host, service.http.base_url.port)
    with socket.create_connection(where, timeout=WAIT_S, source_address=(source, 0)) as connection:
        connection.sendall(said)
        yield connection


def closed(connection: socket.socket) -> bool:
    """Whether the server ends it; what it said before is passed over."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def let_go(service: Service, but: int = 0) -> bool:
    """Whether the server keeps no more of the connections than so many."""
    end = time.monotonic() + WAIT_S
    while len(service.server.server_state.connections) > but and time.monotonic() < end:
        time.sleep(0.01)
    return len(service.server.server_state.connections) <= but


@pytest.mark.parametrize("said", [b"", b"\r\n\r\n", b"GET /api/hea", HEALTH], ids=str)
def test_a_head_that_does_not_come_is_not_waited_for(hurried: Service, said: bytes) -> None:
    with connected(hurried, said) as connection:
        assert closed(connection)


@pytest.mark.parametrize("said", [b"\r\n", b"GET /api/hea"], ids=str)
def test_nor_is_a_later_one(hurried: Service, said: bytes) -> None:
    with connected(hurried, HEALTH + b"\r\n") as connection:
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.sendall(said)
        assert closed(connection)


def test_nor_is_a_password_that_does_not_come() -> None:
    """Before anybody has logged in."""
    form = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    timing = Timing(body_timeout_s=SHORT_S)
    with (
        serving(access=Access(password="secret"), timing=timing) as service,
        connected(service, form + b"Content-Length: 100\r\n\r\npass") as connection,
    ):
        with connection.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert json.loads(body)["error"]["code"] == "request_timeout"


def test_nor_is_a_body_that_was_refused(hurried: Service) -> None:
    head = b"PUT /api/sessions/x/draft HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n"
    with connected(hurried, head) as connection:
        assert connection.recv(12) == b"HTTP/1.1 413"
        connection.sendall(b"{")
        assert closed(connection)


@pytest.mark.parametrize("before", [b"", HEALTH + b"\r\n"], ids=["first", "later"])
def test_a_head_that_comes_byte_by_byte_is_cut_off(hurried: Service, before: bytes) -> None:
    began = time.monotonic()
    with connected(hurried, before) as connection:
        connection.settimeout(SHORT_S / 10)
        for byte in HEALTH + b"X-Long: " + b"x" * 10_000:
            try:
                connection.sendall(bytes([byte]))
                if connection.recv(65536) == b"":
                    break
            except TimeoutError:
                assert time.monotonic() - began < WAIT_S
            except ConnectionError:
                break
        else:
            pytest.fail("it was still open")


def test_who_asked_in_time_is_answered_for_as_long_as_it_takes(hurried: Service) -> None:
    token = hurried.create(mode="off")
    with hurried.events(token) as frames:
        time.sleep(2 * SHORT_S)
        assert hurried.draft(token, 1, "Hello there.").status_code == 202
        until(frames, "segments")


def test_beyond_so_many_connections_others_are_told_to_come_back() -> None:
    most = 3
    with serving(connections=ConnectionLimits(connections=most, head_s=WAIT_S)) as service:
        service.http.close()
        assert let_go(service)
        with connected(service), connected(service) as second, connected(service):
            for _ in range(5):
                with connected(service) as refused, refused.makefile("rb") as answer:
                    head, _, body = answer.read().partition(b"\r\n\r\n")
                    assert head.startswith(b"HTTP/1.1 503 ")
                    assert b"\r\nretry-after: 5\r\n" in head
                    assert json.loads(body)["error"]["code"] == "too_many_connections"
            second.close()
            assert let_go(service, but=most - 1)
            with connected(service, HEALTH + b"\r\n") as taken:
                assert taken.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("last", [b"Connection: close\r\n\r\n", b"\r\n"], ids=["closing", "kept"])
def test_a_reader_who_takes_nothing_is_cut_off(last: bytes) -> None:
    document = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n"
    limits = ConnectionLimits(stall_s=SHORT_S, head_s=WAIT_S)
    with serving(connections=limits, send_buffer=4096) as service:
        service.http.close()
        assert let_go(service)
        with connected(service) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall((document + b"\r\n") * 20 + document + last)
            assert connection.recv(12) == b"HTTP/1.1 200"
            assert let_go(service)


def test_one_address_cannot_take_all_connections() -> None:
    most = 3
    limits = ConnectionLimits(per_address=most, proxies=TrustedProxies(()), head_s=WAIT_S)
    with serving(connections=limits) as service:
        service.http.close()
        assert let_go(service)
        with connected(service), connected(service), connected(service):
            with connected(service) as refused, refused.makefile("rb") as answer:
                head, _, body = answer.read().partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 429 ")
            assert b"\r\nretry-after: 5\r\n" in head
            assert json.loads(body)["error"]["code"] == "too_many_connections"
            with connected(service, HEALTH + b"\r\n", source="127.0.0.2") as other:
                assert other.recv(12) == b"HTTP/1.1 200"
        assert let_go(service)
        with connected(service, HEALTH + b"\r\n") as again:
            assert again.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("proxies", [None, 1, ("127.0.0.1",)], ids=str)
def test_a_proxy_that_is_believed_is_many_users(proxies: Proxies | None) -> None:
    limits = ConnectionLimits(per_address=1, proxies=TrustedProxies(proxies))
    with (
        serving(connections=limits) as service,
        connected(service),
        connected(service, HEALTH + b"\r\n") as second,
    ):
        assert second.recv(12) == b"HTTP/1.1 200"


def test_its_users_are_counted_by_their_open_requests() -> None:
    one, other = {"X-Forwarded-For": "203.0.113.1"}, {"X-Forwarded-For": "203.0.113.2"}
    with serving(access=Access(at_once=2)) as service:
        token = service.create(mode="off")
        with service.events(token, **one) as frames, service.events(token, **one):
            refused = service.http.get("/api/health", headers=one)
            assert refusal(refused) == (429, "too_many_requests")
            assert int(refused.headers["retry-after"]) > 0
            assert service.http.get("/api/health", headers=other).status_code == 200
            with service.events(token), service.events(token), service.events(token):
                pass  # this machine's own user
            service.draft(token, 1, "Hello there.")
            until(frames, "segments")
        end = time.monotonic() + WAIT_S
        while service.http.get("/api/health", headers=one).status_code != 200:  # when both have ended
            assert time.monotonic() < end


def test_of_too_many_readers_of_one_session_the_oldest_ends() -> None:
    with serving(Limits(readers=2)) as service:
        token = service.create(mode="off")
        with (
            service.events(token) as oldest,
            service.events(token) as second,
            service.events(token) as newest,
        ):
            assert list(oldest) == []
            service.draft(token, 1, "Hello there.")
            for frames in (second, newest):
                until(frames, "segments")
