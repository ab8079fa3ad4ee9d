"""What an answer says, and whether that is right.

The last thing said counts, since these models think before they answer. An answer from which nothing
can be read is wrong.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from livemind_app.benchmark.typing.datasets import LETTERS, Question

NUMBER = r"(?:(?<![\w)])-)?\$?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
CALCULATED = r"(?:(?:(?!\.\s)[^\n=]){0,40}=\W{0,3}?)*"  # "5 + 3 = " before the number that counts
NUMBERS_IN = (
    rf"####\s*({NUMBER})",
    rf"\\boxed\{{\D{{0,8}}?({NUMBER})",
    rf"answer is:?\W{{0,6}}?{CALCULATED}({NUMBER})",
    rf"(?<!\^)(?<!\^\{{)(?<!\^\d)({NUMBER})",  # no exponent
)
# Of multiple choice, the surest first. The paper's own code looks for the first and the last of these.
LETTERS_IN = (
    r"answer is:?\W{{0,6}}?([{letters}])\b(?!['’])",
    r"\\boxed\{{\W*(?:\\text\{{)?\W*([{letters}])\b",
    r"[Aa]nswer:\W*([{letters}])\b(?!['’])",
    r"(?:[Oo]ption|[Cc]hoice) \W*([{letters}])\b",
    r"\(([{letters}])\)",
    r"^\W*([{letters}])\W*$",
)
# Not the article and not the pronoun.
LONE_LETTER = r"\b(?!I\s+[a-z])(?!A\s+(?!(?:is|was|because|since|and|or)\b)[a-z])([{letters}])\b(?!['’])"


@dataclass(frozen=True)
class Score:
    """What was read from an answer, None where nothing could be, and whether it is right."""

    extracted: str | None = None
    correct: bool | None = None  # None: there is no key


def score(question: Question, answer: str) -> Score:
    if question.form is None:
        return Score()
    if question.form == "number":
        number = extract_number(answer)
        return Score(number, number is not None and same_number(number, question.key))
    if question.form == "letter":
        letter = extract_letter(answer, question.choices)
        return Score(letter, letter == question.key)
    words = extract_words(answer, question.choices or (question.key,))
    return Score(words, words == question.key)


def extract_number(answer: str) -> str | None:
    """
    >>> extract_number("3 + 4 = 7, so he has $1,207.50 left.")
    '1207.50'
    """
    found = _last(answer.replace("−", "-").replace("{,}", ","), NUMBERS_IN)
    return found.replace(",", "").replace("$", "") if found else None


def same_number(a: str, b: str) -> bool:
    """
    >>> same_number("7.00", "7")
    True
    """
    return abs(float(a) - float(b)) < 1e-6


def extract_letter(answer: str, choices: Sequence[str]) -> str | None:
    """The letter of the option that is chosen, or of the only one whose text ends the answer.

    >>> extract_letter("A is too small. The answer is (B).", ["1", "2", "3"])
    'B'
    """
    letters = LETTERS[: len(choices)]
    if found := _last(answer, [pattern.format(letters=letters) for pattern in LETTERS_IN]):
        return found
    named = extract_words(answer, choices)
    if named is not None:
        return letters[list(choices).index(named)]
    return _last(answer, [LONE_LETTER.format(letters=letters)])


def extract_words(answer: str, choices: Sequence[str]) -> str | None:
    """The choice that the last paragraph names last; the longer one where two begin at the same place.

    >>> extract_words("It looks like no. So the answer is Yes.", ["Yes", "No"])
    'Yes'
    """
    end = answer.strip().rpartition("\n")[2].lower()
    places = [(_place(choice.strip().lower(), end), len(choice), choice) for choice in choices]
    place, _, choice = max(places, default=(-1, 0, ""))
    return choice if place >= 0 else None


def _place(choice: str, text: str) -> int:
    """Where `choice` stands last as words of its own, -1 if nowhere."""
    found = list(re.finditer(rf"(?<!\w){re.escape(choice)}(?!\w)", text)) if choice else []
    return found[-1].start() if found else -1


def _last(answer: str, patterns: Sequence[str]) -> str | None:
    """The last match of the first pattern that matches at all."""
    for pattern in patterns:
        if found := re.findall(pattern, answer, re.MULTILINE):
            return str(found[-1])
    return None
