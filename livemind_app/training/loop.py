"""Steps, rates, evaluation, and a state on disk from which a killed run goes on where it was.

What a step sees depends on its number alone, so a run that was killed and resumed sees what one that
never stopped would have.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from livemind_app.errors import ConfigError
from livemind_app.training.precision import best

STATE, LOG = "state.pt", "log.jsonl"
CLIP = 1.0  # of the gradients' norm
SMOOTHING = 0.98  # of the loss in the progress bar


@dataclass(frozen=True)
class Plan:
    """How long a training takes and how its rates change."""

    steps: int
    warmup: int = 100  # steps from rate 0
    decay: float = 0.25  # share of the steps at the end in which rates fall to 0
    evaluate_every: int = 500
    save_every_s: float = 120.0
    minutes: float | None = None  # stop after so long, to be resumed another time
    dtype: torch.dtype | None = torch.float32  # of steps; None: as the run was begun, or the best here

    def rate(self, step: int) -> float:
        """Factor on all learning rates: warm up, hold, fall."""
        falling = self.steps * self.decay
        left = (self.steps - step) / falling if falling else 1.0
        return min(1.0, (step + 1) / max(1, self.warmup), left)


class Task(Protocol):
    """What is trained."""

    @property
    def module(self) -> nn.Module:
        """Holds everything that is trained; what it freezes is not kept in the state."""
        ...

    def groups(self) -> list[dict[str, Any]]:
        """AdamW's parameter groups, each with its `lr`."""
        ...

    def loss(self, step: int) -> tuple[Tensor, Mapping[str, float]]:
        """Of this step's batch, with figures for the log."""
        ...

    def evaluate(self) -> Mapping[str, Any]:
        """Figures and samples on held-out data."""
        ...


def train(task: Task, folder: Path, plan: Plan, settings: Mapping[str, Any], *, resume: bool) -> bool:
    """Train in `folder`, which gets state.pt and log.jsonl; True when all steps are done.

    Raises ConfigError where `folder` has a run and `resume` is not set, or one with other settings.
    """
    device = next(task.module.parameters()).device.type
    optimizer = torch.optim.AdamW(task.groups(), weight_decay=0.01, betas=(0.9, 0.98))
    rates = [group["lr"] for group in optimizer.param_groups]
    state = _state(folder, settings, resume=resume)
    dtype = _dtype(folder, plan, state, device)
    begin = _restore(task, optimizer, state) if state else 0
    saved = started = monotonic()
    step = begin
    with _asked_to_stop() as stop, (folder / LOG).open("a", encoding="utf-8") as log:
        for step in _bar(begin, plan.steps):
            with torch.autocast(device, dtype, enabled=dtype != torch.float32):
                loss, figures = task.loss(step)
            _learn(optimizer, loss, [rate * plan.rate(step) for rate in rates])
            row: dict[str, Any] = {"loss": float(loss.detach()), **figures}
            done = step + 1
            late = plan.minutes is not None and monotonic() - started > 60 * plan.minutes
            if done % plan.evaluate_every == 0 or done == plan.steps:
                row["held_out"] = dict(task.evaluate())
            if done % 20 == 0 or "held_out" in row:
                _write(log, {"step": done, "seconds": round(monotonic() - started, 1), **row})
            if stop() or late or done == plan.steps or monotonic() - saved > plan.save_every_s:
                _save(
                    task, optimizer, folder, {"step": done, "settings": dict(settings), "dtype": str(dtype)}
                )
                saved = monotonic()
            if stop() or late:
                return bool(done == plan.steps)
    return True


def _learn(optimizer: torch.optim.Optimizer, loss: Tensor, rates: list[float]) -> None:
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], CLIP)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def trained(module: nn.Module) -> dict[str, Tensor]:
    """What a module learns, without what it freezes."""
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}


def _state(folder: Path, settings: Mapping[str, Any], *, resume: bool) -> dict[str, Any] | None:
    """What was saved of the run in `folder`; None where none was begun."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / STATE
    if not path.is_file():
        return None
    if not resume:
        raise ConfigError(
            f"{folder} holds a training; add --resume to go on with it, or choose another folder"
        )
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if state["settings"] != dict(settings):
        changed = sorted(k for k in settings if settings[k] != state["settings"].get(k))
        raise ConfigError(f"{folder} was begun with another {', '.join(changed)}; choose another folder")
    return state


def _dtype(folder: Path, plan: Plan, state: Mapping[str, Any] | None, device: str) -> torch.dtype:
    if state is None:
        return plan.dtype or best(device)
    begun: torch.dtype = getattr(torch, state.get("dtype", "torch.float32").removeprefix("torch."))
    if plan.dtype not in (None, begun):
        raise ConfigError(f"{folder} was begun in {begun}; leave --dtype out, or choose another folder")
    return begun


def _restore(task: Task, optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> int:
    """The step to go on with."""
    with torch.no_grad():
        for name, parameter in trained(task.module).items():
            parameter.copy_(state["module"][name])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])


def _save(task: Task, optimizer: torch.optim.Optimizer, folder: Path, facts: Mapping[str, Any]) -> None:
    state = {**facts, "module": trained(task.module), "optimizer": optimizer.state_dict()}
    partial = folder / f"{STATE}.partial"
    torch.save(state, partial)
    os.replace(partial, folder / STATE)


def _bar(begin: int, steps: int) -> "tqdm[int]":
    calm = 0.5 if sys.stderr.isatty() else 60.0
    return tqdm(range(begin, steps), initial=begin, total=steps, unit="step", mininterval=calm)


def _write(log: Any, row: Mapping[str, Any]) -> None:
    log.write(json.dumps(row, ensure_ascii=False) + "\n")
    log.flush()


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """SIGINT and SIGTERM end the run after its step, with everything saved."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in signals}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
