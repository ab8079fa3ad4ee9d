"""The largest preset that this machine can hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from livemind_app.engine.models import store
from livemind_app.engine.models.catalogue import (
    CATALOGUE,
    DEFAULT_PRESET,
    PRESETS,
    Preset,
    memory_bytes,
    preset,
)
from livemind_app.protocol import Role

NONE: Mapping[Role, str] = MappingProxyType({})


@dataclass(frozen=True)
class Fit:
    """The preset to use, and a sentence for each larger one that was passed over."""

    preset: Preset
    reasons: tuple[str, ...] = ()


def fit(
    name: str = DEFAULT_PRESET,
    free_memory: int | None = None,
    free_disk: int | None = None,
    weight_bytes: int = 2,
    instead: Mapping[Role, str] = NONE,
) -> Fit:
    """Step down from `name` until memory and disk suffice; the smallest preset is never refused here.

    None measures this machine. Converted models need no disk. `weight_bytes` is 4 for fp32. `instead`: models
    that take the preset's places; what is not in the catalogue, as on a server, is not counted.
    """
    memory = _available_memory() if free_memory is None else free_memory
    disk = store.free_disk() if free_disk is None else free_disk
    reasons: list[str] = []
    chosen = preset(name)
    for smaller in _smaller_than(chosen):
        models = _known({**chosen.names, **instead}.values())
        if not (short := _shortage(models, memory, disk, weight_bytes)):
            break
        reasons.append(f"{chosen.name} -> {smaller.name}: {short}")
        chosen = smaller
    return Fit(chosen, tuple(reasons))


def _smaller_than(chosen: Preset) -> list[Preset]:
    order = list(PRESETS.values())
    return order[order.index(chosen) + 1 :]


def shortage(models: Iterable[str], weight_bytes: int = 2) -> str:
    """What this machine has too little of now for these models; nothing where that is not known."""
    known = _known(models)
    return _shortage(known, _available_memory(), store.free_disk(), weight_bytes) if known else ""


def _known(models: Iterable[str]) -> list[str]:
    return [model for model in dict.fromkeys(models) if model in CATALOGUE]


def _shortage(models: Sequence[str], memory: int, disk: int, weight_bytes: int) -> str:
    """Why these do not fit, or nothing."""
    needs = {
        "memory": (memory_bytes(models, weight_bytes), memory),
        "disk": (sum(store.disk_needed(model) for model in models), disk),
    }
    return " and ".join(
        f"it needs {_gb(needed)} of {what}, {_gb(free)} is free"
        for what, (needed, free) in needs.items()
        if needed > free
    )


def _available_memory() -> int:
    """Of the machine, or of the container where that has less."""
    import psutil

    return min(int(psutil.virtual_memory().available), *_left_in_container(Path("/sys/fs/cgroup")))


def _left_in_container(group: Path) -> Iterator[int]:
    """By its limit and what it uses, as far as that cannot be taken back: of control groups v2, and v1."""
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):  # "max": no limit
            most, now = (int((group / name).read_text("utf-8")) for name in (limit, used))
            stat = (group / limit).parent.joinpath("memory.stat").read_text("utf-8")
            cached = dict(line.split() for line in stat.splitlines()).get("inactive_file", "0")
            yield max(0, most - now + int(cached))


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
