"""Small pictures as text: an axis, marks and labels, without a plotting library."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

INK, FAINT = "#1f2328", "#d8dee4"
COLORS = ("#0969da", "#8250df", "#57606a", "#bf8700", "#1a7f37", "#cf222e", "#bc4c00", "#0a8a8a")
FONT = "font-family='system-ui, sans-serif' font-size='13'"


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high` on pixels from `start` to `end`; logarithmic or not."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        a, b, x = (log10(v) if self.log else v for v in (self.low, self.high, max(value, self.low)))
        return self.start + (x - a) / (b - a) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Of a logarithmic axis 1, 2, 5, 10, …; of another one five steps.

        >>> Axis(0.5, 4, 0, 100, log=True).ticks()
        [0.5, 1.0, 2.0]
        """
        if not self.log:
            return [self.low + step * (self.high - self.low) / 5 for step in range(6)]
        powers = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        steps = [round(digit * 10.0**power, 9) for power in powers for digit in (1, 2, 5)]
        return [step for step in steps if self.low <= step <= self.high]


def log_axis(values: Sequence[float], start: float, end: float) -> Axis:
    """Around all values, half as much again on either side."""
    positive = [value for value in values if value > 0] or [1.0]
    return Axis(min(positive) / 1.5, max(positive) * 1.5, start, end, log=True)


def picture(width: int, height: int, title: str, marks: Sequence[str]) -> str:
    """A whole file; white below, since pages may be dark."""
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' role='img' {FONT}>"
    name = f"<title>{escape(title)}</title><rect width='{width}' height='{height}' fill='white'/>"
    return "\n".join([head, name, text(16, 26, title, size=16, weight=600), *marks, "</svg>", ""])


def line(x1: float, y1: float, x2: float, y2: float, color: str = INK, width: float = 1.5) -> str:
    where = f"x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}'"
    return f"<line {where} stroke='{color}' stroke-width='{width}'/>"


def dot(x: float, y: float, color: str, radius: float = 5, opacity: float = 1) -> str:
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius}' fill='{color}' fill-opacity='{opacity}'/>"


def box(x: float, y: float, width: float, height: float, color: str) -> str:
    where = f"x='{x:.1f}' y='{y:.1f}' width='{max(width, 1):.1f}' height='{height:.1f}'"
    return f"<rect {where} rx='2' fill='{color}' fill-opacity='0.25' stroke='{color}'/>"


def text(
    x: float, y: float, content: str, *, anchor: str = "start", size: int = 13, weight: int = 400
) -> str:
    style = f"text-anchor='{anchor}' font-size='{size}' font-weight='{weight}' fill='{INK}'"
    return f"<text x='{x:.1f}' y='{y:.1f}' {style}>{escape(content)}</text>"


def bottom(axis: Axis, top: float, base: float, label: str, percent: bool = False) -> list[str]:
    """A horizontal axis with faint lines up to `top`."""
    marks = [line(axis.start, base, axis.end, base)]
    for tick in axis.ticks():
        marks.append(line(axis(tick), top, axis(tick), base, FAINT, 1))
        marks.append(text(axis(tick), base + 18, _tick(tick, percent), anchor="middle", size=12))
    return [*marks, text((axis.start + axis.end) / 2, base + 38, label, anchor="middle")]


def left(axis: Axis, start: float, end: float, label: str, percent: bool = False) -> list[str]:
    """A vertical axis with faint lines from `start` to `end`."""
    marks = [text(16, axis.end - 14, label, size=12)]
    for tick in axis.ticks():
        marks.append(line(start, axis(tick), end, axis(tick), FAINT, 1))
        marks.append(text(start - 8, axis(tick) + 4, _tick(tick, percent), anchor="end", size=12))
    return marks


def _tick(value: float, percent: bool) -> str:
    return f"{value:.0%}" if percent else f"{value:g}"
