"""Datasets by their names on the Hugging Face hub: fetched once, then kept as JSON Lines.

    ORG/NAME[@CONFIG][#SPLIT]       openai/gsm8k, cais/mmlu@all#validation

Rows come from the hub's dataset viewer, which gives any dataset as JSON, a hundred rows at a time.

    <cache>/datasets/<org>--<name>--<config>--<split>.jsonl.gz
"""

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from livemind_app.engine.models.store import models_dir
from livemind_app.errors import ConfigError

VIEWER = "https://datasets-server.huggingface.co"
PAGE = 100  # rows; the viewer gives no more
PATIENCE_S = 20.0
NAME = re.compile(r"(?P<dataset>[\w.-]+/[\w.-]+?)(@(?P<config>[\w.-]+))?(#(?P<split>[\w.-]+))?")
FILES = (".jsonl", ".json", ".gz", ".txt")
CONFIGS, SPLITS = ("default", "main", "all"), ("test", "validation", "dev")  # taken first


def located(name: str, transport: httpx.BaseTransport | None = None) -> Path:
    """The file of that name, or the dataset's rows. Raises ConfigError where they cannot be had."""
    path, named = Path(name), NAME.fullmatch(name)
    if path.exists() or not named or name.endswith(FILES):
        return path
    try:
        with httpx.Client(base_url=VIEWER, timeout=PATIENCE_S, transport=transport) as viewer:
            return _kept(viewer, named["dataset"], named["config"], named["split"])
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if status in (401, 403, 404):
            raise ConfigError(f"--data: {name} is no file, and the hub shows no such dataset") from error
        raise ConfigError(f"--data: the hub answered {status} for {name}; try again later") from error
    except httpx.HTTPError as error:
        raise ConfigError(
            f"--data: {name} is no file, and the hub cannot be reached ({type(error).__name__}); "
            "name a file, or fetch the dataset where there is a network"
        ) from error


def _kept(viewer: httpx.Client, dataset: str, config: str | None, split: str | None) -> Path:
    folder, label = models_dir().parent / "datasets", dataset.replace("/", "--")
    if config and split and (file := folder / f"{label}--{config}--{split}.jsonl.gz").is_file():
        return file
    known = _get(viewer, "/splits", dataset=dataset)["splits"]
    config = config or _first(CONFIGS, [each["config"] for each in known])
    split = split or _first(SPLITS, [each["split"] for each in known if each["config"] == config])
    if not any((each["config"], each["split"]) == (config, split) for each in known):
        offered = ", ".join(f"{dataset}@{each['config']}#{each['split']}" for each in known[:8])
        raise ConfigError(f"--data: {dataset} has no {config}#{split}; it has {offered}")
    file = folder / f"{label}--{config}--{split}.jsonl.gz"
    if not file.is_file():
        _write(file, _rows(viewer, dataset=dataset, config=config, split=split))
    return file


def _first(wanted: Sequence[str], offered: Sequence[str]) -> str:
    return next((name for name in wanted if name in offered), offered[0] if offered else "")


def _rows(viewer: httpx.Client, **where: str) -> Iterator[dict[str, Any]]:
    at, total = 0, 1
    while at < total:
        page = _get(viewer, "/rows", **where, offset=at, length=PAGE)
        total = page["num_rows_total"]
        cut = any(each["truncated_cells"] for each in page["rows"])
        if cut or page.get("partial") or not page["rows"]:
            raise ConfigError(f"--data: the hub gives {where['dataset']} in part only; download its files")
        yield from (each["row"] for each in page["rows"])
        at += len(page["rows"])


def _get(viewer: httpx.Client, path: str, **query: str | int) -> dict[str, Any]:
    response = viewer.get(path, params=query).raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


def _write(file: Path, rows: Iterator[dict[str, Any]]) -> None:
    """The whole file or none of it; the same rows give the same bytes."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    partial = file.with_name(file.name + ".partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(gzip.compress(text.encode(), mtime=0))
        partial.replace(file)
    except OSError as error:
        raise ConfigError(f"--data: cannot write {file} ({type(error).__name__})") from error
