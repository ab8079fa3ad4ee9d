"""What each lane shows its model, and how much of that is certain while the user types."""

from collections.abc import Sequence

from livemind_app.protocol import Message, Tokenizer
from livemind_app.session.events import Segment
from livemind_app.session.formats import FORMATS, blocks_of, conventional
from livemind_app.session.lanes import LIVE_LANES, LaneName
from livemind_app.session.options import Options
from livemind_app.session.state import Note
from livemind_app.text.prefix import common_prefix

NEXT = ("a", " a", "1", ".", "\n")  # what may be typed next: one of each kind that tokenizers treat apart


def answer_messages(
    options: Options,
    lane: LaneName,
    past: Sequence[Message],
    segments: Sequence[Segment],
    notes: Sequence[Note],
) -> list[Message]:
    """The chat whose next turn is the lane's answer."""
    texts = [segment.text for segment in segments]
    if _conventional(options, lane):
        return conventional(past, "".join(texts))
    return FORMATS[options.format].answer(past, blocks_of(texts, notes))


def known_messages(options: Options, lane: LaneName, past: Sequence[Message], text: str) -> list[Message]:
    """Messages that the lane's chat begins with once the prompt begins with `text`; may be none."""
    if _conventional(options, lane):
        return conventional(past, text)
    return FORMATS[options.format].known(past, text)


def _conventional(options: Options, lane: LaneName) -> bool:
    return lane not in LIVE_LANES or options.mode == "exact"


def steady(tokenizer: Tokenizer, messages: Sequence[Message]) -> tuple[int, ...]:
    """Ids that stay when the last message goes on: its last tokens may join what is typed next."""
    *before, last = messages
    ids, *others = [
        tokenizer.render([*before, {"role": last["role"], "content": last["content"] + more}], answer=False)
        for more in ("", *NEXT)
    ]
    return ids[: min(common_prefix(ids, other) for other in others)]


def open_turn(tokenizer: Tokenizer, messages: Sequence[Message]) -> tuple[tuple[int, ...], int]:
    """Ids up to the end of the last message, and the token by which its turn would end."""
    role = messages[-1]["role"]
    one, other = (tokenizer.render([{"role": role, "content": text}], answer=False) for text in ("a", "1"))
    closing = common_prefix(one[::-1], other[::-1])
    ids = tokenizer.render(messages, answer=False)
    return ids[: len(ids) - closing], ids[-closing]
