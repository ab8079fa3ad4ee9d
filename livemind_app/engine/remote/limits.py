"""What a server is given: time to answer, and work that nobody waits for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RemoteLimits:
    """The operator's (livemind_app/config.py, `remote_…`). Seconds above 0, requests from 1."""

    connect_s: float = 3.0
    alive_s: float = 1.2  # to answer a small question while it writes nothing; else it counts as gone
    first_token_s: float = 120.0  # a long prompt on a CPU
    between_tokens_s: float = 30.0
    speculations: int = 3  # requests at once for notes and for what is begun ahead; answers never wait


USUAL = RemoteLimits()
