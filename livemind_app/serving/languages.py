"""In which language a page of this server speaks: chosen on the chat's page, or wished by the browser."""

from typing import Literal

from starlette.requests import HTTPConnection

Language = Literal["en", "zh", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "zh", "ja")
COOKIE = "livemind_language"  # of static/words.js


def language_of(request: HTTPConnection) -> Language:
    """What was chosen on the chat's page, else the browser's first that there is, else English."""
    wanted = [request.cookies.get(COOKIE, ""), *_accepted(request.headers.get("accept-language", ""))]
    known = {str(language): language for language in LANGUAGES}
    return next((known[name] for name in wanted if name in known), "en")


def _accepted(header: str) -> list[str]:
    """The languages of a header, the most wanted first.

    >>> _accepted("en;q=0.5, zh-CN, *;q=0.1, ja;q=0, fr;q=x")
    ['zh', 'en', '*']
    """
    found = []
    for part in header.split(","):
        name, _, weight = part.partition(";")
        wanted = _quality(weight)
        if wanted > 0:
            found.append((-wanted, name.strip().partition("-")[0].lower()))
    return [name for _, name in sorted(found, key=lambda one: one[0])]


def _quality(weight: str) -> float:
    if not weight:
        return 1.0
    try:
        return float(weight.strip().removeprefix("q="))
    except ValueError:
        return 0.0
