"""Starting and stopping: addresses, signals, shutdown with open streams."""

import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from livemind_app.errors import ConfigError
from livemind_app.serving.server import SHUTDOWN_S, address, listen
from tests.serving.conftest import parse, serving

PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.serving.app import create_api
from livemind_app.serving.server import Server, listen
from livemind_app.session.manager import SessionManager

engine = ScriptedEngine()
manager = SessionManager(engine)
with listen("127.0.0.1", 0) as listening:
    announce = lambda line: print(line, flush=True)
    app = create_api(manager)
    server = Server(app, listening, end_streams=manager.close, announce=announce)
    try:
        server.run()
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_shutdown_does_not_wait_for_open_streams() -> None:
    with serving() as service:
        streams = [service.events(service.create()) for _ in range(3)]
        frames = [stream.__enter__() for stream in streams]
        began = time.monotonic()
        service.stop()
        assert time.monotonic() - began < SHUTDOWN_S
        for stream, rest in zip(streams, frames, strict=True):
            assert list(rest) == []  # ended as a stream should, not cut
            stream.__exit__(None, None, None)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_a_signal_ends_the_process_with_its_streams(number: int, status: int) -> None:
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            url = process.stdout.readline().split()[-1]
            with httpx.Client(base_url=url, timeout=20) as http:
                token = http.post("/api/sessions", json={}).json()["session"]
                with http.stream("GET", f"/api/sessions/{token}/events") as response:
                    process.send_signal(number)
                    assert list(parse(response.iter_lines())) == []
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, errors) == (status, "")


def test_a_port_that_is_taken() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1 port {port} .*--port"):
            listen("127.0.0.1", port)


def test_a_host_that_is_none() -> None:
    with pytest.raises(ConfigError, match=r"256\.256\.256\.256"):
        listen("256.256.256.256", 0)


def test_addresses_are_ones_a_browser_opens() -> None:
    with listen("0.0.0.0", 0) as everywhere:
        assert address(everywhere) == f"http://127.0.0.1:{everywhere.getsockname()[1]}"
    if socket.has_ipv6:
        try:
            six = listen("::1", 0)
        except ConfigError:
            pytest.skip("no IPv6 here")
        with six:
            assert address(six) == f"http://[::1]:{six.getsockname()[1]}"
