"""The inspector of the codec, on a tiny random base and over HTTP."""

import asyncio
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from livemind_app.engine.local import LocalEngine, Models
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.protocol import ROLES, ModelStatus
from livemind_app.sentence_vae.inspector import STEPS, Inspector, Returned, between, returned
from livemind_app.serving.app import create_api
from livemind_app.serving.inspector_routes import inspector_router
from livemind_app.session import SessionManager
from tests.sentence_vae.test_generation import codec_of, model

FIRST, SECOND = "The bakery bakes 120 rolls.", "By noon it has sold half of them, and it is a help."


def test_sentences_come_with_what_they_became() -> None:
    loaded = model()
    codec = codec_of(loaded)
    found = returned(codec, loaded.tokenizer._tokenizer, f"{FIRST} {SECOND}")
    assert [one.text.strip() for one in found] == [FIRST, SECOND]
    for one in found:
        assert len(one.latents) == codec.config.slots(one.tokens)
        assert {len(latent) for latent in one.latents} == {64}
        assert 0 <= one.right <= one.tokens
        assert (one.right == one.tokens) >= (one.text == one.said)
    assert returned(codec, loaded.tokenizer._tokenizer, "") == []


def test_the_way_from_one_sentence_to_another_begins_and_ends_there() -> None:
    loaded = model()
    codec, tokenizer = codec_of(loaded), loaded.tokenizer._tokenizer
    texts = between(codec, tokenizer, FIRST, FIRST)
    assert len(texts) == STEPS
    assert set(texts) == {returned(codec, tokenizer, FIRST)[0].said}
    assert between(codec, tokenizer, FIRST, SECOND)[-1] == returned(codec, tokenizer, SECOND)[0].said


async def test_models_without_a_codec_are_named(tmp_path: Path) -> None:
    models = {"llm": model(), "slm": model()}

    def load(report: object) -> Models:
        for role in ROLES:
            report(ModelStatus(role, models[role].name, "ready"))  # type: ignore[operator]
        return models  # type: ignore[return-value]

    engine = LocalEngine(load)
    with pytest.raises(Exception, match="no sentence codec for tiny-llama-64; train one with"):
        await Inspector(engine).sentences(FIRST)
    with pytest.raises(Exception, match="holds no checkpoint"):
        await Inspector(engine, str(tmp_path)).between(FIRST, SECOND)
    engine.close()


def test_work_on_the_models_thread_has_them_and_fails_as_it_does() -> None:
    models = {"slm": model()}
    engine = LocalEngine(lambda report: models, roles=["slm"])  # type: ignore[arg-type, return-value]
    assert engine.compute(lambda models: models["slm"].name).result(timeout=60) == "tiny-llama-64"
    failing: Future[float] = engine.compute(lambda models: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        failing.result(timeout=60)
    engine.close()


async def test_what_is_cancelled_in_time_is_not_computed_and_later_is_waited_for() -> None:
    """A client that leaves frees its place when the models' thread is free of its work."""
    models = {"llm": model(), "slm": model()}
    engine = LocalEngine(lambda report: models)  # type: ignore[arg-type, return-value]
    inspector, computed = Inspector(engine), []
    begun, go_on = threading.Event(), threading.Event()

    def slow(codec: object, tokenizer: object) -> None:
        computed.append("slow")
        begun.set()
        assert go_on.wait(60)

    inspector._codec = (None, None)  # type: ignore[assignment]
    inspector._opened = lambda models: inspector._codec  # type: ignore[assignment, method-assign, return-value]
    running = asyncio.create_task(inspector._on_models(slow))
    assert await asyncio.to_thread(begun.wait, 60)
    waiting = [
        asyncio.create_task(inspector._on_models(lambda *_: computed.append("never"))) for _ in range(9)
    ]
    await asyncio.sleep(0)
    running.cancel()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not running.done()
    go_on.set()
    await asyncio.gather(running, return_exceptions=True)
    assert engine.compute(lambda models: list(computed)).result(timeout=60) == ["slow"]
    engine.close()


class Scripted:
    async def sentences(self, text: str) -> list[Returned]:
        return [Returned(text, text.upper(), 3, 2, [[0.5, -0.5]])]

    async def between(self, first: str, second: str) -> list[str]:
        return [first, second]


def test_over_http() -> None:
    engine = ScriptedEngine()
    app = create_api(SessionManager(engine), others=[inspector_router({"": Scripted()})])
    with TestClient(app) as client:
        found = client.post("/api/sentence-vae/sentences", json={"text": "Hi."}).json()
        assert found == {
            "sentences": [
                {"text": "Hi.", "said": "HI.", "tokens": 3, "right": 2, "latents": [[0.5, -0.5]]},
            ]
        }
        blended = client.post("/api/sentence-vae/between", json={"first": "A.", "second": "B."})
        assert blended.json() == {"texts": ["A.", "B."]}
        for bad in ({"text": " "}, {"text": "x" * 2001}, {}):
            assert client.post("/api/sentence-vae/sentences", json=bad).status_code == 422
    engine.close()
