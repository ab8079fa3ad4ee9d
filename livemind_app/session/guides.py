"""What a lane's model reads; for a small one that the large one guides, what that reads beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from livemind_app.protocol import ROLES, Guide, Message, Role, Tokenizer
from livemind_app.session import prompts
from livemind_app.session.lanes import GUIDED_LANES, LANE_ROLE, LaneName
from livemind_app.text.align import align

Tokenizers = Callable[[Role], Tokenizer]


@dataclass(frozen=True)
class Prompt:
    """Ids of the lane's own model, and its guide, if it has one."""

    ids: tuple[int, ...]
    guide: Guide | None = None


def rendered(tokenizer: Tokenizers, lane: LaneName, messages: Sequence[Message]) -> Prompt:
    """The whole chat, whose next turn is the answer."""
    if lane not in GUIDED_LANES:
        return Prompt(tokenizer(LANE_ROLE[lane]).render(messages))
    wide, narrow = tokenizer("llm").locate(messages), tokenizer("slm").locate(messages)
    return Prompt(narrow.ids, Guide(wide.ids, align(wide.places, narrow.places), complete=True))


def steady(tokenizer: Tokenizers, lane: LaneName, messages: Sequence[Message]) -> Prompt:
    """What stays when the last message goes on."""
    ids = prompts.steady(tokenizer(LANE_ROLE[lane]), messages)
    if lane not in GUIDED_LANES:
        return Prompt(ids)
    return _beginning(tokenizer, messages, prompts.steady(tokenizer("llm"), messages), ids)


def open_turn(tokenizer: Tokenizers, lane: LaneName, messages: Sequence[Message]) -> tuple[Prompt, int]:
    """Up to the end of the last message, and the token by which its turn would end."""
    ids, end = prompts.open_turn(tokenizer(LANE_ROLE[lane]), messages)
    if lane not in GUIDED_LANES:
        return Prompt(ids), end
    return _beginning(tokenizer, messages, prompts.open_turn(tokenizer("llm"), messages)[0], ids), end


def _beginning(
    tokenizer: Tokenizers, messages: Sequence[Message], wide: tuple[int, ...], narrow: tuple[int, ...]
) -> Prompt:
    """First ids of both models; those of the small one end where the large one has nothing to go with."""
    reader, writer = (tokenizer(role).locate(messages, answer=False).places for role in ROLES)
    places = align(reader, writer[: len(narrow)])
    covered = sum(place < len(wide) for place in places)
    return Prompt(narrow[:covered], Guide(wide, places[:covered], complete=False))
