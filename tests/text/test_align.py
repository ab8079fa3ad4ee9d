"""Alignment across tokenizers: on hard texts, whatever the templates, and never by what comes later."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemind_app.engine.chat import ChatTokenizer
from livemind_app.text.align import align, places
from livemind_app.text.prefix import common_prefix
from tests.llm_to_slm.tiny import STRIPPING, chat, chat_tokenizer

WIDE, NARROW = chat_tokenizer(330), chat_tokenizer(290)
OTHER = chat_tokenizer(300, STRIPPING)
PIECES = [
    "The bakery",
    "👩‍👩‍👧",
    "😀",
    "汉字世界",
    "ﬁé",
    "\n\n",
    "    ",
    "\t",
    "def f(a, b):\n",
    " ",
    "e\u0301",
    "1234",
    "<|im_end|>",
]
TEXTS = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))


def test_places_are_counted_from_a_message_and_up_to_the_end_of_a_template() -> None:
    assert places(["<u>", "ab", "<e>"], [3, 4, 5, 8]) == ((0, 0), (1, 1), (1, 2), (2, 0))
    assert places(["", "ab"], [1, 2]) == ((1, 1), (1, 2))


def test_bytes_of_one_character_share_it() -> None:
    assert places(["", "x😀"], [1, 2, 2, 2, 2]) == ((1, 1), (1, 1.25), (1, 1.5), (1, 1.75), (1, 2))


def test_a_token_goes_with_the_one_that_covers_its_last_character() -> None:
    reader = places(["", "The bakery"], [3, 10])  # "The", " bakery"
    writer = places(["", "The bakery"], [2, 3, 4, 7, 10])  # "Th", "e", " ", "bak", "ery"
    assert align(reader, writer) == (0, 0, 1, 1, 1)
    assert align(writer, reader) == (1, 4)


@settings(max_examples=40)
@given(TEXTS)
def test_with_a_shared_tokenizer_it_is_token_by_token(text: str) -> None:
    found = WIDE.locate(chat(text)).places
    assert align(found, found) == tuple(range(len(found)))


@settings(max_examples=40)
@given(TEXTS)
@pytest.mark.parametrize("tokenizer", [WIDE, OTHER], ids=["chatml", "stripping"])
@pytest.mark.parametrize("answer", [True, False])
def test_located_ids_are_the_rendered_ones(tokenizer: ChatTokenizer, answer: bool, text: str) -> None:
    located = tokenizer.locate(chat(text), answer=answer)
    assert located.ids == tokenizer.render(chat(text), answer=answer)
    assert len(located.places) == len(located.ids)
    assert list(located.places) == sorted(located.places)


@settings(max_examples=40)
@given(TEXTS)
@pytest.mark.parametrize("reader", [WIDE, OTHER], ids=["same template", "other template"])
def test_what_is_aligned_covers_the_same_character(reader: ChatTokenizer, text: str) -> None:
    wide, narrow = reader.locate(chat(text)).places, NARROW.locate(chat(text)).places
    found = align(wide, narrow)
    assert list(found) == sorted(found)
    for place, index in zip(narrow, found, strict=True):
        before = wide[index - 1] if index else (-1, 0)
        assert before < place
        assert place <= wide[index] or index == len(wide) - 1


@settings(max_examples=40)
@given(TEXTS, st.integers(0, 40))
def test_text_that_comes_later_moves_nothing(text: str, cut: int) -> None:
    """Of what both tokenizers say of the shorter text as of the longer one."""
    short, long = chat("Tom. " + text[:cut]), chat("Tom. " + text)
    pairs = [(t.locate(short, answer=False), t.locate(long, answer=False)) for t in (WIDE, NARROW)]
    kept = [common_prefix(one.places, other.places) for one, other in pairs]
    one, other = (align(pairs[0][n].places, pairs[1][n].places)[: kept[1]] for n in (0, 1))
    settled = sum(index < kept[0] for index in one)
    assert one[:settled] == other[:settled]


def test_messages_of_any_kind_are_told_apart() -> None:
    """Also where a template moves the system text into the user's turn, or strips what surrounds a text."""
    text = " \n Ann 👩‍👩‍👧 \n"
    for tokenizer in (WIDE, OTHER):
        located = tokenizer.locate(chat(text))
        inside = [place for place in located.places if place[0] == 3]
        assert inside[-1] == (3, len(text.strip()))
