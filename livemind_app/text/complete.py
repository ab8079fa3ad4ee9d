"""Whether a text looks as if its writer were done."""

import re

END = re.compile(r"""[.?!。？！…]["'”’)\]»]*\s*\Z""")


def looks_complete(text: str) -> bool:
    """Whether it ends as sentences end; a decimal point that is still open looks the same.

    >>> looks_complete("How many are left? "), looks_complete("How many")
    (True, False)
    """
    return END.search(text) is not None
