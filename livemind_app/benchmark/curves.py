"""Curves over a common axis, both logarithmic, as a picture."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from livemind_app.benchmark import svg

WIDTH, BASE, TOP, LEFT, RIGHT = 760, 330, 64, 64, 590  # pixels
Curves = Mapping[str, Mapping[float, float]]  # by name: what is measured, by what it depends on


def curves(title: str, depends_on: str, measured: str, lines: Curves) -> str:
    """SVG"""
    across = svg.log_axis([x for line in lines.values() for x in line], LEFT, RIGHT)
    up = svg.log_axis([y for line in lines.values() for y in line.values()], BASE, TOP)
    marks = [*svg.bottom(across, TOP, BASE, depends_on), *svg.left(up, LEFT, RIGHT, measured)]
    for row, ((name, line), color) in enumerate(zip(lines.items(), svg.COLORS * len(lines), strict=False)):
        marks += _curve([(across(x), up(y)) for x, y in sorted(line.items())], color)
        marks += [svg.dot(RIGHT + 22, 70 + 22 * row, color), svg.text(RIGHT + 34, 74 + 22 * row, name)]
    return svg.picture(WIDTH, BASE + 54, title, marks)


def _curve(points: list[tuple[float, float]], color: str) -> Iterator[str]:
    for (x1, y1), (x2, y2) in pairwise(points):
        yield svg.line(x1, y1, x2, y2, color)
    for x, y in points:
        yield svg.dot(x, y, color, radius=4)
