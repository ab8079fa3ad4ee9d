"""What is read from answers as models give them."""

import pytest

from livemind_app.benchmark.typing.datasets import Question
from livemind_app.benchmark.typing.scoring import extract_letter, extract_number, extract_words, score

CHOICES = ("a red apple", "a green apple", "no apple", "it cannot be known")


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("He has 7.", "7"),
        ("3 + 4 = 7\n#### 1,207", "1207"),
        ("The answer is $5, not the 12 that he wanted.", "5"),
        ("**The answer is: 18** of 20", "18"),
        (r"Thus \boxed{\$2,500.50} for 3 people", "2500.50"),
        ("It falls to -3 degrees.", "-3"),
        ("That is 10-3.", "3"),
        ("He pays .75 dollars", ".75"),
        ("1,234,567 grains", "1234567"),
        ("12, 13", "13"),
        (r"So it is \boxed{-5}", "-5"),
        (r"\boxed{-0.5}", "-0.5"),
        (r"\boxed{.5}", ".5"),
        (r"\boxed{1{,}200}", "1200"),
        ("The answer is 5 + 3 = 8.", "8"),
        ("The answer is 20 * 3 = 60 apples", "60"),
        ("The answer is 5.5 + 3 = $8.50.", "8.50"),
        ("The answer is 8. Check: 3 = 3", "8"),
        ("The answer is \u22125", "-5"),
        ("The area is 50 m^2.", "50"),
        ("The area is 50 m^{2}.", "50"),
        ("None at all.", None),
        ("", None),
    ],
)
def test_numbers(answer: str, number: str | None) -> None:
    assert extract_number(answer) == number


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("A is wrong. The answer is (B).", "B"),
        ("The answer is B", "B"),
        ("The answer is: **C**.", "C"),
        ("First I thought the answer is (A). But the answer is (D).", "D"),
        (r"So \boxed{\text{C}}", "C"),
        ("Answer: D", "D"),
        ("I would choose option C here.", "C"),
        ("(A) is too small, so it must be (B)", "B"),
        ("Let me see.\nC", "C"),
        ("Therefore it is a green apple.", "B"),
        ("The rest follows from B, which fits.", "B"),
        ("I would pick B because it fits", "B"),
        ("Clearly A is right", "A"),
        ("A reason could be that it is late", None),
        ("A's colour is unknown, and the answer isn't there.", None),
        ("The answer is (J).", None),
        ("no idea", None),
    ],
)
def test_letters(answer: str, letter: str | None) -> None:
    assert extract_letter(answer, CHOICES) == letter


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("No at first.\nThe answer is Yes.", "Yes"),
        ("**yes**", "Yes"),
        ("Yes. No.", "No"),
        ("Nothing is known", None),
        ("", None),
    ],
)
def test_words(answer: str, words: str | None) -> None:
    assert extract_words(answer, ("Yes", "No")) == words


def test_scores() -> None:
    number = Question("x", "gsm8k", "How many?", form="number", key="7")
    letter = Question("x", "mmlu", "Which?", form="letter", key="B", choices=CHOICES)
    words = Question("x", "long", "Is it?", form="words", key="No", choices=("Yes", "No"))
    free = Question("x", "long", "Which?", form="words", key="earth, wind, & fire")
    assert score(number, "7.00").correct is True
    assert score(number, "8").correct is False
    assert score(number, "nothing").correct is False
    assert score(letter, "The answer is (B).").correct is True
    assert score(letter, "well").correct is False
    assert score(words, "The answer is No").correct is True
    assert score(free, "It is Earth, Wind, & Fire.").correct is True
    assert score(Question("x", "plain", "Write."), "The answer is (B).").correct is None
