"""The trie against counting by hand, and under its caps."""

import sys
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from livemind_app.decoding.lookahead.trie import Trie

texts = st.lists(st.lists(st.integers(0, 3), max_size=20), max_size=4)


@given(texts)
def test_pieces_are_counted_as_a_search_finds_them(texts: list[list[int]]) -> None:
    trie = Trie(depth=4)
    for text in texts:
        trie.insert(text)
    for text in texts:
        for size in (1, 2, 3):
            for start in range(len(text) - size + 1):
                piece = text[start : start + size]
                assert trie.followers(piece, most=9) == after(texts, piece)


def after(texts: list[list[int]], piece: list[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for text in texts:
        for start in range(len(text) - len(piece)):
            if text[start : start + len(piece)] == piece:
                token = text[start + len(piece)]
                counts[token] = counts.get(token, 0) + 1
    return counts


@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=12), max_size=30), st.integers(20, 60))
def test_it_never_holds_more_than_its_cap(texts: list[list[int]], most: int) -> None:
    trie = Trie(depth=4, most_entries=most)
    for text in texts:
        trie.insert(text)
        assert trie.entries <= most
    assert Trie(most_bytes=10_000).bytes <= 10_000


def test_the_least_recently_used_goes_first() -> None:
    trie = Trie(depth=2, most_entries=40)
    for token in range(100, 110):
        trie.insert([token, token + 1000])
    for new in range(200, 230):
        trie.followers([100], most=1)  # used again and again
        trie.insert([new, new + 1000])
    assert trie.followers([100], most=1) == {1100: 1}
    assert trie.followers([101], most=1) == {}
    assert trie.followers([229], most=1) == {1229: 1}


def test_the_most_frequent_followers_are_kept() -> None:
    trie = Trie(depth=2)
    for token, times in ((5, 1), (6, 3), (7, 2)):
        for _ in range(times):
            trie.insert([1, token])
    assert list(trie.followers([1], most=2)) == [6, 7]


def test_bytes_are_about_what_is_held() -> None:
    tokens = [(index * 7919) % 5003 for index in range(20_000)]
    tracemalloc.start()
    trie = Trie()
    trie.insert(tokens)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sys.getsizeof(trie) < held
    assert 0.6 < trie.bytes / held < 1.6
