"""What one server allows, so that nothing in it can grow without bound."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    max_sessions: int = 64
    max_text: int = 20_000  # characters of one prompt
    max_turns: int = 100  # of one chat
    idle_s: float = 1800.0  # a session without calls and readers for so long expires
    max_answers: int = 32  # that users wait for at once; from half of it on nothing is computed ahead
    # Tokens a minute in all sessions of one client; 0: any number.
    speculate_per_client: int = 6000  # before it submits: notes, and answers begun ahead
    tokens_per_client: int = 60_000  # in answers
    readers: int = 8  # streams of events of one session; the oldest ends when one more begins
    ring: int = 1024  # events kept for readers that come back
    ring_text: int = 1_000_000  # characters in them
