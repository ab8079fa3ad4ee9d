"""What many typing users need of the app tier: costs are measured here, then queues are simulated.

    .venv/bin/python scripts/simulate_scale.py --users 1000 100000 10000000

A keystroke costs what it costs here, on one connection with nobody else there. A replica is one process
with one queue; as many users share it as let 99 of 100 acknowledgements come within the goal, by simulation
of their keystrokes with the measured costs. Engine replicas follow from tokens: `livemind bench typing` has
those of a prompt (tokens_before, tokens_after), a load test of your engine its tokens a second (`vllm bench
serve`).

Prices are assumptions, those that were published on the day in PRICES; name your own.
"""

import argparse
import http.client
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from time import perf_counter
from urllib.parse import urlsplit

import psutil

from livemind_app.benchmark.load.server import own_server

TEXT = "Tom has three apples and a pear. Ann gives him four more of them. He eats two. How many has he now? "
WARM, DRAFTS, SESSIONS = 300, 1500, 200
SPREAD = 0.4  # of log(gap between keys), as in `livemind bench load`
PRICES = "22 November 2026, in dollars"
CPU_HOUR = 0.0335  # a core for an hour: Hugging Face Inference Endpoints, AWS intel-spr
GB_OUT = 0.09  # a gigabyte to the internet: AWS, the first 10 TB of a month
HOURS = 730  # of a month
HEADERS = 600  # bytes of HTTP around a draft and its answer, in a browser


@dataclass(frozen=True)
class Cost:
    """Of one server here."""

    seconds: list[float]  # CPU of each draft: measured in batches
    bytes: float  # of a draft and what comes back, on the wire
    bytes_out: float  # of these, what comes back
    session_kib: float  # memory

    @property
    def mean_s(self) -> float:
        return sum(self.seconds) / len(self.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add("--users", type=int, nargs="+", default=[1000, 100_000, 10_000_000], help="who have the page open")
    add("--typing", type=float, default=0.3, help="share of them who type at a moment (default: 0.3)")
    add("--keys-per-second", type=float, default=4.0, help="of who types (default: 4, the LiveMind paper's)")
    add("--goal-ms", type=float, default=100.0, help="for 99 of 100 acknowledgements (default: 100)")
    add("--tokens", type=float, help="generated for one prompt, before and after its submit")
    add("--prompt-s", type=float, default=30.0, help="seconds of typing that a prompt takes (default: 30)")
    add("--engine-tokens-per-s", type=float, help="that one engine replica generates")
    add("--tokens-before", type=float, help="of --tokens, those before the submit: the price of work ahead")
    add("--saved-s", type=float, help="that users wait less for an answer, by work ahead")
    add("--app-hour", type=float, default=CPU_HOUR, help=f"price of an app replica (default: {CPU_HOUR})")
    add(
        "--engine-hour",
        type=float,
        default=2 * CPU_HOUR,
        help="price of an engine replica (default: 2 cores)",
    )
    add("--gb-out", type=float, default=GB_OUT, help=f"price of a gigabyte sent (default: {GB_OUT})")
    add("--seed", type=int, default=0)
    args = parser.parse_args()
    cost = measure()
    typists = capacity(cost, args.keys_per_second, args.goal_ms / 1000, random.Random(args.seed))  # noqa: S311 - a simulation
    print(f"a draft: {1000 * cost.mean_s:.2f} ms of CPU, {cost.bytes:.0f} bytes")
    print(f"a session: {cost.session_kib:.0f} KiB; a replica: {typists} users who type")
    print(
        f"prices of {PRICES}: {args.app_hour} an app replica, {args.engine_hour} an engine replica an hour, ",
        end="",
    )
    print(f"{args.gb_out} a gigabyte sent")
    head = ("users", "type", "drafts/s", "app replicas", "sessions, memory", "network", "engine replicas")
    print(f"\n| {' | '.join((*head, 'app a month', 'network a month', 'engines a month'))} |")
    print(f"|{'---|' * (len(head) + 3)}")
    for users in args.users:
        print(row(args, users, cost, typists))
    if args.tokens_before and args.saved_s and args.engine_tokens_per_s:
        print(ahead(args))


def ahead(args: argparse.Namespace) -> str:
    """What an hour of waiting costs that users are spared; it pays while that hour is worth more to them."""
    prompt = args.tokens_before / args.engine_tokens_per_s / 3600 * args.engine_hour
    hour = prompt / (args.saved_s / 3600)
    told = f"${1000 * prompt:.2f} for 1,000 prompts, ${hour:.2f} for an hour of waiting that it spares"
    return f"\nwork ahead: {told}"


def row(args: argparse.Namespace, users: int, cost: Cost, typists: int) -> str:
    typing = users * args.typing
    drafts = typing * args.keys_per_second
    engines = 0
    if args.tokens and args.engine_tokens_per_s:
        engines = ceil(typing / args.prompt_s * args.tokens / args.engine_tokens_per_s)
    memory, network = users * cost.session_kib / 2**20, 8 * drafts * cost.bytes / 1e6
    replicas = ceil(typing / typists)
    return (
        f"| {users:,} | {typing:,.0f} | {drafts:,.0f} | {replicas:,} | {memory:,.1f} GiB "
        f"| {network:,.0f} Mbit/s | {shown(engines)} "
        f"| {money(replicas * args.app_hour * HOURS)} "
        f"| {money(drafts * cost.bytes_out * 3600 * HOURS / 1e9 * args.gb_out)} "
        f"| {money(engines * args.engine_hour * HOURS)} |"
    )


def shown(number: int) -> str:
    return f"{number:,}" if number else "–"


def money(dollars: float) -> str:
    """
    >>> money(12.3), money(45678), money(2345678), money(0)
    ('$12', '$46,000', '$2.3 M', '–')
    """
    if not dollars:
        return "–"
    if dollars >= 1e6:
        return f"${dollars / 1e6:,.1f} M"
    return f"${round(dollars, -3):,.0f}" if dollars >= 1e4 else f"${dollars:,.0f}"


def capacity(cost: Cost, keys_per_s: float, goal_s: float, rng: random.Random) -> int:
    """The most users of whose drafts 99 of 100 wait and are served within the goal."""
    fits, too_many = 1, ceil(1 / (cost.mean_s * keys_per_s)) + 1
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if quantile(waits(cost, middle, keys_per_s, rng), 0.99) <= goal_s:
            fits = middle
        else:
            too_many = middle
    return fits


def waits(
    cost: Cost, users: int, keys_per_s: float, rng: random.Random, seconds: float = 30.0
) -> list[float]:
    """From each keystroke to its acknowledgement, in one queue."""
    arrivals = sorted(at for _ in range(users) for at in keystrokes(keys_per_s, seconds, rng))
    free, times = 0.0, []
    for at in arrivals:
        free = max(free, at) + rng.choice(cost.seconds)
        times.append(free - at)
    return times


def keystrokes(keys_per_s: float, seconds: float, rng: random.Random) -> list[float]:
    at, times = rng.uniform(0, 1 / keys_per_s), []
    while at < seconds:
        times.append(at)
        at += rng.lognormvariate(0, SPREAD) / keys_per_s
    return times


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


# Measuring.


def measure() -> Cost:
    """On a server of our own, on the scripted engine, that takes no notes."""
    with own_server(SESSIONS + 1) as (url, pid):
        server, http_ = psutil.Process(pid), http.client.HTTPConnection(urlsplit(url).netloc)
        token = create(http_)
        marks: list[float] = []
        sizes: list[tuple[int, int]] = []
        for number in range(1, WARM + DRAFTS + 1):
            sizes.append(draft(http_, token, number))
            if number >= WARM and number % 50 == 0:  # CPU time is counted in steps of 10 ms
                marks.append(sum(server.cpu_times()[:2]))
        batches = [max(after - before, 0.0) / 50 for before, after in pairwise(marks)]
        sent, received = (sum(each) / len(sizes) for each in zip(*sizes, strict=True))
        out = HEADERS / 2 + received
        return Cost(batches, HEADERS / 2 + sent + out, out, session_kib(server, http_))


def session_kib(server: psutil.Process, http_: http.client.HTTPConnection) -> float:
    """Memory of a session with a typed text, of many made at once."""
    before = server.memory_info().rss
    for _ in range(SESSIONS):
        token = create(http_)
        for number in range(1, 40):
            draft(http_, token, number)
    return (server.memory_info().rss - before) / SESSIONS / 1024


def create(http_: http.client.HTTPConnection) -> str:
    token: str = call(http_, "POST", "/api/sessions", {"options": {"mode": "off"}})[0]["session"]
    return token


def draft(http_: http.client.HTTPConnection, token: str, number: int) -> tuple[int, int]:
    body = {"revision": number, "text": TEXT[: 1 + number % len(TEXT)]}
    return call(http_, "PUT", f"/api/sessions/{token}/draft", body)[1]


def call(
    http_: http.client.HTTPConnection, method: str, path: str, body: object
) -> tuple[dict[str, str], tuple[int, int]]:
    """The answer, and the bytes of the body that was sent and of the one that came back."""
    sent = json.dumps(body)
    http_.request(method, path, sent, {"Content-Type": "application/json"})
    response = http_.getresponse()
    received = response.read()
    assert response.status < 300, response.status
    return json.loads(received), (len(sent), len(received))


if __name__ == "__main__":
    began = perf_counter()
    main()
    print(f"\nmeasured and simulated in {perf_counter() - began:.0f} s")
