"""Lines in SVG that browsers colour by the page's style: no script, and a value to read at every point."""

from collections.abc import Callable, Iterator
from html import escape
from math import ceil, floor, log10

from livemind_app.serving.history_words import Words
from livemind_app.serving.trends import LANES, Bin, Series

WIDTH, HEIGHT = 440, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 26
TICKS = 4
MARKS = (  # a shape for each lane, for those who do not tell colours apart; paths around 0,0
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
    "M-3.5-3.5h7v7h-7z",
    "M0-5L4.5 3.5H-4.5z",
    "M0 5L4.5-3.5H-4.5z",
    "M0-5L5 0L0 5L-5 0z",
    "M-4-1.3h2.7v-2.7h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7z",
    "M-4 0L-2-4H2L4 0L2 4H-2z",
)
Show = Callable[[float], str]


def mark(lane: str) -> str:
    """The path of a lane's shape."""
    return MARKS[LANES.index(lane) % len(MARKS)]


def chart(title: str, series: Series, show_x: Show, show_y: Show, words: Words) -> str:
    """An `<svg>`; `show_x` and `show_y` write values of the axes. Empty where there is nothing to draw."""
    bins = [each for line in series.values() for each in line]
    if not bins:
        return ""
    low_x, high_x = _widened(min(each.x for each in bins), max(each.x for each in bins))
    marks = ticks(min(0.0, *(each.y for each in bins)), max(each.y for each in bins))
    x = _scale(low_x, high_x, LEFT, WIDTH - RIGHT)
    y = _scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)

    def told(lane: str, each: Bin) -> str:
        return _told(words, lane, each, show_x, show_y)

    parts = [
        *(_row(y(value), show_y(value)) for value in marks),
        *_ends(show_x(low_x), show_x(high_x)),
        *(_line(lane, line, x, y, told) for lane, line in series.items()),
    ]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def ticks(low: float, high: float) -> list[float]:
    """Round values from below `low` to above `high`, a handful.

    >>> ticks(0, 7.3), ticks(-0.2, 0.9)
    ([0.0, 2.0, 4.0, 6.0, 8.0], [-0.5, 0.0, 0.5, 1.0])
    """
    if high - low < 1e-6 * max(abs(high), 1.0):
        high = low + 1
    rough = (high - low) / TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(number * step, 10) for number in range(floor(low / step), ceil(high / step) + 1)]


def _widened(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _row(y: float, label: str) -> str:
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>'
    )


def _ends(low: str, high: str) -> Iterator[str]:
    yield f'<text x="{LEFT}" y="{HEIGHT - 6}">{escape(low)}</text>'
    yield f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{escape(high)}</text>'


def _line(
    lane: str,
    line: list[Bin],
    x: Callable[[float], float],
    y: Callable[[float], float],
    told: Callable[[str, Bin], str],
) -> str:
    places = [(x(each.x), y(each.y)) for each in line]
    path = "M" + "L".join(f"{at:.1f} {up:.1f}" for at, up in places)
    points = "".join(
        f'<path class="point" transform="translate({at:.1f} {up:.1f})" d="{mark(lane)}">'
        f"<title>{escape(told(lane, each))}</title></path>"
        for (at, up), each in zip(places, line, strict=True)
    )
    return f'<g class="lane-{lane}"><path class="line" d="{path}"/>{points}</g>'


def _told(words: Words, lane: str, each: Bin, show_x: Show, show_y: Show) -> str:
    span = f" ({words.span.format(show_y(each.low), show_y(each.high))})" if each.runs > 1 else ""
    return f"{words.lane(lane)}, {show_x(each.x)}: {show_y(each.y)}{span}, {words.counted(each.runs)}"
