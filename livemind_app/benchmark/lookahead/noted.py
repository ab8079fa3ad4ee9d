"""What the output stage of the live lanes reads: a prompt, and notes on it that the measured model took."""

from livemind_app.benchmark.lookahead.prompts import Prompt
from livemind_app.engine.cache import CachePool
from livemind_app.engine.generation import generation
from livemind_app.engine.model import LoadedModel
from livemind_app.protocol import Chunk, Message, Request
from livemind_app.session.actions import is_echo
from livemind_app.session.formats import FORMATS, Block, assistant
from livemind_app.session.options import Options
from livemind_app.text.segment import segment


def chat(model: LoadedModel, prompt: Prompt) -> list[Message]:
    """The chat whose next turn is the answer."""
    if not prompt.noted:
        return [{"role": "user", "content": prompt.text}]
    *finished, last = segment(prompt.text)
    blocks: list[Block] = []
    pending = ""
    for piece in finished:
        pending += piece
        note = _note(model, [*blocks, Block(pending)])
        if note and not is_echo(note, prompt.text):
            blocks.append(Block(pending, note))
            pending = ""
    return FORMATS[Options().format].answer([], [*blocks, Block(pending + last)])


def _note(model: LoadedModel, blocks: list[Block]) -> str:
    """One line on the last block, greedily; the model is not asked whether it wants to wait."""
    options = Options()
    layout = FORMATS[options.format]
    begun = [assistant(layout.gate.think)] if layout.gate else []
    ids = model.tokenizer.render([*layout.think([], blocks), *begun])
    request = Request(ids, "llm", options.note_tokens, stops=layout.stops)
    outputs = generation(model, CachePool(0), request)
    return "".join(output.text for output in outputs if isinstance(output, Chunk)).strip()
