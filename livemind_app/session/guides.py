"""What a lane's model reads; for a small one that the large one guides, what that reads beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from livemind_app.protocol import ROLES, Guide, Message, Role, Tokenizer
from livemind_app.session import prompts
from livemind_app.session.lanes import GUIDED_LANES, LANE_ROLE, LaneName
from livemind_app.session.options import Options
from livemind_app.session.state import TurnState
from livemind_app.text.align import align
from livemind_app.text.prefix import common_prefix

Tokenizers = Callable[[Role], Tokenizer]


@dataclass(frozen=True)
class Prompt:
    """Ids of the lane's own model, and its guide, if it has one."""

    ids: tuple[int, ...]
    guide: Guide | None = None


def rendered(
    tokenizer: Tokenizers, lane: LaneName, messages: Sequence[Message], role: Role | None = None
) -> Prompt:
    """The whole chat, whose next turn is the answer; `role`: for another model than the lane's own."""
    if lane not in GUIDED_LANES:
        return Prompt(tokenizer(role or LANE_ROLE[lane]).render(messages))
    wide, narrow = tokenizer("llm").locate(messages), tokenizer("slm").locate(messages)
    return Prompt(narrow.ids, Guide(wide.ids, align(wide.places, narrow.places), complete=True))


def reading(
    tokenizer: Tokenizers, options: Options, lane: LaneName, past: Sequence[Message], turn: TurnState
) -> Prompt:
    """The beginning of a lane's prompt that was known before the turn's last segment was typed."""
    *segments, last = turn.segments
    if lane in GUIDED_LANES:
        text = "".join(segment.text for segment in segments)
        return steady(tokenizer, lane, prompts.known_messages(options, lane, past, text))
    notes = [note for note in turn.notes if note.index < len(segments)]
    render = tokenizer(LANE_ROLE[lane]).render
    whole = render(prompts.answer_messages(options, lane, past, turn.segments, turn.notes))
    # With another last segment: what both prompts begin with is what was there without either.
    others = (
        render(prompts.answer_messages(options, lane, past, [*segments, replace(last, text=text)], notes))
        for text in prompts.NEXT
    )
    return Prompt(whole[: min(common_prefix(whole, other) for other in others)])


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
