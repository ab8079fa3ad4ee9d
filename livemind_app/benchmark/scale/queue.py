"""How many users who type can share a replica: one process, one queue, simulated with measured costs."""

from functools import lru_cache
from math import ceil

import numpy as np
from numpy.typing import NDArray

from livemind_app.benchmark.scale.assumptions import Assumptions
from livemind_app.benchmark.scale.costs import Costs

Times = NDArray[np.float64]
WINDOW_S = 30.0
SPREAD = 0.4  # of log(gap between keys), as in `livemind bench load`
SEED = 0


@lru_cache(maxsize=256)
def capacity(costs: Costs, assumed: Assumptions) -> int:
    """The most users of whose drafts 99 of 100 are acknowledged within the goal; 1 where it is none."""
    fits, too_many = 1, ceil(1000 / busy_ms(costs, assumed)) + 1
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if np.quantile(waits_ms(costs, assumed, middle), 0.99) <= assumed.goal_ms:
            fits = middle
        else:
            too_many = middle
    return fits


def busy_ms(costs: Costs, assumed: Assumptions) -> float:
    """CPU that one user who types takes of a second."""
    segments = 1 / costs.chars_per_segment
    ahead = segments * (costs.segment.cpu_ms + assumed.notes * costs.note.cpu_ms)
    answers = costs.answer.cpu_ms + assumed.tokens_after * costs.token.cpu_ms
    draft = sum(costs.keystroke_ms) / len(costs.keystroke_ms) + costs.echo.cpu_ms + assumed.replica_ms
    return assumed.keys_per_s * (draft + ahead) + answers / assumed.prompt_s


def waits_ms(costs: Costs, assumed: Assumptions, users: int) -> Times:
    """From each keystroke to its acknowledgement, of so many users at one replica."""
    rng = np.random.default_rng(SEED)
    keys = _keys(rng, users, assumed.keys_per_s)
    drafts = rng.choice(np.array(costs.keystroke_ms), keys.size) + costs.echo.cpu_ms + assumed.replica_ms
    ends = rng.random(keys.size) < 1 / costs.chars_per_segment
    noted = ends & (rng.random(keys.size) < assumed.notes)
    # Behind the acknowledgement, but before whoever comes next.
    after = ends * costs.segment.cpu_ms + noted * costs.note.cpu_ms
    tokens, answers = _answers(rng, keys, costs, assumed)
    times = np.concatenate([keys, keys, tokens]) * 1000
    work = np.concatenate([drafts, after, answers])
    order = np.argsort(times, kind="stable")
    waits = np.empty(times.size)
    waits[order] = queued(times[order], work[order])
    return waits[: keys.size]


def queued(times: Times, work: Times) -> Times:
    """From each arrival to the end of its work, first come, first served.

    >>> queued(np.array([0.0, 1.0, 9.0]), np.array([3.0, 2.0, 1.0])).tolist()
    [3.0, 4.0, 1.0]
    """
    done = np.cumsum(work)
    ends: Times = done + np.maximum.accumulate(times - (done - work))
    return ends - times


def _keys(rng: np.random.Generator, users: int, keys_per_s: float) -> Times:
    """Moments of keystrokes in the window; gaps are log-normal."""
    count = ceil(WINDOW_S * keys_per_s * 1.5) + 10
    gaps = rng.lognormal(-(SPREAD**2) / 2, SPREAD, (users, count)) / keys_per_s
    times = (rng.random((users, 1)) / keys_per_s + np.cumsum(gaps, axis=1)).ravel()
    inside: Times = times[times < WINDOW_S]
    return inside


def _answers(
    rng: np.random.Generator, keys: Times, costs: Costs, assumed: Assumptions
) -> tuple[Times, Times]:
    """Moments of submits and of the tokens that follow them, and their work."""
    submits = keys[rng.random(keys.size) < 1 / (assumed.prompt_s * assumed.keys_per_s)]
    count = round(assumed.tokens_after)
    later = np.arange(1, count + 1) / assumed.stream_tokens_per_s
    tokens = (submits[:, None] + later).ravel()
    work = [np.full(submits.size, costs.answer.cpu_ms), np.full(tokens.size, costs.token.cpu_ms)]
    return np.concatenate([submits, tokens]), np.concatenate(work)
