"""A bounded log of a session's events, read by any number of subscribers at their own speed.

Readers hold a position and nothing else: a slow one costs no memory and blocks nobody. One that fell
out of the ring is told so and starts again from a snapshot.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any

from livemind_app.session.readers import Reader

FLOWING = ("answer", "action", "prepared")
Frame = tuple[int, dict[str, Any]]  # id, event as JSON-ready values


class EventRing:
    """Owned by one event loop; ids count from 1."""

    def __init__(self, capacity: int, characters: int = sys.maxsize) -> None:
        self._capacity = capacity
        self._characters = characters
        self._held = 0  # characters
        self._frames: deque[Frame] = deque()
        self._news = asyncio.Event()
        self.last = 0
        self.closed = False

    def append(self, event: dict[str, Any]) -> None:
        self.last += 1
        self._frames.append((self.last, event))
        self._held += size(event)
        while len(self._frames) > self._capacity or self._held > self._characters:
            self._held -= size(self._frames.popleft()[1])
        self.wake()

    def forget(self) -> None:
        """Drop what is held; whoever comes back for it gets a snapshot."""
        self._frames.clear()
        self._held = 0

    def close(self) -> None:
        self.closed = True
        self.wake()

    @property
    def flowing(self) -> bool:
        """Whether the newest event is a piece of something longer, which more of will follow."""
        return bool(self._frames) and self._frames[-1][1]["type"] in FLOWING

    def since(self, last: int) -> list[Frame] | None:
        """The frames after `last`, or None when that position is not in the ring (any more)."""
        behind = self.last - last
        if not 0 <= behind <= len(self._frames):
            return None
        return [self._frames[i] for i in range(len(self._frames) - behind, len(self._frames))]

    async def news(self, last: int, reader: Reader | None = None) -> None:
        """Return when there is something after `last`, or the ring is closed, or the reader is to go."""
        while self.last == last and not self.closed and not (reader and reader.gone):
            await self._news.wait()

    def wake(self) -> None:
        """Let all who wait look again."""
        self._news.set()
        self._news = asyncio.Event()


def size(value: Any) -> int:
    """Characters of text in an event, and one for everything else.

    >>> size({"type": "segments", "segments": [{"text": "Hello.", "finished": True}]})
    15
    """
    match value:
        case str():
            return len(value)
        case dict():
            return sum(map(size, value.values()))
        case list() | tuple():
            return sum(map(size, value))
        case _:
            return 1


def coalesce(frames: Sequence[Frame]) -> list[Frame]:
    """Join neighbouring deltas of one answer or note, and keep the newest of figures; ids stay in order.

    What is joined keeps the time at which it began.

    >>> a = {"type": "answer", "at": 1.0, "turn": 1, "lane": "live", "delta": "Hel"}
    >>> coalesce([(1, a), (2, a | {"at": 1.2, "delta": "lo"})])
    [(2, {'type': 'answer', 'at': 1.0, 'turn': 1, 'lane': 'live', 'delta': 'Hello'})]
    """
    joined: list[Frame] = []
    for frame in frames:
        if joined and _same_stream(joined[-1][1], frame[1]):
            previous = joined.pop()[1]
            if "delta" in previous:
                frame = (frame[0], frame[1] | _joint(previous, frame[1]))
        joined.append(frame)
    return joined


def _joint(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """An answer's events count their own tokens, a note's all so far."""
    tokens = {"tokens": a.get("tokens", 0) + b.get("tokens", 0)} if a["type"] == "answer" else {}
    return {"at": a["at"], "delta": a["delta"] + b["delta"], **tokens}


def _same_stream(a: dict[str, Any], b: dict[str, Any]) -> bool:
    if a["type"] != b["type"]:
        return False
    if a["type"] == "answer":
        return all(a.get(key) == b.get(key) for key in ("turn", "lane", "drafted"))
    if a["type"] == "prepared":
        return bool(a["lane"] == b["lane"])
    same_note = ("first", "index", "kind")
    return a["type"] == "action" and not a["done"] and all(a[key] == b[key] for key in same_note)
