"""A cluster of Ray's on this machine, on the scripted engine."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from livemind_app.serving.server import listen
from tests.load.conftest import FULL
from tests.load.replica import PROCESS

NEEDED = [
    pytest.mark.skipif(not find_spec("ray"), reason="there is no Ray: pip install livemind-app[cluster]"),
    pytest.mark.skipif(not FULL, reason="make test-load; it starts a Ray cluster"),
    pytest.mark.timeout(600),
]
START_S = 300.0


@dataclass
class Cluster:
    http: httpx.Client
    folder: Path  # of Ray, with its logs
    process: "subprocess.Popen[str]"

    @property
    def url(self) -> str:
        return str(self.http.base_url)

    def begin(self) -> httpx.Response:
        return self.http.post("/api/sessions", json={"options": {"lanes": ["live"]}})

    def create(self) -> tuple[str, int]:
        """A session, and the process that has it."""
        response = self.begin()
        assert response.status_code == 201, response.text
        return response.json()["session"], int(response.headers[PROCESS])

    def draft(self, token: str, revision: int, text: str) -> httpx.Response:
        return self.http.put(f"/api/sessions/{token}/draft", json={"revision": revision, "text": text})

    def submit(self, token: str, revision: int, text: str) -> httpx.Response:
        return self.http.post(f"/api/sessions/{token}/submit", json={"revision": revision, "text": text})

    def both(self) -> dict[int, str]:
        """A session of each replica; waits until there are two."""
        found: dict[int, str] = {}
        end = time.monotonic() + START_S
        while len(found) < 2:
            assert time.monotonic() < end
            token, process = self.create()
            if found.setdefault(process, token) != token:
                assert self.http.delete(f"/api/sessions/{token}").status_code == 204
        return found


@contextmanager
def starting(*options: str) -> Iterator[Cluster]:
    """A cluster with these options of tests/load/replica.py."""
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="lm"))  # short: Ray puts sockets below it
    command = [sys.executable, "-m", "tests.load.replica", str(port), *options]
    environment = {**os.environ, "RAY_TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            _wait_for_line(process, "LiveMind is at")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
                yield Cluster(http, folder, process)
        finally:
            process.terminate()
            process.wait(60)
            shutil.rmtree(folder, ignore_errors=True)


def _wait_for_line(process: "subprocess.Popen[str]", begins: str) -> None:
    found = threading.Event()

    def read() -> None:
        assert process.stdout
        for line in process.stdout:  # to its end, or the pipe fills
            if line.startswith(begins):
                found.set()

    threading.Thread(target=read, daemon=True).start()
    end = time.monotonic() + START_S
    while not found.wait(1):
        assert process.poll() is None, "the cluster did not start"
        assert time.monotonic() < end
