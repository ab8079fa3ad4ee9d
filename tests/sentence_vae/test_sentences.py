"""Cutting: joined sentences are the text's own ids; arrays keep what was cut."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemind_app.engine.models.load import load
from livemind_app.sentence_vae.data import HELD_OUT, Sentences, prepare
from livemind_app.sentence_vae.generation import prompt
from livemind_app.sentence_vae.sentences import LEAST, MOST, cut, parts
from livemind_app.training.texts import Corpus

TEXT = (
    "Tom has 3.5 apples. He eats one, though! Yes.\n\nWhy? 因为他饿了。他很高兴。 " + "so and " * 80 + "end."
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load("smollm2-135m", "float32")[1]


def test_sentences_joined_are_the_text(tokenizer: Any) -> None:
    found = cut(TEXT, tokenizer)
    assert [token for one in found for token in one] == tokenizer.encode(TEXT, add_special_tokens=False)
    assert all(LEAST <= len(one) <= MOST for one in found[:-1])
    assert tokenizer.decode(found[0]) == "Tom has 3.5 apples."


@given(st.text(alphabet=st.sampled_from("ab .!?\n😀é。“”1"), max_size=80))
def test_any_text(tokenizer: Any, text: str) -> None:
    found = cut(text, tokenizer)
    assert [token for one in found for token in one] == tokenizer.encode(text, add_special_tokens=False)
    assert all(0 < len(one) <= MOST for one in found)


@given(st.text(alphabet=st.sampled_from("ab .!?\n😀é。“”1龘"), max_size=80))
def test_a_prompts_ids_are_cut_as_the_text_is(tokenizer: Any, text: str) -> None:
    """No character is cut in two, though its bytes may be tokens of their own."""
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert prompt.cut(ids, tokenizer.decode) == cut(text, tokenizer)


@given(st.lists(st.integers(), min_size=1, max_size=200), st.integers(1, 64))
def test_parts(ids: list[int], most: int) -> None:
    found = list(parts(ids, most))
    assert [token for one in found for token in one] == ids
    assert max(map(len, found)) <= most
    assert max(map(len, found)) - min(map(len, found)) <= 1


def documents(firsts: list[int]) -> Sentences:
    """Each of two sentences, the first of one token."""
    ids = np.array([token for number, first in enumerate(firsts) for token in (first, number)], np.uint32)
    count = len(firsts)
    return Sentences(ids, np.arange(1, 2 * count + 1), np.arange(2, 2 * count + 1, 2), np.ones(count, bool))


@given(st.lists(st.integers(0, 300), min_size=2, max_size=60))
def test_both_parts_of_the_documents_have_some_and_all_are_in_one(firsts: list[int]) -> None:
    train, held = documents(firsts).parted()
    assert train
    assert held
    assert sorted([*train, *held]) == list(range(len(firsts)))


def test_documents_that_begin_alike_are_held_out_together() -> None:
    """A prompt of one file and what somebody answered to it in another; more texts move none of them."""
    firsts = [*range(1000), *range(1000)]
    train, held = documents(firsts).parted()
    assert {firsts[number] for number in held}.isdisjoint(firsts[number] for number in train)
    assert len(firsts) / HELD_OUT / 2 < len(held) < len(firsts) / HELD_OUT * 2
    assert {n for n in held if n < 1000} == set(documents(list(range(1000))).parted()[1])


def test_a_corpus_is_kept(tokenizer: Any, tmp_path: Path) -> None:
    corpora = [Corpus("a", "1", (TEXT, "Short one here.")), Corpus("b", "2", ("Another text. " * 200,))]
    made = prepare(corpora, tokenizer, tmp_path)
    (kept,) = tmp_path.glob("*.npz")
    again = prepare(corpora, tokenizer, tmp_path)
    assert [made[i] for i in range(len(made.ends))] == [again[i] for i in range(len(again.ends))]
    assert made[0] == list(cut(TEXT, tokenizer)[0])
    assert made.ended.tolist() == [True, True, False, True]
    assert len(made.document(2)) == 64
    assert made.first.sum() == len(made.documents)

    fewer = prepare(corpora, tokenizer, tmp_path, characters=50)
    assert len(fewer.ends) < len(made.ends)
    assert len(list(tmp_path.glob("*.npz"))) == 2
    assert kept.is_file()
