"""Requests with a compression, on a tiny random base: the same however they were typed or interrupted."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livemind_app.decoding.lookahead.calibration import Calibration
from livemind_app.decoding.lookahead.cost import Costs
from livemind_app.decoding.lookahead.drafter import Drafter
from livemind_app.engine import generation as engine_generation
from livemind_app.engine.cache import CachePool
from livemind_app.engine.local import Method
from livemind_app.engine.lookahead import Lookahead
from livemind_app.engine.model import LoadedModel
from livemind_app.protocol import Chunk, Compression, Finished, Output, Request, Sampling
from livemind_app.sentence_vae.codec import Codec
from livemind_app.sentence_vae.decoder import Ids
from livemind_app.sentence_vae.files import save_codec, save_model
from livemind_app.sentence_vae.generation.hybrid import HybridMethod
from livemind_app.sentence_vae.generation.loading import compressing
from livemind_app.sentence_vae.generation.prompt import pieces
from livemind_app.sentence_vae.generation.sllm import SllmMethod
from livemind_app.sentence_vae.hybrid import HybridConfig, HybridContext
from livemind_app.sentence_vae.sllm import SentenceModel, SllmConfig
from livemind_app.sentence_vae.write import Writer, write
from livemind_app.training.checkpoint import read_meta
from livemind_app.training.lora import merge
from tests.llm_to_slm import tiny
from tests.sentence_vae.conftest import SMALL, disturb

QUESTION = "The bakery bakes 120 rolls. By noon it has sold half of them. It is a help. How many are left?"
TOKENS = 24
SETTINGS: tuple[Compression, ...] = ("sllm", "hybrid")


def model(width: int = 64) -> LoadedModel:
    return tiny.model("llama", 290, width, seed=2)


def codec_of(loaded: LoadedModel) -> Codec:
    torch.manual_seed(1)
    return Codec(loaded.model.requires_grad_(False), SMALL).eval().requires_grad_(False)


def sentences_of(loaded: LoadedModel) -> SentenceModel:
    torch.manual_seed(3)
    made = SentenceModel(loaded.model, codec_of(loaded), SllmConfig(rank=4, speaker_rank=4))
    disturb(made)
    return made.eval().requires_grad_(False)


def context_of(loaded: LoadedModel, raw: int = 2) -> HybridContext:
    torch.manual_seed(3)
    config = HybridConfig(rank=4, raw=raw)
    made = HybridContext(loaded.model, codec_of(loaded), config)
    disturb(made)
    merge(made.all_updates)
    return made.eval().requires_grad_(False)


@cache
def made() -> dict[Compression, Method]:
    one, other = model(), model()
    return {"sllm": SllmMethod(one, sentences_of(one)), "hybrid": HybridMethod(other, context_of(other))}


@pytest.fixture
def methods() -> dict[Compression, Method]:
    return made()


TOKENIZER = model().tokenizer


def request(text: str, compression: Compression, **changes: object) -> Request:
    made = Request(TOKENIZER.render(tiny.chat(text)), "slm", TOKENS, session="s", cache_key="k")
    return replace(made, compression=compression, **changes)  # type: ignore[arg-type]


def outputs(method: Method, asked: Request, pool: CachePool | None = None) -> Iterator[Output]:
    made = method.generation(pool or CachePool(2**30), asked)
    return (output for output in made if output is not None)


def said(found: Sequence[Output]) -> list[int]:
    return [token for output in found if isinstance(output, Chunk) for token in output.ids]


def finished(found: Sequence[Output]) -> Finished:
    assert isinstance(found[-1], Finished)
    return found[-1]


# --- the prompt


@given(st.text(max_size=80), st.text(max_size=80))
def test_nothing_of_a_prompt_is_lost(first: str, second: str) -> None:
    chat = [{"role": "user", "content": first}, {"role": "assistant", "content": second}]
    ids = TOKENIZER.render(chat)  # type: ignore[arg-type]
    assert tuple(token for piece in pieces(ids, TOKENIZER) for token in piece.ids) == ids


def test_templates_and_roles_are_marks() -> None:
    found = pieces(TOKENIZER.render(tiny.chat(QUESTION)), TOKENIZER)
    text = [(TOKENIZER.decode(piece.ids), piece.mark) for piece in found if TOKENIZER.decode(piece.ids)]
    assert text == [
        ("system\n", True),
        ("You are helpful.", False),
        ("\n", True),
        ("user\n", True),
        ("The bakery bakes 120 rolls. ", False),
        ("By noon it has sold half of them. ", False),
        ("It is a help. ", False),
        ("How many are left?", False),
        ("\n", True),
        ("assistant\n", True),
    ]


# --- both settings


@pytest.mark.parametrize("setting", SETTINGS)
def test_typed_edited_and_asked_again_it_says_the_same(
    methods: dict[Compression, Method], setting: Compression
) -> None:
    method, pool = methods[setting], CachePool(2**30)
    texts = ["The bakery bakes", QUESTION[:60], "By noon it has sold half of them.", QUESTION, QUESTION]
    for text in texts:
        warm = list(outputs(method, request(text, setting), pool))
        fresh = list(outputs(method, request(text, setting)))
        assert said(warm) == said(fresh)
    assert finished(warm).cached_tokens > 0.7 * finished(warm).prompt_tokens
    assert finished(fresh).cached_tokens == 0


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kept", [True, False], ids=["same cache", "another cache"])
def test_an_answer_that_was_left_goes_on(
    methods: dict[Compression, Method], setting: Compression, kept: bool
) -> None:
    method = methods[setting]
    whole = said(list(outputs(method, request(QUESTION, setting))))
    assert len(whole) > 4
    for part in {1, len(whole) // 2, len(whole) - 1}:
        pool = CachePool(2**30)
        first = list(outputs(method, request(QUESTION, setting, max_tokens=part), pool))
        assert said(first) == whole[:part]
        if not kept and setting == "sllm":
            continue  # how an answer was cut into sentences is known to its cache only
        ids = (*request(QUESTION, setting).ids, *whole[:part])
        rest = request(QUESTION, setting, ids=ids, said=part, max_tokens=TOKENS - part)
        assert said(list(outputs(method, rest, pool if kept else None))) == whole[part:]


@pytest.mark.parametrize("setting", SETTINGS)
def test_limits_stops_and_cancellation(methods: dict[Compression, Method], setting: Compression) -> None:
    method = methods[setting]
    none = list(outputs(method, request(QUESTION, setting, max_tokens=0)))
    assert said(none) == []
    assert finished(none).positions > 0
    whole = list(outputs(method, request(QUESTION, setting)))
    text = "".join(output.text for output in whole if isinstance(output, Chunk))
    stop = text[len(text) // 2 :][:3]
    stopped = list(outputs(method, request(QUESTION, setting, stops=(stop,))))
    shown = "".join(output.text for output in stopped if isinstance(output, Chunk))
    assert finished(stopped).reason == "stop"
    assert shown == text[: text.index(stop)]
    cancelled = request(QUESTION, setting)
    cancelled.cancel()
    assert finished(list(outputs(method, cancelled))).reason == "cancelled"


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_cancelled_answer_stops_between_two_tokens(
    methods: dict[Compression, Method], setting: Compression
) -> None:
    asked = request(QUESTION, setting)
    made = methods[setting].generation(CachePool(2**30), asked)
    for _ in range(3):
        next(made)
    asked.cancel()
    left = [output for output in made if output is not None]
    assert [type(output) for output in left] == [Finished]
    assert finished(left).reason == "cancelled"


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_seed_repeats_what_is_drawn(methods: dict[Compression, Method], setting: Compression) -> None:
    drawn = request(QUESTION, setting, sampling=Sampling(temperature=1.0, seed=7, repetition_penalty=1.2))
    one, two = (said(list(outputs(methods[setting], drawn))) for _ in range(2))
    other = replace(drawn, sampling=replace(drawn.sampling, seed=8))
    assert one == two != said(list(outputs(methods[setting], other)))


@pytest.mark.parametrize("setting", SETTINGS)
def test_fewer_positions_than_tokens(methods: dict[Compression, Method], setting: Compression) -> None:
    end = finished(list(outputs(methods[setting], request(QUESTION * 6, setting))))
    assert 0 < end.positions < end.prompt_tokens / 2
    assert end.kv_bytes == end.positions * 2 * 4 * 2 * 16 * 4  # layers, keys and values, heads, sizes, fp32


# --- each


@pytest.mark.parametrize("chunk", [1, 5, 64])  # that a sentence's latents may be parted by
def test_hybrid_is_the_base_on_latents_and_tokens(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """Against one forward for each token, without a cache."""
    monkeypatch.setattr(engine_generation, "PREFILL_CHUNK", chunk)
    loaded = model()
    context = context_of(loaded)
    ids = TOKENIZER.encode(
        "The bakery bakes 120 rolls. " * 2 + QUESTION
    )  # one sentence stands twice in a row
    sentences = [piece.ids for piece in pieces(ids, TOKENIZER)]
    assert sentences[0] == sentences[1] or sentences[1] == sentences[2]
    first, sentences[0] = sentences[0][:1], sentences[0][1:]  # the first token stays
    old = [(first, False), *((sentence, True) for sentence in sentences[:-2])]
    raw: list[int] = [token for sentence in sentences[-2:] for token in sentence]
    expected: list[int] = []
    with torch.inference_mode():
        for _ in range(TOKENS):
            rows = context.rows([*old, ([*raw, *expected], False)])
            assert rows.places.staying.count(False) == sum(len(sentence) for sentence, _ in old[1:])
            states = loaded.model.model(**rows.arguments)
            expected.append(int(loaded.model.lm_head(states.last_hidden_state[0, -1]).argmax()))
    found = list(outputs(HybridMethod(loaded, context), request("", "hybrid", ids=ids)))
    end = next((at for at, token in enumerate(expected) if token in loaded.end_ids), TOKENS)
    assert said(found) == expected[:end]


def test_hybrid_with_lookahead_says_the_same() -> None:
    loaded = model()
    costs = Costs({1: dict.fromkeys(range(1, 17), 1.0)})
    drafting = replace(
        loaded,
        lookahead=Lookahead(costs, lambda: Drafter(Calibration(), None, ends=loaded.end_ids)),
    )
    context = context_of(loaded)
    asked = request(QUESTION, "hybrid", lookahead=True, max_tokens=60)
    plain = list(outputs(HybridMethod(loaded, context), replace(asked, lookahead=False)))
    found = list(outputs(HybridMethod(drafting, context), asked))
    assert said(found) == said(plain)
    assert finished(found).drafted > 0


def test_the_sentence_model_writes_what_its_writer_writes(methods: dict[Compression, Method]) -> None:
    loaded = model()
    sentences = sentences_of(loaded)
    writer = Writer(sentences)
    ids = TOKENIZER.encode(QUESTION)
    writer.append([piece.ids for piece in pieces(ids, TOKENIZER)])
    expected: list[Ids] = list(write(writer, 2))
    chunks = [
        output.ids
        for output in outputs(SllmMethod(loaded, sentences), request("", "sllm", ids=ids, max_tokens=400))
        if isinstance(output, Chunk) and output.ids
    ]
    assert chunks[: len(expected)] == [tuple(sentence) for sentence in expected]


@settings(max_examples=4)
@given(st.lists(st.sampled_from(["Half of them. ", "It is so. ", "By noon it is 120. "]), max_size=5))
def test_the_cache_of_a_hybrid_holds_what_is_in_the_prompt(added: list[str]) -> None:
    method, pool = made()["hybrid"], CachePool(2**30)
    for count in range(len(added) + 1):
        text = "".join(added[:count]) + QUESTION
        list(outputs(method, request(text, "hybrid", max_tokens=1), pool))
    (kept,) = pool._caches.values()
    numbers = {number for own in kept.numbers.values() for number in own}  # type: ignore[attr-defined]
    assert numbers == set(kept.latents)  # type: ignore[attr-defined]
    assert numbers == {number for number in kept.ids if number < 0}  # type: ignore[attr-defined]


# --- what an engine is told


def saved(folder: Path, loaded: LoadedModel, base: str) -> Path:
    codec = codec_of(loaded)
    save_codec(folder / "codec", codec, {"base": base, "config": codec.config.json()})
    return folder


def test_without_a_checkpoint_the_command_is_named() -> None:
    found = compressing({"llm": model(), "slm": model()})
    for setting, hint in (("sllm", "livemind train sllm`"), ("hybrid", "--setting hybrid")):
        for role in ("llm", "slm"):
            reason = found[setting, role]  # type: ignore[index]
            assert isinstance(reason, str)
            assert "livemind train sentence-vae --base tiny-llama-64" in reason
            assert hint in reason


def test_a_checkpoint_of_another_base_is_refused(tmp_path: Path) -> None:
    loaded = model()
    reason = compressing({"slm": loaded}, str(saved(tmp_path, loaded, "another")))["hybrid", "slm"]
    assert isinstance(reason, str)
    assert "was trained around another, not tiny-llama-64" in reason


def test_what_is_there_is_offered_and_the_rest_is_not(tmp_path: Path) -> None:
    loaded = model()
    folder = saved(tmp_path, loaded, loaded.name)
    context = context_of(loaded)
    meta = {"base": loaded.name, "codec": read_meta(folder / "codec")["files"]}
    save_model(folder / "hybrid", "hybrid", context, {**meta, "config": {"rank": 4}})
    found = compressing({"llm": loaded, "slm": loaded}, str(folder))
    assert "another version" in str(found["hybrid", "slm"])
    save_model(folder / "hybrid", "hybrid", context, {**meta, "config": context.config.json()})
    found = compressing({"llm": loaded, "slm": loaded}, str(folder))
    assert not isinstance(found["hybrid", "slm"], str)
    assert found["hybrid", "llm"] is found["hybrid", "slm"]
    assert "holds no checkpoint" in str(found["sllm", "slm"])
