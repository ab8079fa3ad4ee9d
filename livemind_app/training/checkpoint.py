"""A trained part as a folder: `part-000.safetensors`, … of less than 10 MB each, and `checkpoint.json`.

Small files go anywhere, Spaces without LFS included. The JSON says what was trained, on which data, by which
command, and the hash of every file; what does not agree is refused.
"""

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from livemind_app.engine.models.store import publish
from livemind_app.errors import ModelError

META = "checkpoint.json"
SHARD_BYTES = 9_500_000


def save(
    folder: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any], dtype: torch.dtype = torch.float16
) -> None:
    """Write the whole folder beside its place, then put it there in one step."""
    partial = folder.with_name(folder.name + ".partial")
    rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    files = {}
    for number, shard in enumerate(_shards({name: t.to("cpu", dtype) for name, t in tensors.items()})):
        path = partial / f"part-{number:03d}.safetensors"
        save_file(shard, path)
        files[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    text = json.dumps({**meta, "files": files}, indent=2, ensure_ascii=False)
    (partial / META).write_text(text + "\n", encoding="utf-8")
    publish(partial, folder)


def read_meta(folder: Path) -> dict[str, Any]:
    """Only the JSON. Raises ModelError where there is none or it cannot be read."""
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} holds no checkpoint ({type(error).__name__} at {META})") from error
    if not isinstance(meta, dict) or not isinstance(meta.get("files"), dict):
        raise ModelError(f"{folder / META} is not the description of a checkpoint")
    return meta


def load(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors in fp32 and the JSON. Raises ModelError for what is missing or was changed."""
    meta, tensors = read_meta(folder), {}
    for name, digest in meta["files"].items():
        try:
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                raise ModelError(f"{folder / name} is not the file that {META} describes; fetch it again")
            tensors.update(load_file(folder / name))
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{folder / name} cannot be read ({type(error).__name__})") from error
    return {name: tensor.float() for name, tensor in tensors.items()}, meta


def command_line(arguments: Sequence[str]) -> str:
    """For the JSON: files by their last names, as folders are this machine's.

    >>> command_line(["train", "x", "--data", "/home/a/text/b.txt,c.txt"])
    'livemind train x --data text/b.txt,c.txt'
    """
    return shlex.join(["livemind", *(",".join(map(_placeless, one.split(","))) for one in arguments)])


def _placeless(name: str) -> str:
    return "/".join(Path(name).parts[-2:]) if Path(name).is_absolute() else name


def _shards(tensors: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    shard: dict[str, Tensor] = {}
    size = 0
    for name, tensor in tensors.items():
        if shard and size + tensor.nbytes > SHARD_BYTES:
            yield shard
            shard, size = {}, 0
        shard[name] = tensor.contiguous()
        size += tensor.nbytes
    if shard:
        yield shard
