"""All sessions of one server: unguessable tokens, a limit, expiry."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from livemind_app.errors import SessionNotFound, TooManySessions, where_raised
from livemind_app.protocol import Engine
from livemind_app.session.admission import Admission
from livemind_app.session.clients import ANYBODY, Client, Ledger
from livemind_app.session.clock import Clock, RealClock
from livemind_app.session.events import Event
from livemind_app.session.limits import Limits
from livemind_app.session.options import Options
from livemind_app.session.requests import chosen, defaults_for
from livemind_app.session.session import Session
from livemind_app.session.store import Observe

log = logging.getLogger(__name__)
T = TypeVar("T")

SWEEP_S = 30.0
PLACED = "~"  # in a token, between where the session is and its secret


class SessionManager:
    """Owns the sessions; lives on one event loop. `clock` times what happens in them.

    `engines`: one, or several by the names that users choose by; the first is of sessions that choose none.

    Whoever is in `observers` hears of every event of every session; they must be quick.
    """

    def __init__(
        self,
        engines: Engine | Mapping[str, Engine],
        limits: Limits | None = None,
        defaults: Options | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.engines = engines if isinstance(engines, Mapping) else {"": engines}
        name, self.engine = next(iter(self.engines.items()))  # of sessions that choose none
        self.limits = limits or Limits()
        self.defaults = replace(defaults or defaults_for(self.engine), models=name)
        self._clock = clock or RealClock()
        self.admission = Admission(self.limits.max_answers, self._rest, self.limits.client_answers)
        self._ledger = Ledger(self.limits, self._clock)
        self.observers: list[Observe] = []
        self.on_turn: list[Callable[[Session], None]] = []  # called when a session's newest turn has ended
        self._sessions: dict[str, Session] = {}
        self._sweeper: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._sessions)

    def create(
        self, options: Mapping[str, Any] | None = None, place: str = "", client: Client = ANYBODY
    ) -> Session:
        """A new session with a 128-bit token.

        Raises TooManySessions, TooManyRequests, ServerDraining or ConfigError.

        `place`: what the token begins with, so that a router finds this server by it. `client`: who alone
        may open the session, and who pays for it.
        """
        self.admission.take_work()
        wanted = chosen(self.engines, self.defaults, options or {})
        account = self._ledger.account(client)
        account.sessions.take()
        self._sweep()
        self._make_room(client)
        token = (place and place + PLACED) + secrets.token_urlsafe(16)
        session = Session(
            token,
            self.engines,
            self.limits,
            wanted,
            self._clock,
            self.admission,
            client.owner,
            account,
            self._observe,
            self._ended,
        )
        self._sessions[session.token] = session
        self._sweeper = self._sweeper or asyncio.create_task(self._keep_sweeping())
        return session

    def get(self, token: str, client: Client = ANYBODY) -> Session:
        """Raises SessionNotFound, also for a session of somebody else."""
        session = self._sessions.get(token)
        if session is None or session.owner != client.owner:
            raise SessionNotFound("there is no such session: it expired or was deleted; create a new one")
        return session

    async def delete(self, token: str, client: Client = ANYBODY) -> None:
        session = self.get(token, client)
        del self._sessions[token]
        await session.close()

    async def drain(self, seconds: float) -> None:
        """Take nothing new; return when all answers are written, or were stopped after so many seconds."""
        self.admission.drain()
        sessions = list(self._sessions.values())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(session.answered() for session in sessions))
        for session in sessions:
            session.stop()

    async def close(self) -> None:
        """End every stream and all work."""
        if self._sweeper:
            self._sweeper.cancel()
        sessions, self._sessions = list(self._sessions.values()), {}
        await asyncio.gather(*(session.close() for session in sessions))

    def _rest(self) -> None:
        for session in self._sessions.values():
            session.rest()

    def _observe(self, event: Event) -> None:
        _tell(self.observers, event)

    def _ended(self, session: Session) -> None:
        _tell(self.on_turn, session)

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self._sweep()

    def _sweep(self) -> None:
        for session in list(self._sessions.values()):
            if session.idle_s > self.limits.idle_s:
                self._end(session)

    def _make_room(self, client: Client) -> None:
        """Raises TooManySessions where none of the sessions can go."""
        for payer in client.payers:
            own = [session for session in self._sessions.values() if payer in session.payers]
            if len(own) >= self.limits.client_sessions:
                self._end_idle(
                    own, f"you have {len(own)} sessions in use; close one, or try again in a minute"
                )
        if len(self) >= self.limits.max_sessions:
            self._end_idle(
                self._sessions.values(), f"all {len(self)} sessions are in use; try again in a minute"
            )

    def _end_idle(self, sessions: Iterable[Session], refusal: str) -> None:
        """End that which nobody has used for longest: its page, if there still is one, makes it anew."""
        idle = [each for each in sessions if each.idle_s > self.limits.spared_s and not each.answering]
        if not idle:
            raise TooManySessions(refusal)
        self._end(max(idle, key=lambda session: session.idle_s))

    def _end(self, session: Session) -> None:
        del self._sessions[session.token]
        asyncio.get_running_loop().create_task(session.close())


def place_of(token: str) -> str:
    """By what a router finds the session.

    >>> place_of("4f2a~pZ3x"), place_of("pZ3x")
    ('4f2a', '')
    """
    return token.rpartition(PLACED)[0]


def _tell(listeners: Iterable[Callable[[T], None]], said: T) -> None:
    """One that fails keeps no other from hearing, and no session from going on."""
    for listener in listeners:
        try:
            listener(said)
        except Exception as error:
            log.error("An observer failed.\n%s", where_raised(error))
