"""The sentence model and the hybrid context: nothing later leaks, caches and rollback change nothing."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from livemind_app.sentence_vae.decode import reconstruct
from livemind_app.sentence_vae.decoder import Latents
from livemind_app.sentence_vae.hybrid import HybridConfig, HybridContext
from livemind_app.sentence_vae.layers import padded
from livemind_app.sentence_vae.layout import layout
from livemind_app.sentence_vae.perplexity import base_nats, hybrid_nats, positions, sllm_nats
from livemind_app.sentence_vae.sllm import SentenceModel, SllmConfig
from livemind_app.sentence_vae.spoken import spoken
from livemind_app.sentence_vae.train_hybrid import Frame, HybridTask
from livemind_app.sentence_vae.train_models import ModelTraining, SllmTask, Windows
from livemind_app.sentence_vae.write import Writer, write
from livemind_app.training.loop import Plan, train
from tests.sentence_vae.conftest import END, base, codec, corpus, hybrid, sentence_model

TEXT = [[5, 6, 7, 8, 9, 10, 11, 12, 13], [20, 21, 22], [30] * 17, [40, 41, 42, 43]]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(1, 4))
def test_who_sees_whom(counts: list[int], queries: int) -> None:
    one = layout(counts, queries)
    allowed = one.allowed
    for i in range(len(one.blocks)):
        for j in range(len(one.blocks)):
            same = one.blocks[i] == one.blocks[j]
            if one.query[j]:
                assert bool(allowed[i, j]) == bool(one.query[i] and same)
            else:
                assert bool(allowed[i, j]) == bool(one.blocks[j] <= one.blocks[i])
    rows = one.positions[~one.query].tolist()
    assert rows == list(range(1 + sum(counts)))


def test_a_later_sentence_changes_nothing_before_it(kind: str) -> None:
    """The leak test: bit for bit."""
    model = sentence_model(kind)
    other = [*TEXT[:2], [60] * 17, TEXT[3]]
    with torch.inference_mode(), model.updated():
        (one,), (two,) = model([model.codec.encode(TEXT)]), model([model.codec.encode(other)])
    assert torch.equal(one.latents.values[:3], two.latents.values[:3])
    assert torch.equal(one.stop[:3], two.stop[:3])
    assert not torch.allclose(one.latents.values[3], two.latents.values[3])


def test_documents_of_a_batch_do_not_mix(kind: str) -> None:
    model = sentence_model(kind)
    with torch.inference_mode(), model.updated():
        encoded = [model.codec.encode(TEXT[:1]), model.codec.encode(TEXT)]
        together = model(encoded)
        (alone,) = model(encoded[:1])
    torch.testing.assert_close(together[0].latents.values, alone.latents.values, atol=1e-4, rtol=1e-4)


def test_reading_bit_by_bit_is_reading_at_once(kind: str) -> None:
    model = sentence_model(kind)
    with torch.inference_mode(), model.updated():
        (whole,) = model([model.codec.encode(TEXT)])
    writer = Writer(model)
    for count in range(len(TEXT) + 1):
        predicted = writer.predict()
        expected = whole.latents.values[count]
        torch.testing.assert_close(predicted.latents.values[0], expected, atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(predicted.stop[0], whole.stop[count], atol=1e-4, rtol=1e-3)
        writer.append(TEXT[count : count + 1])
    assert writer.positions == 1 + sum(model.codec.config.slots(len(sentence)) for sentence in TEXT)


@given(st.lists(st.tuples(st.integers(0, 4), st.lists(st.integers(0, 3), max_size=3)), max_size=4))
def test_rolling_back_leaves_no_trace(edits: list[tuple[int, list[int]]]) -> None:
    model = sentence_model()
    writer, text = Writer(model), []
    for kept, added in edits:
        writer.trim(kept)
        text = [*text[:kept], *(TEXT[number] for number in added)]
        writer.append([TEXT[number] for number in added])
        writer.predict()
    fresh = Writer(model)
    fresh.append(text)
    assert writer.sentences == fresh.sentences == text
    one, other = writer.predict().latents.values, fresh.predict().latents.values
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_writing_ends_and_says_what_it_reads_again() -> None:
    writer = Writer(sentence_model())
    writer.append(TEXT[:2])
    said = list(write(writer, most_sentences=3, least_stop=1.1))
    assert 1 <= len(said) <= 3
    assert writer.sentences == [*TEXT[:2], *said]
    assert list(write(Writer(sentence_model()), 0)) == []
    assert all(END not in sentence for sentence in said)
    stopped = Writer(sentence_model())
    stopped.append(TEXT[:1])
    assert list(write(stopped, 3, least_stop=0.0)) == []


def test_the_base_is_as_before_outside() -> None:
    model = sentence_model()
    ids = torch.tensor([TEXT[0]])
    with torch.inference_mode():
        outside = model.base(ids).logits
        with model.updated():
            inside = model.base(ids).logits
        again = model.base(ids).logits
    assert torch.equal(outside, again)
    assert not torch.allclose(outside, inside)


def test_nats_are_of_the_same_tokens() -> None:
    model, context = sentence_model(), hybrid()
    with torch.inference_mode():
        assert len(sllm_nats(model, TEXT)) == sum(map(len, TEXT))
        assert len(sllm_nats(model, TEXT, scored=1)) == len(TEXT[-1])
        torch.testing.assert_close(
            sllm_nats(model, TEXT, scored=1), sllm_nats(model, TEXT)[-len(TEXT[-1]) :], atol=1e-4, rtol=1e-4
        )
        assert len(hybrid_nats(context, TEXT)) == len(TEXT[-1])
        flat = [token for sentence in TEXT[:-1] for token in sentence]
        assert len(base_nats(model.base, flat, TEXT[-1], END)) == len(TEXT[-1])


def test_a_hybrid_context_without_old_sentences_is_the_updated_base() -> None:
    context = hybrid()
    flat = [token for sentence in TEXT[1:] for token in sentence]
    with torch.inference_mode(), context.updated():
        logits = context.base(torch.tensor([flat])).logits[0]
        nats = context.nats([(flat, False)], 3)
    expected = torch.nn.functional.cross_entropy(logits[-4:-1], torch.tensor(flat[-3:]), reduction="none")
    torch.testing.assert_close(nats, expected)


def test_a_hybrid_context_takes_fewer_positions() -> None:
    context = hybrid()
    text = [*[[7] * 24] * 6, *TEXT]
    lengths, slots = [len(sentence) for sentence in text[:-1]], context.codec.config.slots
    old = context.config.old(lengths)
    assert 0 < old < len(lengths) - 1
    assert positions(context, text) == sum(map(slots, lengths[:old])) + sum(lengths[old:])


@given(lengths=st.lists(st.integers(1, 64), max_size=80), raw=st.integers(0, 4), share=st.floats(0, 1))
def test_the_last_sentences_stay_tokens(lengths: list[int], raw: int, share: float) -> None:
    old = HybridConfig(raw=raw, share=share).old(lengths)
    staying, most = lengths[old:], share * sum(lengths)
    assert 0 <= old <= len(lengths)
    assert len(staying) >= min(raw, len(lengths))
    if len(staying) > raw:
        assert sum(staying) <= most + 1e-6
    if old:  # one sentence more would be about as many as may stay
        assert sum(staying) + lengths[old - 1] + max(most / 3, 1) >= most - 1e-6


def test_the_old_part_of_a_text_grows_in_steps() -> None:
    """Else what stays tokens would be read again at each sentence."""
    olds = [HybridConfig().old([20] * count) for count in range(40, 140)]
    assert olds == sorted(olds)
    assert len(set(olds)) < 40


@pytest.mark.parametrize("task", ["sllm", "hybrid"])
def test_training_learns_in_seconds(task: str, tmp_path: Path) -> None:
    windows = Windows(corpus(), ModelTraining(steps=40, window=6, documents=3))
    learner = (
        SllmTask(sentence_model(), windows, 5e-3)
        if task == "sllm"
        else HybridTask(hybrid(), windows, 5e-3, Frame([2, 3], [4]))
    )
    figure = "nats" if task == "sllm" else "divergence"
    before = learner.evaluate()[figure]
    frozen = {
        name: tensor.clone() for name, tensor in learner.module.codec.state_dict().items() if "up" not in name
    }
    train(learner, tmp_path, Plan(40, warmup=5, evaluate_every=40), {}, resume=False)
    assert learner.evaluate()[figure] < 0.95 * before
    for name, tensor in learner.module.codec.state_dict().items():
        if name in frozen and not name.endswith(".down"):
            assert torch.equal(tensor, frozen[name]), name


def test_a_speaker_of_all_layers_is_the_base_until_it_is_trained() -> None:
    """Read as one text, without latents: what it says next is what the base says."""
    model = SentenceModel(base(), codec().requires_grad_(False), SllmConfig(rank=4, first=2, last=2))
    speaker, ids = model.speaker.eval(), torch.tensor([[5, 9, 17, 23, 40]])
    rows = speaker.decoder(
        speaker.embed(ids),
        torch.ones(5, 5, dtype=torch.bool).tril()[None, None],
        torch.arange(5)[None],
    )
    assert torch.allclose(speaker.logits(rows), base()(ids).logits, atol=1e-5)


def test_a_sentence_model_leaves_its_codec_as_it_is() -> None:
    model = sentence_model()
    alone = codec()
    assert reconstruct(model.codec, [[5, 9, 17], [4] * 20]) == reconstruct(alone, [[5, 9, 17], [4] * 20])


def test_what_says_the_same_as_the_base_is_no_distance_from_it() -> None:
    speaker = sentence_model().speaker
    sentences, previous = [[5, 9, 17], [23, 40]], [(), (7, 8)]
    latents = Latents(torch.randn(2, 4, 64), torch.full((2,), 4))
    inputs = speaker.inputs(padded(sentences)[0], latents)
    states = speaker._base[0].model.norm(speaker.rows(inputs, speaker.prefix(latents, previous)))
    own = torch.cat([states[0, :3], states[1, :2]])
    common = torch.arange(40, 60)
    same = spoken(speaker, latents, sentences, previous, common=common, base_states=own).apart
    other = spoken(speaker, latents, sentences, previous, common=common, base_states=own.flip(0)).apart
    assert same is not None
    assert other is not None
    assert same.shape == (5,)
    assert same.abs().max() < 1e-5
    assert other.max() > 1e-3


def test_what_is_compared_is_after_the_same_words() -> None:
    """Untrained, the first sentence's own tokens miss nothing; behind its latents the rest does."""
    one = codec().requires_grad_(False)
    context = HybridContext(one._base[0], one, HybridConfig(rank=4)).eval()
    windows = Windows(corpus(), ModelTraining(steps=1, window=6))
    task, rest = HybridTask(context, windows, 1e-3, None), [*TEXT[1], *TEXT[2]]
    with torch.inference_mode():
        whole = task._divergence([([*TEXT[0], *rest], False)], 5, everywhere=True)
        parted = task._divergence([(TEXT[0], True), (rest, False)], 5, everywhere=True)
    assert len(whole) == 5
    assert whole.abs().max() < 1e-5
    inside = len(TEXT[0]) - 1
    assert len(parted) == inside + 5
    assert parted[:inside].abs().max() < 1e-5
    assert parted[inside:].max() > 1e-5
