"""Real servers on loopback: `make test-servers`, which installs them into environments of their own."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from livemind_app.engine.loading import load_engine
from livemind_app.engine.models.prepare import prepare
from livemind_app.engine.split import OwnedEngine

MODEL = "smollm2-135m"
START_S = 300.0
ENVIRONMENT = {
    "VLLM_HOST_IP": "127.0.0.1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
}
OPTIONS = (
    *("--served-model-name", "smol", "--host", "127.0.0.1", "--dtype", "bfloat16", "--enforce-eager"),
    *("--block-size", "32", "--max-num-seqs", "8", "--max-num-batched-tokens", "512"),
    *("--enable-prompt-tokens-details", "--scheduling-policy", "priority", "--max-model-len", "4096"),
)


@dataclass
class RealServer:
    """vLLM as a process that can be killed, stopped and started again."""

    port: int
    log: Path

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> "RealServer":
        folder = prepare(MODEL, lambda progress: None)
        command = [os.environ["LIVEMIND_VLLM"], "-m", "vllm.entrypoints.openai.api_server"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--model", str(folder), "--port", str(self.port), *OPTIONS],
                env=os.environ | ENVIRONMENT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def wait(self) -> "RealServer":
        end = time.monotonic() + START_S
        while time.monotonic() < end and self._process.poll() is None:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.base}/models", timeout=2).status_code == httpx.codes.OK:
                    return self
            time.sleep(0.2)
        pytest.fail(f"vLLM did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    def kill(self, number: int = signal.SIGKILL) -> None:
        """It and all its workers."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        self._process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    server = RealServer(_free_port(), tmp_path_factory.mktemp("vllm") / "log").start().wait()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def engine(server: RealServer) -> Iterator[OwnedEngine]:
    with connected(server) as engine:
        yield engine


@contextmanager
def connected(server: RealServer) -> Iterator[OwnedEngine]:
    name = f"{server.base}#smol"
    with closing(load_engine(llm=name, slm=name)) as engine:
        engine.wait()
        yield engine


def _free_port() -> int:
    from livemind_app.serving.server import listen

    with listen("127.0.0.1", 0) as free:
        port: int = free.getsockname()[1]
        return port
