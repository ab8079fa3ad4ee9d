"""Writing on from the same text: token by token, sentence by sentence, and token by token on a short context.

Everybody reads first, which is timed by itself, and writes for as long as was asked, an end or not. A
sentence that was written is read again before the next one, and that time counts as writing.
"""

from collections.abc import Iterator, Sequence
from time import perf_counter

import torch
from transformers import DynamicCache

from livemind_app.sentence_vae.bundle import Bundle
from livemind_app.sentence_vae.decoder import Ids
from livemind_app.sentence_vae.hybrid import HybridContext
from livemind_app.sentence_vae.sllm import SentenceModel
from livemind_app.sentence_vae.write import Writer


def written(
    bundle: Bundle, context: Sequence[Ids], tokens: int, *, turn: int = 0
) -> dict[str, dict[str, float]]:
    """Of every arm tokens, sentences (of the sentence model only) and seconds; by turns each goes first."""
    arms = {"base": _base(bundle, context, tokens)}
    if bundle.sllm:
        arms["sllm"] = _sllm(bundle.sllm, context, tokens)
    if bundle.hybrid:
        arms["hybrid"] = _hybrid(bundle.hybrid, context, tokens)
    names = list(arms)
    first = turn % len(names)
    return {name: _timed(arms[name]) for name in (*names[first:], *names[:first])}


def _timed(arm: Iterator[int]) -> dict[str, float]:
    """An arm yields 0 when it has read, then how many tokens it has said at once."""
    began = perf_counter()
    next(arm)
    read = perf_counter()
    steps = list(arm)
    seconds = perf_counter() - read
    return {"tokens": sum(steps), "steps": len(steps), "seconds": seconds, "read_seconds": read - began}


@torch.inference_mode()
def _base(bundle: Bundle, context: Sequence[Ids], tokens: int) -> Iterator[int]:
    cache = DynamicCache()
    ids = torch.tensor([[bundle.codec.end, *(token for sentence in context for token in sentence)]])
    output = bundle.base(ids.to(bundle.base.device), past_key_values=cache, use_cache=True, logits_to_keep=1)
    yield 0
    for _ in range(tokens):
        token = output.logits[:, -1:].argmax(dim=-1)
        output = bundle.base(token, past_key_values=cache, use_cache=True)
        yield 1


@torch.inference_mode()
def _hybrid(hybrid: HybridContext, context: Sequence[Ids], tokens: int) -> Iterator[int]:
    cache = DynamicCache()
    with hybrid.updated():
        logits = hybrid.read(hybrid.pieces(context), cache)
    yield 0
    for _ in range(tokens):
        token = logits.argmax()[None, None]
        with hybrid.updated():
            logits = hybrid.base(token, past_key_values=cache, use_cache=True).logits[0, -1]
        yield 1


def _sllm(model: SentenceModel, context: Sequence[Ids], tokens: int) -> Iterator[int]:
    writer = Writer(model)
    writer.append(context)
    predicted = writer.predict()
    yield 0
    said = 0
    while said < tokens:
        # A sentence without a token is none: the first one is said even where its end would be likelier.
        sentence = list(writer.say(predicted, least=1))
        writer.append([sentence])
        predicted = writer.predict()
        said += len(sentence)
        yield len(sentence)
