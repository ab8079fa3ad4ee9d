"""The whole server, page and all, on the scripted engine: a process of its own, so that it can be watched."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil

from livemind_app.errors import ConfigError

START_S = 120.0
HISTORY = ("LIVEMIND_HISTORY", "LIVEMIND_HISTORY_TEXTS")  # as it is for users


@contextmanager
def own_server(sessions: int, script: str = "scripted") -> Iterator[tuple[str, psutil.Process]]:
    """Its address and its process. It serves as for users, but counts no rates: all of them are one.

    `script`: `scripted:WORDS:SECONDS` says so many words, one in so many seconds (livemind_app/loading.py).
    """
    from livemind_app.serving.server import address, listen

    with listen("127.0.0.1", 0) as free:
        url, port = address(free), free.getsockname()[1]
    command = [sys.executable, "-m", "livemind_app", "serve", "--llm", script, "--rate", "0"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with TemporaryDirectory() as folder:
        env = environment(os.environ, sessions, Path(folder))
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env) as process:  # noqa: S603 - ourselves
            try:
                _wait(url, process)
                yield url, psutil.Process(process.pid)
            finally:
                process.terminate()


def environment(given: Mapping[str, str], sessions: int, folder: Path) -> dict[str, str]:
    """What the operator chose is left out, but for the history; without one it is kept in `folder`."""
    own = {name: value for name, value in given.items() if name in HISTORY or not _chosen(name)}
    limits = {"LIVEMIND_MAX_SESSIONS": str(sessions), "LIVEMIND_DRAIN_S": "1"}
    return {"LIVEMIND_HISTORY": str(folder / "history.sqlite"), **own, **limits}


def _chosen(name: str) -> bool:
    return name.startswith(("LIVEMIND_", "GRADIO_SERVER_")) or name == "SPACE_ID"


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/api/ready").is_success:
                return
        time.sleep(0.05)
    raise ConfigError("the server of the benchmark did not start; --url names one that runs")
