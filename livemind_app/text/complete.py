"""Whether a text looks as if its writer were done."""

import re

CLOSING = r"""["'”’)\]»]*\s*\Z"""
END = re.compile("[.?!。？！…]" + CLOSING)
GROWING = re.compile(r"(?<=\s)\S+\Z")
LONGEST = 20  # characters of a word; what is longer is of a script without spaces
QUESTION = re.compile("[?？]" + CLOSING)


def looks_complete(text: str) -> bool:
    """Whether it ends as sentences end; a decimal point that is still open looks the same.

    >>> looks_complete("How many are left? "), looks_complete("How many")
    (True, False)
    """
    return END.search(text) is not None


def asks(text: str) -> bool:
    """Whether it ends with a question.

    >>> asks("How many are left?"), asks("Ann gives him four.")
    (True, False)
    """
    return QUESTION.search(text) is not None


def whole_words(text: str) -> str:
    """Without a last word that may still grow.

    >>> whole_words("How many ap"), whole_words("How many ")
    ('How many ', 'How many ')
    """
    at = max(0, len(text) - LONGEST - 1)
    return text[:at] + GROWING.sub("", text[at:])
