"""The codec: what does not depend on what, what comes back, what is kept on disk."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from livemind_app.errors import ModelError
from livemind_app.sentence_vae.codec import CodecConfig
from livemind_app.sentence_vae.decode import decode, reconstruct
from livemind_app.sentence_vae.decoder import Latents
from livemind_app.sentence_vae.files import load_codec, save_codec
from livemind_app.sentence_vae.spoken import spoken
from livemind_app.sentence_vae.train_codec import CodecTask, CodecTraining
from livemind_app.training.loop import Plan, train
from tests.sentence_vae.conftest import END, PAPER, SMALL, VAE, VOCABULARY, base, codec, corpus

ids = st.lists(st.integers(2, VOCABULARY - 1), min_size=1, max_size=30)


@given(st.lists(ids, min_size=1, max_size=4))
def test_a_batch_is_encoded_as_its_sentences_are(batch: list[list[int]]) -> None:
    one = codec()
    with torch.inference_mode():
        together = one.encode(batch)
        for row, sentence in enumerate(batch):
            alone = one.encode([sentence])
            count = int(alone.counts[0])
            assert count == one.config.slots(len(sentence)) == int(together.counts[row])
            torch.testing.assert_close(together.values[row, :count], alone.values[0], atol=1e-4, rtol=1e-4)
            assert not together.values[row, count:].any()


@pytest.mark.parametrize("config", [SMALL, PAPER])
def test_teacher_forcing_and_free_running_agree(config: CodecConfig, kind: str) -> None:
    """The loop with a cache says what the whole sentence's rows say of the same tokens."""
    one = codec(config, kind)
    sentences, previous = [[5, 6, 7, 8, 9], [20, 21, 22]], [[3, 4], ()]
    latents = one.encode(sentences)
    with torch.inference_mode():
        said = decode(one, latents, previous, most=12)
        assert any(said)
        for row, tokens in enumerate(said):
            alone, before = latents.part(row, row + 1), [previous[row]]
            again = spoken(one, alone, [tokens], before) if tokens else None
            if again is not None:
                assert bool(again.right[: len(tokens)].all())
                assert len(tokens) == 12 or bool(again.right[-1])


def test_an_end_behind_the_limit_is_not_waited_for() -> None:
    one = codec()
    assert all(len(said) <= 3 for said in decode(one, one.encode([[5, 6], [7]]), most=3))


def test_padding_is_neither_read_nor_said() -> None:
    one = codec()
    short, long = [5, 6, 7], list(range(10, 40))
    with torch.inference_mode():
        alone = spoken(one, one.encode([short]), [short], [[8, 9]])
        both = spoken(one, one.encode([short, long]), [short, long], [[8, 9], [3] * 20])
    assert len(alone.nats) == 4
    assert alone.end.tolist() == [False, False, False, True]
    torch.testing.assert_close(both.nats[:4], alone.nats, atol=1e-4, rtol=1e-4)


def test_a_softmax_over_few_tokens_is_a_lower_bound() -> None:
    one, sentence = codec(), [5, 6, 7]
    with torch.inference_mode():
        latents = one.encode([sentence])
        every = spoken(one, latents, [sentence]).nats
        few = spoken(one, latents, [sentence], common=torch.arange(40)).nats
        all_of_them = spoken(one, latents, [sentence], common=torch.arange(VOCABULARY)).nats
    assert bool((few <= every + 1e-5).all())
    torch.testing.assert_close(all_of_them, every)


@pytest.mark.parametrize("config", [SMALL, PAPER, VAE])
def test_training_learns_in_seconds(config: CodecConfig, tmp_path: Path) -> None:
    one, data = codec(config), corpus()
    sentences = [data[index] for index in range(8)]

    def nats() -> float:
        with torch.inference_mode():
            return float(spoken(one.eval(), one.encode(sentences), sentences).words.mean())

    before = nats()
    task = CodecTask(
        one.train(), data, CodecTraining(steps=60, batch_tokens=256, rate=3e-3, copied_rate=1e-3)
    )
    train(task, tmp_path, Plan(60, warmup=5, evaluate_every=60), {}, resume=False)
    assert nats() < before - 0.1


def test_a_trained_codec_returns_what_it_was_given(tmp_path: Path) -> None:
    one, data = codec().train(), corpus()
    task = CodecTask(one, data, CodecTraining(steps=150, batch_tokens=256, rate=3e-3, copied_rate=1e-3))
    train(task, tmp_path / "run", Plan(150, warmup=5), {}, resume=False)
    one.eval()
    sentences = [data[index] for index in range(8)]
    said = reconstruct(one, sentences)
    right = sum(a == b for x, y in zip(said, sentences, strict=True) for a, b in zip(x, y, strict=False))
    assert right / sum(map(len, sentences)) > 0.9

    meta = {"base": "toy", "config": one.config.json(), "command": "livemind train sentence-vae"}
    save_codec(tmp_path / "checkpoint", one, meta)
    again = load_codec(tmp_path / "checkpoint", base())
    assert reconstruct(again, sentences) == said


def test_a_codec_of_another_base_is_refused(tmp_path: Path) -> None:
    one = codec()
    save_codec(tmp_path, one, {"base": "toy", "config": one.config.json()})
    other: Any = base()
    other.config.hidden_size = 32
    with pytest.raises(ModelError, match="toy"):
        load_codec(tmp_path, other)


def test_its_parameters_are_its_own() -> None:
    one = codec()
    names = [name for name, _ in one.named_parameters()]
    assert not [name for name in names if "embed" in name or "head" in name]
    assert one.end == END


def test_no_latents_no_telling() -> None:
    """Behind the last latent a row hears nothing of it."""
    one = codec()
    latents = one.encode([[5, 6, 7]])
    told = one.unfolded(latents, 0, 12)
    assert told[0, :8].abs().sum() > 0
    assert not told[0, 8:].any()
    nothing = Latents(torch.zeros_like(latents.values), latents.counts)
    assert not torch.equal(one.unfolded(nothing, 0, 8), told[:, :8])
