"""What each part of the draft gave to an answer that goes along with it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from livemind_app.session.events import Segment, Thought


def read_to(segments: Sequence[Segment], upto: int) -> int:
    """The index of the last segment that the first `upto` characters of the draft reach into.

    >>> parts = [Segment("One. ", finished=True), Segment("Two", finished=False)]
    >>> read_to(parts, 5), read_to(parts, 6)
    (0, 1)
    """
    ends = accumulate(len(segment.text) for segment in segments)
    return next((index for index, end in enumerate(ends) if upto <= end), 0)


def with_thought(before: Sequence[Thought], new: Thought) -> tuple[Thought, ...]:
    """Those on earlier segments, and the new one, which goes on with what there was on its own segment."""
    earlier = (thought for thought in before if thought.index < new.index)
    same = next((thought for thought in before if thought.index == new.index), None)
    if same is None:
        return (*earlier, new)
    both = replace(
        new,
        begin=min(same.begin, new.begin),
        tokens=same.tokens + new.tokens,
        seconds=same.seconds + new.seconds,
    )
    return (*earlier, both)


def holding(thoughts: tuple[Thought, ...], before: str, after: str) -> tuple[Thought, ...]:
    """Those that read nothing which an edit has changed."""
    return tuple(thought for thought in thoughts if after.startswith(before[: thought.upto]))
