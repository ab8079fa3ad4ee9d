"""What one server allows, so that nothing in it can grow without bound."""

from dataclasses import dataclass
from math import ceil, inf

from livemind_app.session.buckets import Rate

SESSIONS = Rate(per_s=1, burst=30)  # pages that are opened
SUBMITS = Rate(per_s=2, burst=30)
SHARE = 1 / 2  # of sessions, and of answers, that one client may have where nothing else is said


@dataclass(frozen=True)
class Limits:
    max_sessions: int = 64
    max_text: int = 20_000  # characters of one prompt
    max_turns: int = 100  # of one chat
    max_chat: int = 200_000  # characters of one up to its last prompt, and of each answer in one that goes on
    idle_s: float = 1800.0  # a session without calls and readers for so long expires
    abandoned_s: float = 20.0  # without calls, after its last reader went, work for a session ends; 0: never
    spared_s: float = 30.0  # unused for less, one makes no room for another on a full server
    max_answers: int = 32  # that users wait for at once; from half of it on nothing is computed ahead
    # Of one client at a time; None: half of them, 0: any number.
    sessions_per_client: int | None = None
    answers_per_client: int | None = None
    # How often one client may; None: as often as it likes.
    new_sessions: Rate | None = SESSIONS
    submits: Rate | None = SUBMITS
    # Tokens a minute in all sessions of one client; 0: any number.
    speculate_per_client: int = 6000  # before it submits: notes, and answers begun ahead
    tokens_per_client: int = 60_000  # in answers
    readers: int = 8  # streams of events of one session; the oldest ends when one more begins
    ring: int = 1024  # events kept for readers that come back
    ring_text: int = 1_000_000  # characters in them

    @property
    def client_sessions(self) -> float:
        return _share(self.sessions_per_client, self.max_sessions)

    @property
    def client_answers(self) -> float:
        return _share(self.answers_per_client, self.max_answers)


def _share(given: int | None, all_: int) -> float:
    """
    >>> _share(None, 64), _share(None, 1), _share(5, 64), _share(0, 64)
    (32, 1, 5, inf)
    """
    return ceil(all_ * SHARE) if given is None else given or inf
