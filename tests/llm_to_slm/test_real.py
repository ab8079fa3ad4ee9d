"""Real models that are here already: until it is trained, a guided answer is the plain one, word for word."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from livemind_app.engine.models.load import load
from livemind_app.engine.models.store import state
from livemind_app.engine.split import OwnedEngine
from livemind_app.llm_to_slm import adapter
from livemind_app.llm_to_slm.conditioner import Conditioner, Shape
from livemind_app.loading import load_engine
from livemind_app.protocol import Chunk, Request
from livemind_app.session.formats import conventional
from livemind_app.session.guides import rendered
from livemind_app.training import lora

TEXT = "Tom has 3 apples. Ann gives him 4 more 🍎. Wie viele 苹果 hat er?"
NAMES = ("q_proj", "o_proj", "down_proj")
PAIRS = [("smollm2-135m", "smollm2-135m"), ("qwen2.5-coder-0.5b", "smollm2-135m")]


@pytest.fixture(params=PAIRS, ids=[" to ".join(pair) for pair in PAIRS])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnedEngine]:
    """Packed weights where the processor has them, as served, and an adapter that was never trained."""
    llm, slm = request.param
    if missing := [name for name in (llm, slm) if state(name) != "converted"]:
        pytest.skip(f"not fetched yet: livemind models fetch {' '.join(missing)}")
    reader, writer = (load(name)[0] for name in (llm, slm))
    updates = lora.add_lora(writer, rank=2, names=NAMES)
    conditioner = Conditioner(Shape.for_models(reader.config, writer.config))
    meta = {"llm": llm, "slm": slm, "alpha": 4.0, "names": NAMES}
    adapter.save(tmp_path / "adapter", conditioner, updates, meta)
    del reader, writer, updates
    with closing(load_engine(llm=llm, slm=slm, adapter=str(tmp_path / "adapter"))) as engine:
        engine.wait()
        yield engine


def said(engine: OwnedEngine, request: Request) -> list[int]:
    return [token for output in engine.generate(request) if isinstance(output, Chunk) for token in output.ids]


def test_untrained_it_says_what_the_small_model_says(engine: OwnedEngine) -> None:
    assert engine.cannot("guide", "slm") is None
    prompt = rendered(engine.tokenizer, "llm-to-slm", conventional([], TEXT))
    assert prompt.guide is not None
    plain = said(engine, Request(prompt.ids, "slm", 16))
    assert len(plain) > 3
    assert said(engine, Request(prompt.ids, "slm", 16, guide=prompt.guide)) == plain
    assert said(engine, Request(prompt.ids, "slm", 16, guide=prompt.guide, lookahead=True)) == plain
