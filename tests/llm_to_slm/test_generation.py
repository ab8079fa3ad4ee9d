"""Guided generations on tiny random pairs: the plain model's until trained, and the same however typed."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from livemind_app.decoding.lookahead.calibration import Calibration
from livemind_app.decoding.lookahead.cost import Costs
from livemind_app.decoding.lookahead.drafter import Drafter
from livemind_app.engine.cache import CachePool, KVCache
from livemind_app.engine.generation import generation
from livemind_app.engine.lookahead import Lookahead
from livemind_app.engine.model import LoadedModel
from livemind_app.errors import ContextTooLong, ModelError
from livemind_app.llm_to_slm import adapter
from livemind_app.llm_to_slm.conditioner import Conditioner, Shape
from livemind_app.llm_to_slm.generation import Pair, Writer
from livemind_app.protocol import Chunk, Finished, Guide, Request
from livemind_app.text.align import align
from livemind_app.training import lora
from tests.llm_to_slm import tiny

TOKENS = 12
QUESTION = "The bakery bakes 120 rolls. By noon it has sold half of them. How many are left?"


def made(folder: Path, *, trained: bool) -> tuple[Pair, LoadedModel, LoadedModel]:
    """A pair with an adapter that was saved and loaded."""
    reader, writer = tiny.reader(), tiny.writer()
    torch.manual_seed(5)
    conditioner = Conditioner(
        Shape.for_models(reader.model.config, writer.model.config, summary=6), size=0.15
    )
    updates = lora.add_lora(tiny.writer().model, rank=4)
    if trained:
        with torch.no_grad():
            for parameter in (*conditioner.parameters(), *(update.up for update in updates)):
                if parameter.dim() > 1:
                    nn.init.normal_(parameter, std=0.2)
    adapter.save(
        folder,
        conditioner,
        updates,
        {"llm": reader.name, "slm": writer.name, "alpha": 8.0, "names": lora.EVERY},
    )
    pair = adapter.load(folder).attach({"llm": reader, "slm": writer})
    return pair, reader, writer


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, LoadedModel, LoadedModel]:
    return made(tmp_path_factory.mktemp("untrained") / "adapter", trained=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, LoadedModel, LoadedModel]:
    return made(tmp_path_factory.mktemp("trained") / "adapter", trained=True)


def asked(
    reader: LoadedModel, writer: LoadedModel, text: str, *, complete: bool = True, key: str | None = "lane"
) -> Request:
    wide = reader.tokenizer.locate(tiny.chat(text), answer=complete)
    narrow = writer.tokenizer.locate(tiny.chat(text), answer=complete)
    guide = Guide(wide.ids, align(wide.places, narrow.places), complete)
    return Request(narrow.ids, "slm", TOKENS if complete else 0, guide=guide, cache_key=key)


def said(outputs: Sequence[object]) -> tuple[int, ...]:
    return tuple(token for output in outputs if isinstance(output, Chunk) for token in output.ids)


def run(pair: Pair, pool: CachePool, request: Request) -> tuple[tuple[int, ...], Finished]:
    outputs = [output for output in pair.generation(pool, request) if output]
    assert isinstance(outputs[-1], Finished)
    return said(outputs), outputs[-1]


def plainly(writer: LoadedModel, request: Request) -> tuple[int, ...]:
    return said(list(generation(writer, CachePool(0), replace(request, guide=None, cache_key=None))))


def test_untrained_it_is_exactly_the_plain_model(untrained: tuple[Pair, LoadedModel, LoadedModel]) -> None:
    pair, reader, writer = untrained
    request = asked(reader, writer, QUESTION)
    guided, finished = run(pair, CachePool(2**30), request)
    assert guided == plainly(writer, request)
    assert finished.prompt_tokens == len(request.ids) + len(request.guide.ids if request.guide else ())


def test_trained_it_says_something_else_and_leaves_the_plain_model_alone(
    trained: tuple[Pair, LoadedModel, LoadedModel],
) -> None:
    pair, reader, writer = trained
    request = asked(reader, writer, QUESTION)
    before = plainly(writer, request)
    guided, _ = run(pair, CachePool(2**30), request)
    assert guided != before
    assert plainly(writer, request) == before == plainly(tiny.writer(), request)


def test_updates_in_the_weights_are_updates_beside_them(tmp_path: Path) -> None:
    """With additions to the prompt; in float32, as tiny models are."""
    _, reader, writer = made(tmp_path / "adapter", trained=True)
    found, beside = adapter.load(tmp_path / "adapter"), tiny.writer()
    lora.restore(lora.add_lora(beside.model, rank=4, alpha=8.0), found.lora)
    request = asked(reader, writer, QUESTION)
    added = torch.randn(len(request.ids), 32, generator=torch.Generator().manual_seed(1))
    logits = []
    for model in (found.merged(writer), beside):
        cache = KVCache()
        plain = {field.name: getattr(model, field.name) for field in fields(LoadedModel)}
        Writer(**plain, added=added).prefill(request.ids, cache)
        assert cache.logits is not None
        logits.append(cache.logits)
    assert torch.allclose(*logits, atol=1e-4)
    assert not torch.allclose(logits[0], torch.zeros(1), atol=0.1)


PIECES = st.lists(
    st.tuples(
        st.sampled_from(["The bakery", " 汉字", "👩‍👩‍👧", ".", "\n\n", " half of them"]),
        st.integers(0, 30),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=15, deadline=None)
@given(edits=PIECES)
def test_any_edits_end_in_the_answer_of_a_cold_start(
    trained: tuple[Pair, LoadedModel, LoadedModel], edits: list[tuple[str, int, bool]]
) -> None:
    """Read ahead, taken back, answered too early: what is cached changes no answer."""
    pair, reader, writer = trained
    pool, text = CachePool(2**30), "Tom."
    for piece, taken, complete in edits:
        text = text[: max(1, len(text) - taken)] + piece
        run(pair, pool, asked(reader, writer, text, complete=complete))
    last = asked(reader, writer, text)
    warm, _ = run(pair, pool, last)
    assert warm == run(pair, CachePool(2**30), replace(last, cache_key=None))[0]


def test_at_submit_only_the_end_is_read(trained: tuple[Pair, LoadedModel, LoadedModel]) -> None:
    pair, reader, writer = trained
    pool, longer = CachePool(2**30), QUESTION * 3
    run(pair, pool, asked(reader, writer, longer, complete=False))
    request = asked(reader, writer, longer)
    _, finished = run(pair, pool, request)
    assert finished.prefilled_tokens <= 6 + 2 * 12  # the resampler's tokens and both templates' ends
    _, again = run(pair, pool, request)
    assert again.prefilled_tokens <= 1


def test_an_answer_goes_on_where_it_stopped(trained: tuple[Pair, LoadedModel, LoadedModel]) -> None:
    pair, reader, writer = trained
    request = asked(reader, writer, QUESTION)
    whole, _ = run(pair, CachePool(2**30), request)
    for pool in (CachePool(2**30), CachePool(0)):
        head, _ = run(pair, pool, replace(request, max_tokens=5))
        rest, _ = run(pair, pool, replace(request, ids=request.ids + head, said=5, max_tokens=TOKENS - 5))
        assert head + rest == whole


def test_lookahead_says_the_same(trained: tuple[Pair, LoadedModel, LoadedModel], tmp_path: Path) -> None:
    _, reader, writer = trained
    free = Costs({1: dict.fromkeys(range(1, 17), 1.0)})
    drafting = replace(
        tiny.writer(), lookahead=Lookahead(free, lambda: Drafter(Calibration(), None, ends=writer.end_ids))
    )
    made(tmp_path / "adapter", trained=True)
    pair = adapter.load(tmp_path / "adapter").attach({"llm": reader, "slm": drafting})
    request = replace(asked(reader, writer, QUESTION), max_tokens=60)
    plain, _ = run(pair, CachePool(2**30), replace(request, cache_key=None))
    drafted, finished = run(pair, CachePool(2**30), replace(request, lookahead=True))
    assert drafted == plain
    assert finished.drafted > 0


def test_cancelled_while_reading_it_ends_and_keeps_what_was_read(
    trained: tuple[Pair, LoadedModel, LoadedModel],
) -> None:
    pair, reader, writer = trained
    pool, request = CachePool(2**30), asked(reader, writer, QUESTION * 3)
    steps = pair.generation(pool, request)
    assert next(steps) is None
    request.cancel()
    *_, finished = steps
    assert isinstance(finished, Finished)
    assert finished.reason == "cancelled"
    _, again = run(pair, pool, asked(reader, writer, QUESTION * 3))
    assert again.cached_tokens > 0


def test_a_prompt_beyond_the_large_models_context_is_refused(
    trained: tuple[Pair, LoadedModel, LoadedModel],
) -> None:
    pair, reader, writer = trained
    with pytest.raises(ContextTooLong, match=reader.name):
        run(pair, CachePool(2**30), asked(reader, writer, QUESTION * 40))


def test_an_adapter_of_other_models_is_refused(tmp_path: Path) -> None:
    made(tmp_path / "adapter", trained=False)
    found = adapter.load(tmp_path / "adapter")
    with pytest.raises(ModelError, match="tiny-qwen2-48 as llm"):
        found.attach({"llm": tiny.writer(), "slm": tiny.writer()})
    other = replace(tiny.model("llama", 290, 64, seed=2), name="tiny-llama-32")
    with pytest.raises(ModelError, match="does not fit"):
        found.attach({"llm": tiny.reader(), "slm": other})
