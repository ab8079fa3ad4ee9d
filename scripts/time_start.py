"""Seconds from the command to the page and to the last model ready, models fetched before; the memory then.

    .venv/bin/python scripts/time_start.py --rounds 4 --preset base

What this script does not know goes to `livemind serve`.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

APP = Path(__file__).parents[1] / "app.py"
POLL_S = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", default="7997")
    args, options = parser.parse_known_args()
    for _ in range(args.rounds):
        page, ready, held = start([*options, "--port", args.port], f"http://127.0.0.1:{args.port}")
        print(f"page {page:.1f} s, models {ready:.1f} s, {held}", flush=True)


def start(options: Sequence[str], url: str) -> tuple[float, float, str]:
    """Raises RuntimeError if the server ends before it is ready."""
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, APP, *options], stdout=subprocess.DEVNULL) as server:
        try:
            wait(server, url, lambda response: True)
            page = time.perf_counter() - began
            wait(server, f"{url}/api/health", lambda response: states(response) == {"ready"})
            return page, time.perf_counter() - began, memory(server.pid)
        finally:
            server.terminate()


def wait(server: "subprocess.Popen[bytes]", url: str, done: Callable[[httpx.Response], bool]) -> None:
    while server.poll() is None:
        try:
            if done(httpx.get(url)):
                return
        except httpx.TransportError:
            pass  # nobody listens yet
        time.sleep(POLL_S)
    raise RuntimeError("the server ended")


def memory(process: int) -> str:
    """As Linux counts it, mapped files included."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    now, most = (int(status[field].split()[0]) * 1024 / 1e9 for field in ("VmRSS", "VmHWM"))
    return f"{now:.2f} GB resident, {most:.2f} GB at most"


def states(response: httpx.Response) -> set[str]:
    return {model["state"] for model in response.json()["models"]}


if __name__ == "__main__":
    main()
