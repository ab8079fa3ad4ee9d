"""What a session takes of a client. Everything else raises a SessionError that names what to do."""

import re
from collections.abc import Sequence

from livemind_app.errors import InvalidText, StaleRevision, TextTooLong, TooManyTurns, TurnRunning
from livemind_app.session.limits import Limits
from livemind_app.session.state import State

UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def check_draft(state: State, limits: Limits, revision: int, text: str) -> None:
    _check(limits, text)
    if revision <= (newest := state.revision):
        raise StaleRevision(f"revision {revision} is not newer than {newest}; send a greater one", newest)


def check_submit(state: State, limits: Limits, revision: int, text: str) -> None:
    _check(limits, text)
    if not text.strip():
        raise InvalidText("there is nothing to answer: the text is empty")
    if revision < (newest := state.revision):
        raise StaleRevision(f"revision {revision} is older than {newest}; send the newest", newest)
    if state.turn and state.turn.live_running:
        raise TurnRunning("an answer is being written; wait for it or stop it first")
    if len(state.turns) >= limits.max_turns:
        raise TooManyTurns(f"this chat has {limits.max_turns} turns, the limit; begin a new chat")
    left = limits.max_chat - sum(len(turn.prompt) + len(turn.answer) for turn in state.turns)
    if len(text) > left:
        raise TextTooLong(
            f"with this text the chat has more than {limits.max_chat} characters, the limit; "
            "shorten it or begin a new chat",
            max(left, 0),
        )


def check_said(limits: Limits, said: Sequence[tuple[str, str]]) -> None:
    """An earlier chat. The last answer of one that came as far as it may go is beyond that."""
    for prompt, answer in said:
        _check(limits, prompt)
        _check_usable(answer)
    answers, most = [len(answer) for _, answer in said], limits.max_chat
    chars = sum(len(prompt) for prompt, _ in said) + sum(answers[:-1])
    if max(chars, *answers, 0) > most:
        raise TextTooLong(f"these turns have more than {most} characters, the limit; leave some out", most)
    if len(said) >= limits.max_turns:
        raise TooManyTurns(f"{len(said)} turns are too many, the limit is {limits.max_turns - 1}")


def _check(limits: Limits, text: str) -> None:
    if len(text) > (most := limits.max_text):
        raise TextTooLong(f"the text has {len(text)} characters, the limit is {most}; shorten it", most)
    _check_usable(text)


def _check_usable(text: str) -> None:
    if found := UNUSABLE.search(text):
        raise InvalidText(f"character {found.start()} is a NUL or half a surrogate pair; remove it")
