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
    """Those on earlier segments, and the new one, which goes on with what there was on its own segment.

    Of what was taken back, it has what the answer still says.
    """
    earlier = [thought for thought in before if thought.index < new.index]
    if not earlier:
        new = replace(new, begin=0)
    elif earlier[-1].end is not None:
        new = replace(new, begin=min(new.begin, earlier[-1].end))
        earlier[-1] = replace(earlier[-1], end=None)  # its share ends where the new one begins
    same = next((thought for thought in before if thought.index == new.index), None)
    if same:
        tokens, seconds = same.tokens + new.tokens, same.seconds + new.seconds
        new = replace(new, begin=min(same.begin, new.begin), tokens=tokens, seconds=seconds)
    return (*earlier, new)


def holding(thoughts: tuple[Thought, ...], before: str, after: str) -> tuple[Thought, ...]:
    """Those that read nothing which an edit has changed."""
    kept = [thought for thought in thoughts if after.startswith(before[: thought.upto])]
    taken_back = thoughts[len(kept) :]
    if kept and taken_back:
        end = min(thought.begin for thought in taken_back)
        kept[-1] = replace(kept[-1], end=end if kept[-1].end is None else min(end, kept[-1].end))
    return tuple(kept)
