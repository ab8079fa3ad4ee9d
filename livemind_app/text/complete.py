"""Whether a text looks as if its writer were done."""

import re

CLOSING = r"""["'”’)\]»]*\s*\Z"""
END = re.compile("[.?!。？！…]" + CLOSING)
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
