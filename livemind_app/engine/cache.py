"""KV caches that outlive a request, with the ids they cover."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, cast

from torch import Tensor

from livemind_app.decoding.lookahead.drafter import Drafts
from livemind_app.engine.packed.kv import GrowingCache
from livemind_app.errors import ContextTooLong
from livemind_app.protocol import Compression, Guide, Request, Role
from livemind_app.text.prefix import common_prefix

Key = tuple[str, str, Role, Compression | None]  # session, the request's cache key, role

C = TypeVar("C", bound="Kept")


class Kept(Protocol):
    """What outlives a request."""

    @property
    def bytes(self) -> int: ...

    def __len__(self) -> int:
        """Positions; without any it is not worth keeping."""
        ...


@dataclass
class KVCache:
    """Keys and values of `ids`, and the logits after the last of them ([vocab], or None)."""

    ids: list[int] = field(default_factory=list)
    kv: GrowingCache = field(default_factory=GrowingCache)
    logits: Tensor | None = None
    drafts: Drafts | None = None  # what lookahead learned from all text that was ever computed here
    states: Tensor | None = None  # of `ids`, [tokens, width], where another model is conditioned on them
    guide: Guide | None = None  # what the prompt was conditioned on

    def __len__(self) -> int:
        return len(self.ids)

    def accept(self, rows: Sequence[int], tokens: Sequence[int], logits: Tensor | None) -> None:
        """Of the rows behind `ids` keep these, ascending; they are `tokens`, with `logits` after the last."""
        self.kv.keep(len(self.ids), rows)
        self.ids.extend(tokens)
        self.logits = logits

    def trim(self, length: int) -> None:
        """Keep the first `length` tokens."""
        remove = len(self.ids) - length
        if remove > 0:
            self.kv.crop(-remove)
            del self.ids[length:]
            self.logits = None
            self.states = None if self.states is None else self.states[:length]

    def reuse(self, ids: Sequence[int]) -> int:
        """Trim to what this cache shares with `ids`, and leave something to say what comes next.

        Returns the number of tokens kept. All of `ids` are kept only when the logits after them are
        known; else the last one is computed again.
        """
        shared = common_prefix(self.ids, ids)
        if shared == len(ids) and (self.logits is None or len(self.ids) > shared):
            shared -= 1
        self.trim(shared)
        return shared

    @property
    def bytes(self) -> int:
        tensors = [tensor.nbytes for tensor in (self.logits, self.states) if tensor is not None]
        return self.kv.bytes + sum(tensors) + (self.drafts.bytes if self.drafts else 0)


class CachePool:
    """Caches at rest, least recently used first. A generation takes one out and puts it back."""

    def __init__(self, budget: int) -> None:
        self._budget = budget  # bytes
        self._caches: OrderedDict[Key, Kept] = OrderedDict()
        self.evictions = 0
        self.held = 0  # bytes, when a cache was put back or forgotten last; may be read from any thread

    def take(self, request: Request, new: Callable[[], C]) -> C:
        """The request's cache, or a `new` one when there is none or another request has it.

        Requests of one key, role and compression have caches of one kind.
        """
        if request.cache_key is None:
            return new()
        return cast("C | None", self._caches.pop(self._key(request), None)) or new()

    def put(self, request: Request, cache: Kept) -> None:
        if request.cache_key is None or not len(cache):
            return
        self._caches[self._key(request)] = cache
        while self.bytes > self._budget and len(self._caches) > 1:
            self._caches.popitem(last=False)
            self.evictions += 1
        self.held = self.bytes

    @contextmanager
    def taken(self, request: Request, new: Callable[[], C]) -> Iterator[C]:
        """`take`, and `put` unless what was computed on it failed: some layers may be longer than others.

        A prompt that is too long is refused before anything is computed.
        """
        cache = self.take(request, new)
        try:
            yield cache
        except (GeneratorExit, ContextTooLong):
            self.put(request, cache)
            raise
        else:
            self.put(request, cache)

    def forget(self, session: str) -> None:
        for key in [key for key in self._caches if key[0] == session]:
            del self._caches[key]
        self.held = self.bytes

    @property
    def bytes(self) -> int:
        return sum(cache.bytes for cache in self._caches.values())

    def _key(self, request: Request) -> Key:
        assert request.cache_key is not None
        return (request.session, request.cache_key, request.role, request.compression)
