"""Types of settings that know how their values are written: `from_env` and the constructor read them alike.

Each reader takes what a command line, a variable or a program gives, and raises ValueError saying what the
value must be.
"""

import math
import re
from collections.abc import Callable
from ipaddress import ip_network
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

Reader = Callable[[Any], Any]


def reader(hint: Any) -> Reader:
    """How values of this type are read: as it is annotated, or one of a Literal's; None stays apart."""
    if get_origin(hint) is Annotated:
        read: Reader = hint.__metadata__[0]
        return read
    if get_origin(hint) is Literal:
        return one_of(*get_args(hint))
    (given,) = (each for each in get_args(hint) if each is not NoneType)
    return reader(given)


def one_of(*choices: str) -> Reader:
    def read(value: Any) -> Any:
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return value

    return read


def integer(low: int, high: int) -> Reader:
    def read(value: Any) -> int:
        expected = f"a whole number from {low} to {high}"
        try:
            number = int(str(value))
        except ValueError:
            raise ValueError(expected) from None
        if not low <= number <= high:
            raise ValueError(expected)
        return number

    return read


def seconds(value: Any) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError("a number of seconds above 0")
    return number


def seconds_or_never(value: Any) -> float:
    """0 where something is not to happen at all."""
    return 0.0 if str(value) in ("0", "0.0") else seconds(value)


def name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("a name in printable characters")
    return value


def header(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9-]{1,64}", value):
        raise ValueError("the name of an HTTP header: letters, digits and hyphens")
    return value


def switch(value: Any) -> bool:
    if value not in (True, False, "on", "off"):
        raise ValueError("on or off")
    return value in (True, "on")


def origins(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    found = tuple(part.strip().rstrip("/") for part in parts)
    if not all(re.fullmatch(r"https?://[^\s/,;'\"]+", origin) for origin in found):
        raise ValueError("addresses of sites like https://example.org, with commas between")
    return found


def proxies(value: Any) -> int | tuple[str, ...]:
    """A number of them, or addresses and networks; `*`, as others write it, is whoever connects."""
    if str(value).isdecimal() or value == "*":
        return integer(0, 20)(1 if value == "*" else value) or ()
    parts = value.split(",") if isinstance(value, str) else value
    try:
        return tuple(str(ip_network(part.strip())) for part in parts)
    except ValueError:
        raise ValueError("a number, or addresses and networks with commas between") from None


def offered(value: Any) -> tuple[str, ...]:
    """What is in a pair is for who loads it to check."""
    parts = value.split(",") if isinstance(value, str) else value
    found = tuple(part.strip() for part in parts)
    if found == ("none",):
        return ()
    if not all(re.fullmatch(r"[^\s+]+(\+[^\s+]+)?", part) for part in found):
        raise ValueError("presets, or pairs of models LLM+SLM, with commas between; or none")
    return found


def number_or_range(value: Any) -> tuple[int, int]:
    text = value if isinstance(value, str) else "-".join(str(number) for number in value)
    found = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= low <= high <= 10_000:
        raise ValueError("a number from 1 to 10000, or two of them like 2-8")
    return low, high


Name = Annotated[str, name]
HeaderName = Annotated[str, header]
Seconds = Annotated[float, seconds]
SecondsOrNever = Annotated[float, seconds_or_never]
Switch = Annotated[bool, switch]
Offered = Annotated[tuple[str, ...], offered]
Origins = Annotated[tuple[str, ...], origins]
Proxies = Annotated[int | tuple[str, ...], proxies]
Range = Annotated[tuple[int, int], number_or_range]
Count = Annotated[int, integer(1, 10_000)]
CountOrAny = Annotated[int, integer(0, 10_000)]
Amount = Annotated[int, integer(1, 1_000_000)]
AmountOrAny = Annotated[int, integer(0, 1_000_000)]
TokensOrAny = Annotated[int, integer(0, 10_000_000)]
