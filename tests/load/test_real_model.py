"""Gate 7: four users on a real model. The short one, without times, is tests/session/test_exact_model.py."""

import asyncio
import statistics
import time

import pytest

from livemind_app.engine.loading import load_engine
from livemind_app.engine.local import LocalEngine
from livemind_app.protocol import Chunk, Request
from livemind_app.session import Session, SessionManager
from livemind_app.session.formats import conventional
from tests.load.conftest import FULL, SECONDS, told
from tests.session.conftest import turn_done, until

KEYS_PER_S = 6.0
TOKENS = 24
QUESTIONS = [
    "Tom has three apples. Ann gives him four more. How many has he now?",
    "A train leaves at nine and takes two hours. When does it arrive?",
    "The bakery bakes 120 rolls. By noon it has sold half of them. How many are left?",
    "Name the capital of France. Then name its largest river.",
]


def greedy(engine: LocalEngine, text: str) -> str:
    ids = engine.tokenizer("llm").render(conventional([], text))
    outputs = engine.generate(Request(ids, "llm", TOKENS))
    return "".join(output.text for output in outputs if isinstance(output, Chunk)).lstrip()


async def converse(session: Session, question: str, until_s: float, ttfts: list[float]) -> list[str]:
    """Answers to one question, typed again and again."""
    answers = []
    while time.monotonic() < until_s:
        for end in range(1, len(question) + 1):
            session.draft(session.state.revision + 1, question[:end])
            await asyncio.sleep(1 / KEYS_PER_S)
        session.submit(session.state.revision + 1, question)
        await until(session, turn_done, timeout=600)
        turn = session.state.turn
        assert turn is not None
        metrics = turn.lanes["exact"].metrics
        assert metrics is not None
        assert metrics.ttft is not None
        ttfts.append(metrics.ttft)
        answers.append(turn.answer)
        session.clear()
    return answers


@pytest.mark.skipif(not FULL, reason="make test-load")
@pytest.mark.timeout(SECONDS + 600)
async def test_four_users_get_the_greedy_answer_and_soon() -> None:
    engine = load_engine("tiny", dtype="float32")
    engine.wait()
    assert isinstance(engine, LocalEngine)
    expected = [greedy(engine, question) for question in QUESTIONS]
    manager = SessionManager(engine)
    options = {"mode": "exact", "lanes": ["exact"], "max_tokens": TOKENS}
    ttfts: list[float] = []
    end = time.monotonic() + SECONDS
    chats = [converse(manager.create(options), question, end, ttfts) for question in QUESTIONS]
    answers = await asyncio.gather(*chats)
    told(answers=len(ttfts), ttft_p50_ms=round(1000 * statistics.median(ttfts)), seconds=SECONDS)
    for said, right in zip(answers, expected, strict=True):
        assert set(said) == {right}
    assert statistics.median(ttfts) < 0.1
    await manager.close()
    engine.close()
