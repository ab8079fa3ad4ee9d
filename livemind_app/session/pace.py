"""How fast this user types, and when the next segment is likely to be finished."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

PAUSE_S = 2.0  # a longer gap is a pause, not a typing speed
BURST = 8  # more characters at once are a paste or a completion
SMOOTHING = 0.1


@dataclass(frozen=True)
class Pace:
    """Characters per second, smoothed over single keystrokes; 4/s is the LiveMind paper's typist."""

    chars_per_s: float = 4.0
    at: float | None = None  # of the newest keystroke

    def keystroke(self, at: float, grown: int) -> "Pace":
        gap = at - self.at if self.at is not None else None
        if gap is None or not 0 < gap <= PAUSE_S or not 0 < grown <= BURST:
            return replace(self, at=at)
        speed = self.chars_per_s + SMOOTHING * (grown / gap - self.chars_per_s)
        return Pace(speed, at)

    @property
    def hesitation_s(self) -> float:
        """Silence that single keystrokes rarely have: time to read what is there."""
        return self._gaps(2.0, 0.3, 0.8)

    @property
    def pause_s(self) -> float:
        """Silence that may mean that the text is complete."""
        return self._gaps(4.0, 0.5, 2.0)

    def _gaps(self, count: float, least: float, most: float) -> float:
        return min(max(count / self.chars_per_s, least), most)

    def seconds_to_next(self, lengths: Sequence[int], tail: int) -> float:
        """Seconds until a segment of mean length is typed, of which `tail` characters are there."""
        mean = sum(lengths) / len(lengths) if lengths else 0
        return max(mean - tail, 0.0) / self.chars_per_s
