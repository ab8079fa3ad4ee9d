"""A server on the scripted engine, in a process of its own, so that its memory can be watched.

python -m livemind_app.benchmark.load.server PORT SESSIONS WORDS SECONDS
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from livemind_app.errors import ConfigError

TOKEN_S = 0.002  # of the scripted engine: fast, so that the server is what is measured
START_S = 60.0


@contextmanager
def own_server(sessions: int, words: int = 0, token_s: float = TOKEN_S) -> Iterator[tuple[str, int]]:
    """Its address and process id. `words`: that the engine has to say (0: a short sentence)."""
    from livemind_app.serving.server import address, listen

    with listen("127.0.0.1", 0) as free:
        url, port = address(free), free.getsockname()[1]
    command = [sys.executable, "-m", __name__, str(port), *map(str, (sessions, words, token_s))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - ourselves
        try:
            _wait(url, process)
            yield url, process.pid
        finally:
            process.terminate()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/api/ready").is_success:
                return
        time.sleep(0.05)
    raise ConfigError("the server of the benchmark did not start; --url names one that runs")


def main() -> None:
    from livemind_app.engine.scripted import ScriptedEngine, default_script
    from livemind_app.serving.app import create_api
    from livemind_app.serving.server import Server, listen
    from livemind_app.session.limits import Limits
    from livemind_app.session.manager import SessionManager

    port, sessions, words = map(int, sys.argv[1:4])
    reply = " ".join(f"word{number}" for number in range(words))
    engine = ScriptedEngine(
        lambda role, prompt: reply or default_script(role, prompt),
        token_s=float(sys.argv[4]),
        recorded=False,  # hours of load would fill the memory
    )
    manager = SessionManager(engine, Limits(max_sessions=sessions))
    with listen("127.0.0.1", port) as listening:
        app = create_api(manager, engine.status)
        Server(app, listening, end_streams=manager.close).run()
    engine.close()


if __name__ == "__main__":
    main()
