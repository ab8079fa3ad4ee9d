"""What a session has done for it on one engine: notes, preparations and answers, each by its own task."""

import asyncio

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
