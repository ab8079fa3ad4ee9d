"""What the package ships, on the real base."""

from contextlib import closing
from itertools import chain

import pytest

from livemind_app.benchmark.typing.datasets import load as load_prompts
from livemind_app.engine.models.load import load
from livemind_app.loading import load_engine
from livemind_app.protocol import Chunk, Finished, Request
from livemind_app.sentence_vae import files
from livemind_app.sentence_vae.codec import Codec
from livemind_app.sentence_vae.decode import reconstruct
from livemind_app.sentence_vae.fidelity import compared
from livemind_app.sentence_vae.sentences import cut

BASE = "smollm2-135m"
MOST_BYTES = 10_000_000  # of a file, as Spaces have it


def test_a_base_without_a_checkpoint_has_none() -> None:
    assert files.shipped("another") is None


def test_files_are_small() -> None:
    folder = files.shipped(BASE)
    assert folder is not None
    sizes = [path.stat().st_size for path in folder.rglob("*.safetensors")]
    assert max(sizes) < MOST_BYTES
    assert sum(sizes) < 6 * MOST_BYTES


@pytest.mark.parametrize(("low", "high"), [(4, 16), (17, 32)])
def test_sentences_of_prompts_come_back(low: int, high: int) -> None:
    """The packaged prompts, which it was not trained on; free-running."""
    network, tokenizer = load(BASE, "float32")
    folder = files.shipped(BASE)
    assert folder is not None
    codec: Codec = files.load_codec(folder / files.CODEC, network.requires_grad_(False))
    (prompts,) = load_prompts([])
    found = chain.from_iterable(cut(question.text, tokenizer) for question in prompts.questions)
    sentences = [sentence for sentence in found if low <= len(sentence) <= high][:40]
    assert len(sentences) > 10
    assert compared(sentences, reconstruct(codec, sentences))["token_accuracy"] >= 0.95


@pytest.mark.parametrize("options", [{"dtype": "float32"}, {"weights": "int8"}], ids=["float32", "int8"])
def test_a_long_prompt_is_read_as_latents_where_a_model_has_a_hybrid(options: dict[str, str]) -> None:
    (prompts,) = load_prompts([])
    text = max((question.text for question in prompts.questions), key=len)
    with closing(load_engine("tiny", **options)) as engine:
        engine.wait()
        assert engine.cannot("hybrid", "slm") is None
        ids = engine.tokenizer("slm").render([{"role": "user", "content": text}])
        asked = Request(ids, "slm", max_tokens=8, session="s", cache_key="k", compression="hybrid")
        *said, end = engine.generate(asked)
    assert isinstance(end, Finished)
    assert sum(len(chunk.ids) for chunk in said if isinstance(chunk, Chunk)) == end.tokens > 0
    assert end.prompt_tokens == len(ids)
    assert end.positions < 0.6 * len(ids)
