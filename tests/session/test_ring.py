"""The event ring: replay, overflow, readers of any speed."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from livemind_app.session.ring import EventRing, coalesce


@given(st.integers(1, 8), st.integers(0, 20), st.integers(-2, 25))
def test_replays_exactly_what_is_after_a_position_or_says_that_it_cannot(
    capacity: int, count: int, last: int
) -> None:
    ring = EventRing(capacity)
    for number in range(1, count + 1):
        ring.append({"type": "n", "number": number})
    frames = ring.since(last)
    if count - capacity <= last <= count and last >= 0:
        assert frames == [(n, {"type": "n", "number": n}) for n in range(last + 1, count + 1)]
    else:
        assert frames is None


deltas = st.lists(st.tuples(st.sampled_from(["live", "slm"]), st.text(max_size=3)))


@given(deltas)
def test_coalescing_keeps_every_character_and_the_order_of_ids(deltas: list[tuple[str, str]]) -> None:
    frames = [
        (number, {"type": "answer", "at": 0.0, "turn": 1, "lane": lane, "delta": delta})
        for number, (lane, delta) in enumerate(deltas, start=1)
    ]
    joined = coalesce(frames)
    ids = [number for number, _ in joined]
    assert ids == sorted(set(ids))
    assert ids[-1:] == [len(frames)][: len(frames)]
    for lane in ("live", "slm"):
        whole = "".join(delta for name, delta in deltas if name == lane)
        assert "".join(event["delta"] for _, event in joined if event["lane"] == lane) == whole


def test_drafted_text_is_not_joined_to_what_was_not() -> None:
    plain = {"type": "answer", "at": 0.0, "turn": 1, "lane": "live", "delta": "a", "drafted": False}
    drafted = plain | {"delta": "b", "drafted": True}
    joined = coalesce([(1, plain), (2, drafted), (3, drafted), (4, plain)])
    assert [event["delta"] for _, event in joined] == ["a", "bb", "a"]


def test_the_end_of_a_note_is_never_joined_away() -> None:
    note = {"type": "action", "at": 0.0, "first": 0, "index": 0, "kind": "inference"}
    note |= {"done": False, "delta": "a"}
    joined = coalesce([(1, note), (2, note), (3, note | {"done": True, "delta": ""}), (4, note)])
    assert [(number, event["delta"], event["done"]) for number, event in joined] == [
        (3, "aa", True),
        (4, "a", False),
    ]


async def test_readers_wake_for_news_and_for_the_end() -> None:
    ring = EventRing(4)
    readers = [asyncio.create_task(ring.news(0)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(reader.done() for reader in readers)
    ring.append({"type": "n"})
    await asyncio.wait_for(asyncio.gather(*readers), 5)
    waiting = asyncio.create_task(ring.news(1))
    await asyncio.sleep(0)
    ring.close()
    await asyncio.wait_for(waiting, 5)


@given(st.integers(0, 60), st.lists(st.text(max_size=30), min_size=1))
def test_the_text_it_holds_is_bounded_and_the_newest_is_what_it_holds(
    characters: int, texts: list[str]
) -> None:
    ring = EventRing(100, characters)
    for text in texts:
        ring.append({"text": text})
    held = next(count for count in range(len(texts), -1, -1) if ring.since(ring.last - count) is not None)
    frames = ring.since(ring.last - held)
    assert frames == [(n, {"text": texts[n - 1]}) for n in range(len(texts) - held + 1, len(texts) + 1)]
    assert sum(len(text) for text in texts[len(texts) - held :]) <= characters
    if held < len(texts):
        assert sum(len(text) for text in texts[len(texts) - held - 1 :]) > characters
