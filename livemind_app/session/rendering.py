"""Long chats become ids on another thread, and those that no model could take are not read to their end."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from livemind_app.errors import ContextTooLong
from livemind_app.protocol import ROLES, Engine, Message, Role
from livemind_app.session.lanes import GUIDED_LANES, LANE_ROLE, LaneName
from livemind_app.session.requests import compression
from livemind_app.session.store import Store

LONG = 8_000  # characters; fewer are ids sooner than a thread is there
TOKEN = 4  # characters that one stands for on average: below a context of these nothing is looked at twice
PROBED = 8  # characters a token of the context that are looked at first
SEAMS = 16  # tokens that the cut ends of a text may be more than the whole one's

T = TypeVar("T")


class Renderer:
    """Of the chats that a session's lanes send."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine = engine
        self._store = store

    async def made(
        self, lane: LaneName, messages: Sequence[Message], work: Callable[[], T], role: Role | None = None
    ) -> T:
        """What `work` makes of a lane's chat. Raises ContextTooLong where `messages` cannot be that short.

        `role`: of another model than the lane's own. What happens meanwhile is for the caller to look at.
        """
        options = self._store.state.options
        roles = ROLES if lane in GUIDED_LANES else (role or LANE_ROLE[lane],)
        raw = tuple(each for each in roles if not compression(self._engine, options, lane, each))
        return await elsewhere(self._engine, raw, messages, work)


async def elsewhere(
    engine: Engine, roles: Sequence[Role], messages: Sequence[Message], work: Callable[[], T]
) -> T:
    """What `work` makes, for models that read the chat token by token."""
    if sum(len(message["content"]) for message in messages) <= LONG:
        return work()

    def checked() -> T:
        for role in roles:
            _check(engine, role, messages)
        return work()

    return await asyncio.to_thread(checked)


def _check(engine: Engine, role: Role, messages: Sequence[Message]) -> None:
    """Raises ContextTooLong where the beginning alone has more tokens than the model takes."""
    tokenizer = engine.tokenizer(role)
    text = "\n".join(message["content"] for message in messages)
    if tokenizer.context is None or len(text) <= tokenizer.context * TOKEN:
        return
    if len(tokenizer.encode(text[: tokenizer.context * PROBED])) > tokenizer.context + SEAMS:
        name = next(model.name for model in engine.status() if model.role == role)
        raise ContextTooLong(
            f"the chat has more than the {tokenizer.context} tokens that {name} takes; "
            "shorten it or begin a new chat"
        )
