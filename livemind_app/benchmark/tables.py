"""Tables in Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Sequence[str]


def number(figures: Mapping[str, Any], key: str, form: str, times: float = 1) -> str:
    """A figure so many times; one that was not measured is a dash."""
    value = figures.get(key)
    return "–" if value is None else format(value * times, form)


def table(head: Row, rows: Iterable[Iterable[str]]) -> str:
    """Markdown, columns as wide as what they hold."""
    lines = [list(head), *map(list, rows)]
    widths = [max(3, *(len(line[at]) for line in lines)) for at in range(len(head))]
    lines.insert(1, ["-" * (width - 1) + (":" if at else "-") for at, width in enumerate(widths)])
    return "\n".join(f"| {' | '.join(_padded(line, widths))} |" for line in lines)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    sides = zip(cells, widths, strict=True)
    return [cell.rjust(width) if at else cell.ljust(width) for at, (cell, width) in enumerate(sides)]
