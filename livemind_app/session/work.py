"""What a session has done for it on one engine: notes, preparations and answers, each by its own task."""

import asyncio
from contextlib import suppress

from livemind_app.errors import LiveMindError
from livemind_app.protocol import Engine
from livemind_app.session.answerer import Answerer
from livemind_app.session.clients import Account
from livemind_app.session.preparer import Preparer
from livemind_app.session.store import Room, Store
from livemind_app.session.thinker import Thinker


class Work:
    """Runs until `end`; begins to load the engine's models, if nobody has."""

    def __init__(self, store: Store, engine: Engine, session: str, room: Room, account: Account) -> None:
        self.engine = engine
        self.thinker = Thinker(store, engine, session, room, account)
        self.preparer = Preparer(store, engine, session, room, account)
        self.answerer = Answerer(store, engine, session, self.preparer, account.answers)
        self._session = session
        work = (self.thinker.run(), self.preparer.run(), self.answerer.run(), self._load())
        self._tasks = [asyncio.create_task(each) for each in work]

    def revise(self) -> None:
        """After an edit: stop what is done for text that is gone."""
        self.thinker.revise()
        self.preparer.revise()

    def rest(self) -> None:
        """Stop what is computed ahead; it goes on when there is room."""
        self.thinker.cut()
        self.preparer.rest()

    async def settled(self) -> None:
        """Return when nothing is computed for the draft, and nothing is left to unless it stays as it is."""
        await self.thinker.settled.wait()
        await self.preparer.settled()

    async def end(self) -> None:
        """Stop it all, then drop its caches: what a task has of the engine it gives back when it ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.engine.forget(self._session)

    async def _load(self) -> None:
        with suppress(LiveMindError):  # the engine's status says so
            await self.engine.ready()
