"""Several engines as one: each role has its own."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Protocol

from livemind_app.errors import Coded
from livemind_app.protocol import (
    ROLES,
    Ability,
    Engine,
    ModelStatus,
    Output,
    Request,
    Role,
    Tokenizer,
    Usage,
)

NO_ROWS = Coded("no_rows", "a model behind a server reads tokens only, no vectors of sentences: load it here")
NO_ODDS = Coded(
    "no_odds",
    "drafts are read again with all probabilities, and a model behind a server gives few: load it here",
)
NO_STATES = Coded(
    "no_states",
    "the large model's states are needed, and one behind a server gives none: load both models here",
)
NO_LOOKAHEAD = Coded(
    "no_lookahead", "a model behind a server drafts there or not at all (vLLM: --speculative-config)"
)
BEHIND_SERVERS: Mapping[Ability, Coded] = {"draft": NO_ODDS, "lookahead": NO_LOOKAHEAD}


class OwnedEngine(Engine, Protocol):
    """An engine, for whoever made it."""

    def wait(self) -> None:
        """ready() for callers without an event loop."""
        ...

    def close(self) -> None:
        """Cancel everything, and wait until it has stopped."""
        ...


class SplitEngine:
    """Implements OwnedEngine. It owns the engines it is given."""

    def __init__(self, engines: Mapping[Role, OwnedEngine]) -> None:
        self._by_role = engines
        self._engines = list(dict.fromkeys(engines.values()))

    async def ready(self) -> None:
        await asyncio.gather(*(engine.ready() for engine in self._engines))

    def wait(self) -> None:
        for engine in self._engines:
            engine.wait()

    def status(self) -> tuple[ModelStatus, ...]:
        found = {status.role: status for engine in self._engines for status in engine.status()}
        return tuple(found[role] for role in ROLES)

    def usage(self) -> Usage:
        return sum((engine.usage() for engine in self._engines), Usage())

    def cannot(self, ability: Ability, role: Role) -> str | None:
        return NO_STATES if ability == "guide" else self._by_role[role].cannot(ability, role)

    def tokenizer(self, role: Role) -> Tokenizer:
        return self._by_role[role].tokenizer(role)

    def stream(self, request: Request) -> AsyncGenerator[Output, None]:
        return self._by_role[request.role].stream(request)

    def generate(self, request: Request) -> Iterator[Output]:
        return self._by_role[request.role].generate(request)

    def forget(self, session: str) -> None:
        for engine in self._engines:
            engine.forget(session)

    def close(self) -> None:
        for engine in self._engines:
            engine.close()
