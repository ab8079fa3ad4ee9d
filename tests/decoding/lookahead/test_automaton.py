"""The automaton against a search through the whole text."""

from hypothesis import given
from hypothesis import strategies as st

from livemind_app.decoding.lookahead.automaton import ROOT, Automaton

texts = st.lists(st.integers(0, 3), max_size=40)


def made_of(text: list[int]) -> Automaton:
    automaton = Automaton()
    automaton.extend(text)
    return automaton


def places(text: list[int], piece: list[int]) -> list[int]:
    """Where the piece ends."""
    size = len(piece)
    return [end for end in range(size, len(text) + 1) if text[end - size : end] == piece]


def state_of(automaton: Automaton, piece: list[int]) -> int:
    state = ROOT
    for token in piece:
        state = automaton.advance(state, token)
    return state


@given(texts)
def test_the_match_is_the_longest_end_that_occurred_before(text: list[int]) -> None:
    automaton = Automaton()
    for end, token in enumerate(text, start=1):
        automaton.push(token)
        ends = (text[start:end] for start in range(end))
        longest = next((piece for piece in ends if len(places(text[: end - 1], piece)) >= 1), [])
        assert automaton.length(automaton.match) == len(longest)


@given(texts, st.lists(st.integers(0, 3), max_size=8))
def test_advancing_keeps_the_longest_end_that_occurs(text: list[int], piece: list[int]) -> None:
    automaton = made_of(text)
    state = state_of(automaton, piece)
    ends = (piece[start:] for start in range(len(piece) + 1))
    longest = next(end for end in ends if not end or places(text, end))
    # A state stands for its longest substring, which may begin before what led to it.
    assert automaton.length(state) >= len(longest)
    assert (state == ROOT) == (not longest)


@given(texts)
def test_followers_are_counted(text: list[int]) -> None:
    automaton = made_of(text)
    for size in (1, 2, 3):
        for start in range(len(text) - size + 1):
            piece = text[start : start + size]
            after = [text[end] for end in places(text, piece) if end < len(text)]
            followers = automaton.followers(state_of(automaton, piece), most=9)
            assert followers == {token: after.count(token) for token in set(after)}


@given(texts)
def test_suffixes_grow_shorter_and_more_frequent(text: list[int]) -> None:
    automaton = made_of(text)
    lengths = [automaton.length(state) for state in automaton.suffixes(automaton.match)]
    assert lengths == sorted(lengths, reverse=True)
    assert 0 not in lengths


@given(texts, texts)
def test_nothing_matches_across_a_separator(before: list[int], after: list[int]) -> None:
    automaton = made_of(before)
    automaton.separate()
    automaton.extend(after)
    both = [*before, -1, *after]
    for size in (1, 2, 3):
        for start in range(len(after) - size + 1):
            piece = after[start : start + size]
            following = [both[end] for end in places(both, piece) if end < len(both)]
            counted = automaton.followers(state_of(automaton, piece), most=9)
            assert sum(counted.values()) == len([token for token in following if token >= 0])
            assert all(token >= 0 for token in counted)


def test_a_very_repetitive_text_is_quick() -> None:
    automaton = made_of([7] * 20_000)
    assert len(automaton) == 20_000
    assert automaton.length(automaton.match) == 19_999
    assert list(automaton.followers(automaton.match, most=4)) == [7]
