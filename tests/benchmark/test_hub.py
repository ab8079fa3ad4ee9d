"""Datasets by name: the hub's dataset viewer, played by a transport."""

from pathlib import Path

import httpx
import pytest

from livemind_app.benchmark.typing.datasets import load
from livemind_app.benchmark.typing.hub import PAGE, located
from livemind_app.errors import ConfigError

ROWS = [{"question": f"1 + {n}?", "answer": f"It is.\n#### {n + 1}"} for n in range(PAGE + 5)]


class Viewer(httpx.BaseTransport):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        query = request.url.params
        if query["dataset"] != "openai/gsm8k":
            return httpx.Response(404, json={"error": "no such dataset"}, request=request)
        if request.url.path == "/splits":
            splits = [{"config": c, "split": s} for c in ("socratic", "main") for s in ("train", "test")]
            return httpx.Response(200, json={"splits": splits}, request=request)
        assert (query["config"], query["split"]) == ("main", "test")
        start = int(query["offset"])
        page = [{"row": row, "truncated_cells": []} for row in ROWS[start : start + int(query["length"])]]
        return httpx.Response(200, json={"rows": page, "num_rows_total": len(ROWS)}, request=request)


class Offline(httpx.BaseTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no network", request=request)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEMIND_CACHE", str(tmp_path / "cache"))


def test_a_dataset_is_fetched_once_and_then_needs_no_network() -> None:
    viewer = Viewer()
    path = located("openai/gsm8k", viewer)
    (source,) = load([path])
    assert [question.key for question in source.questions] == [str(n + 1) for n in range(len(ROWS))]
    assert viewer.asked == ["/splits", "/rows", "/rows"]
    assert located("openai/gsm8k@main#test", Offline()) == path
    assert source.sha256 == load([located("openai/gsm8k", viewer)])[0].sha256


def test_what_cannot_be_had_is_told() -> None:
    with pytest.raises(ConfigError, match=r"cannot be reached .*name a file"):
        located("openai/gsm8k", Offline())
    with pytest.raises(ConfigError, match="shows no such dataset"):
        located("nobody/nothing", Viewer())
    with pytest.raises(ConfigError, match=r"has no main#dev; it has .*openai/gsm8k@main#test"):
        located("openai/gsm8k#dev", Viewer())
    down = httpx.MockTransport(lambda request: httpx.Response(503, request=request))
    with pytest.raises(ConfigError, match=r"answered 503.*later"):
        located("openai/gsm8k", down)


def test_half_a_dataset_is_not_kept() -> None:
    def cut(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/splits":
            return httpx.Response(
                200, json={"splits": [{"config": "default", "split": "test"}]}, request=request
            )
        rows = [{"row": {}, "truncated_cells": ["question"]}]
        return httpx.Response(200, json={"rows": rows, "num_rows_total": 1}, request=request)

    with pytest.raises(ConfigError, match="in part only"):
        located("some/long", httpx.MockTransport(cut))
    with pytest.raises(ConfigError, match="cannot be reached"):
        located("some/long", Offline())


def test_files_stay_files(tmp_path: Path) -> None:
    for name in ("folder/missing.jsonl", "missing.gz", str(tmp_path)):
        assert located(name, Offline()) == Path(name)
