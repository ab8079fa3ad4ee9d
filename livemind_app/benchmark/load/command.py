"""`livemind bench load`: how a server bears many typing users."""

import argparse
import asyncio
import json
import ssl
from contextlib import AsyncExitStack
from importlib.resources import files
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import psutil

from livemind_app.benchmark.load.server import own_server
from livemind_app.benchmark.load.tally import Tally
from livemind_app.benchmark.load.user import User
from livemind_app.errors import ConfigError

SETTLE_SHARE = 0.2  # of the run after which memory is measured for the first time
MIB = 2**20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--url", metavar="U", help="a server that runs (default: one of our own, on the scripted engine)")
    add("--sessions", type=int, default=100, metavar="N", help="users at once (default: 100)")
    add("--keys-per-second", type=float, default=6.0, metavar="R", help="of each user (default: 6)")
    add("--seconds", type=float, default=60.0, metavar="S", help="how long (default: 60)")
    add("--max-sessions", type=int, metavar="N", help="that our own server allows (default: one a user)")
    add("--seed", type=int, default=0, metavar="S", help="which texts and keystrokes (default: 0)")
    add("--json", required=True, metavar="OUT", help="where to write the figures")


def run(args: argparse.Namespace) -> int:
    if args.sessions < 1 or args.keys_per_second <= 0 or args.seconds <= 0:
        raise ConfigError("--sessions, --keys-per-second and --seconds must be above 0")
    if args.url:
        summary = asyncio.run(load(args, args.url, None))
    else:
        with own_server(args.max_sessions or args.sessions) as (url, process):
            summary = asyncio.run(load(args, url, process))
    given = {name: getattr(args, name) for name in ("sessions", "keys_per_second", "seconds", "seed")}
    Path(args.json).write_text(json.dumps({"meta": given, "summary": summary}, indent=1) + "\n", "utf-8")
    for name, value in summary.items():
        print(f"{name:22} {value:.1f}" if isinstance(value, float) else f"{name:22} {value}")
    return 0


async def load(args: argparse.Namespace, url: str, server: psutil.Process | None) -> dict[str, Any]:
    """The figures; memory only where the server's process is known."""
    tally, texts = Tally(), _texts()
    trust = ssl.create_default_context()
    async with AsyncExitStack() as clients:
        users = []
        for seed in range(args.seed * args.sessions, (args.seed + 1) * args.sessions):
            # A client each, as each has a browser; a pool looks at all its connections for every request.
            client = httpx.AsyncClient(base_url=url, verify=trust, timeout=30, trust_env=False)
            http = await clients.enter_async_context(client)
            users.append(User(http, tally, texts, args.keys_per_second, seed))
        until = perf_counter() + args.seconds
        before = _cpu_s(server)
        memory = asyncio.create_task(_growth(server, args.seconds))
        await asyncio.gather(*(user.run(until) for user in users))
    per_draft = 1000 * (_cpu_s(server) - before) / max(tally.counts["drafts"], 1) if server else None
    return {**tally.summary(), "cpu_ms_per_draft": per_draft, "rss_growth_mb": await memory}


def _cpu_s(server: psutil.Process | None) -> float:
    """What the server has computed so far, all threads; does not depend on who else computes here."""
    return sum(server.cpu_times()[:2]) if server else 0.0


async def _growth(server: psutil.Process | None, seconds: float) -> float | None:
    """Memory at the end against that shortly after the beginning, when everybody has a session."""
    if server is None:
        return None
    await asyncio.sleep(SETTLE_SHARE * seconds)
    before = server.memory_info().rss
    await asyncio.sleep((1 - SETTLE_SHARE) * seconds * 0.95)
    growth: int = server.memory_info().rss - before
    return growth / MIB


def _texts() -> list[str]:
    lines = files("livemind_app.benchmark").joinpath("prompts.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["question"] for line in lines]
