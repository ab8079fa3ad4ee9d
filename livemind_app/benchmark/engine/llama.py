"""llama-server on the same GGUF file with as many threads, as a yardstick. It is no part of LiveMind."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from livemind_app.benchmark.engine.subjects import Answer
from livemind_app.errors import ConfigError

LLAMA = "llama-server"
START_S, ANSWER_S = 120, 600  # longest waits


class LlamaServer:
    """One that is running."""

    name = LLAMA

    def __init__(self, url: str) -> None:
        self._url = url

    def answer(self, ids: Sequence[int], tokens: int) -> Answer:
        """By the server's own clock, so that HTTP does not count.

        That of the prompt runs until the first token is drawn, that of generation from there.
        """
        options = {"temperature": 0, "ignore_eos": True, "cache_prompt": False}
        said = self._post({"prompt": list(ids), "n_predict": tokens, **options})["timings"]
        return Answer(said["prompt_ms"] / 1000, said["predicted_ms"] / 1000, said["predicted_n"] - 1)

    def _post(self, body: dict[str, Any]) -> Any:
        request = Request(  # noqa: S310 - our own server
            f"{self._url}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urlopen(request, timeout=ANSWER_S) as response:  # noqa: S310
            return json.load(response)


@contextmanager
def llama_server(program: Path, model: Path, threads: int, context: int) -> Iterator[LlamaServer]:
    """Started, ready to answer, and stopped in the end."""
    port = _free_port()
    options = {"-m": model, "-t": threads, "-tb": threads, "-c": context, "-np": 1, "--port": port}
    command = [str(program), *(str(part) for pair in options.items() for part in pair)]
    try:
        process = subprocess.Popen(  # noqa: S603 - the program that the user named
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError as error:
        raise ConfigError(f"--llama-server: {program} does not start ({type(error).__name__})") from error
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process)
        yield LlamaServer(url)
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + START_S
    while time.monotonic() < ends and process.poll() is None:
        with suppress(URLError, OSError), urlopen(f"{url}/health", timeout=5):  # noqa: S310
            return
        time.sleep(0.1)
    raise ConfigError(f"--llama-server: it ended or was not ready within {START_S} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
