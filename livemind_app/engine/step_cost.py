"""How long a forward of k rows takes on this machine: measured once for a model, then read from disk.

<cache>/step_cost/<fingerprint of model, form of its weights, and machine>.json
"""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from livemind_app.decoding.lookahead.cost import CONTEXTS, ROWS, Costs, Seconds
from livemind_app.decoding.lookahead.tree import Tree
from livemind_app.engine.cache import KVCache
from livemind_app.engine.models.store import models_dir
from livemind_app.engine.packed.kv import lengthen

if TYPE_CHECKING:
    from livemind_app.engine.model import LoadedModel

log = logging.getLogger(__name__)

ROUNDS = 4  # the shortest counts: whatever else the machine does only adds to it
PATIENCE_S = 6.0  # after which no third round begins: somebody waits for the model
TEXT = (1, 2, 3, 4)  # any tokens
ALIKE = 0.05  # relative distance of logits; bf16 stays within 0.01, a token too many goes far beyond


def costs(model: "LoadedModel") -> Costs | None:
    """Those on disk, or measured now, in a few seconds; None for a model that cannot look at trees."""
    file = models_dir().parent / "step_cost" / f"{_fingerprint(model)}.json"
    seconds = _read(file)
    if seconds is None:
        try:
            seconds = measure(model) if sees_trees(model) else {}
        except (
            Exception
        ) as error:  # whatever a foreign model raises for a mask; or there is no memory just now
            log.warning("lookahead is off for %s, this time: %s", model.name, type(error).__name__)
            return None
        _write(file, model.name, seconds)
    if not seconds:
        log.warning("lookahead is off for %s: its attention takes no tree", model.name)
    return Costs(seconds) if seconds else None


def sees_trees(model: "LoadedModel") -> bool:
    """Whether rows of a tree get the logits of their own branch; some models place tokens by other means."""
    tree = Tree([5])
    for parent, token in ((0, 6), (0, 7), (2, 8)):
        tree.add(parent, token)
    cache = KVCache()
    model.prefill(TEXT, cache)
    rows = model.verify(tree, cache)
    return all(_alike(rows[row], _alone(model, tree, row)) for row in range(len(tree)))


def _alone(model: "LoadedModel", tree: Tree, row: int) -> Tensor:
    """Logits after the row's branch, a token at a time."""
    cache = KVCache()
    model.prefill(TEXT, cache)
    for ancestor in reversed(tree.ancestors(row)):
        model.decode([tree.tokens[ancestor]], cache)
    assert cache.logits is not None
    return cache.logits


def _alike(a: Tensor, b: Tensor) -> bool:
    return bool((a - b).float().norm() <= ALIKE * b.float().norm())


def measure(model: "LoadedModel") -> Seconds:
    """Seconds by context and rows; all in turns, so that a machine that slows down slows them all."""
    longest = max(1, model.context - ROWS[-1])
    caches = {context: _filled(model, context) for context in {min(c, longest) for c in CONTEXTS}}
    seconds: dict[int, dict[int, list[float]]] = {context: {rows: [] for rows in ROWS} for context in caches}
    began = perf_counter()
    for done in range(ROUNDS):
        if done >= 2 and perf_counter() - began > PATIENCE_S:
            break
        for context, cache in caches.items():
            for rows in ROWS:
                seconds[context][rows].append(_step(model, cache, rows))
    return {context: {k: min(times) for k, times in by_rows.items()} for context, by_rows in seconds.items()}


def _step(model: "LoadedModel", cache: KVCache, rows: int) -> float:
    tree = Tree([1])
    for row in range(rows - 1):
        tree.add(row, 1)
    began = perf_counter()
    int(model.verify(tree, cache)[-1].argmax())  # a GPU has finished when the number is here
    took = perf_counter() - began
    cache.accept([], [], None)
    return took


def _filled(model: "LoadedModel", context: int) -> KVCache:
    """So many tokens."""
    cache = KVCache()
    model.prefill([1], cache)
    lengthen(cache.kv, context - 1)
    cache.ids.extend([1] * (context - 1))
    return cache


def _fingerprint(model: "LoadedModel") -> str:
    network = model.model
    machine = (
        torch.__version__,
        torch.get_num_threads(),
        sorted(torch.cpu.get_capabilities().items()),
        os.cpu_count(),
    )
    modules = sorted({type(module).__name__ for module in network.modules()})
    device = torch.cuda.get_device_name(network.device) if network.device.type == "cuda" else "cpu"
    dtypes = sorted({str(parameter.dtype) for parameter in network.parameters()})
    size = sum(tensor.nbytes for tensor in (*network.parameters(), *network.buffers()))  # 4 bits or 8
    facts = (network.config.to_json_string(), modules, dtypes, size, device, machine, ROWS, CONTEXTS)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _read(file: Path) -> Seconds | None:
    with suppress(OSError, ValueError, KeyError, AttributeError, TypeError):
        stored = json.loads(file.read_text("utf-8"))["seconds"]
        return {int(context): _numbers(by_rows) for context, by_rows in stored.items()}
    return None


def _numbers(by_rows: Mapping[str, float]) -> dict[int, float]:
    return {int(rows): float(seconds) for rows, seconds in by_rows.items()}


def _write(file: Path, name: str, seconds: Seconds) -> None:
    partial = file.with_suffix(f".{os.getpid()}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps({"model": name, "seconds": seconds}, indent=1) + "\n", "utf-8")
        partial.replace(file)
    except OSError as error:
        log.warning("the cost of steps is measured again at every start: %s", error)
