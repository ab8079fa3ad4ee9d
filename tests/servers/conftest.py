"""Real servers on loopback: `make test-servers`, which installs them into environments of their own."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

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
    """A process that can be killed, stopped and started again."""

    name: str
    port: int
    log: Path
    command: Sequence[str]  # to which the port is added

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> "RealServer":
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [os.environ["LIVEMIND_VLLM"], "-m", *self.command, "--port", str(self.port)],
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
        pytest.fail(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    def running(self) -> float:
        """Requests that a vLLM computes at this moment."""
        metrics = httpx.get(f"{self.base.removesuffix('/v1')}/metrics", timeout=5).text
        samples = (one for family in text_string_to_metric_families(metrics) for one in family.samples)
        return sum(one.value for one in samples if one.name == "vllm:num_requests_running")

    def send(self, number: int) -> None:
        """To it and all its workers."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.send(number)
        self._process.wait()


def vllm(folder: Path, *options: str) -> RealServer:
    model = str(prepare(MODEL, lambda progress: None))
    command = ("vllm.entrypoints.openai.api_server", "--model", model, *OPTIONS, *options)
    return RealServer("vLLM", _free_port(), folder / "log", command)


def router(folder: Path, workers: Sequence[RealServer]) -> RealServer:
    """sglang-router: who has read the beginning of a prompt gets the rest, and who is dead gets nothing."""
    urls = (worker.base.removesuffix("/v1") for worker in workers)
    policy = ("--policy", "cache_aware", "--host", "127.0.0.1", "--prometheus-port", str(_free_port()))
    command = ("sglang_router.launch_router", "--worker-urls", *urls, *policy)
    return RealServer("sglang-router", _free_port(), folder / "log", command)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    server = vllm(tmp_path_factory.mktemp("vllm")).start().wait()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def engine(server: RealServer) -> Iterator[OwnedEngine]:
    with connected(server) as engine:
        yield engine


@contextmanager
def connected(server: RealServer) -> Iterator[OwnedEngine]:
    name = f"{server.base}?tokenizer={prepare(MODEL, lambda progress: None)}#smol"
    with closing(load_engine(llm=name, slm=name)) as engine:
        engine.wait()
        yield engine


def _free_port() -> int:
    from livemind_app.serving.server import listen

    with listen("127.0.0.1", 0) as free:
        port: int = free.getsockname()[1]
        return port
