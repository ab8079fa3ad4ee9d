"""Chats of any length that a client sends: refused unread, or read without holding up others."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from livemind_app.engine.local import LocalEngine
from livemind_app.errors import TextTooLong
from livemind_app.session import Limits, Session, SessionManager
from livemind_app.session.events import Event, Failure
from livemind_app.session.rendering import LONG, PROBED
from tests.llm_to_slm import tiny
from tests.session.conftest import ASK, ONE, Scripted, settled, turn_done, until

WAIT_S = 20
SAID = [("Tom has three apples.", "He has three. " * 1000)] * 10  # 140 000 characters
TEMPLATE = 200  # characters that a chat may have besides its contents


@pytest.fixture
def engine() -> Iterator[LocalEngine]:
    model = tiny.writer()
    engine = LocalEngine(lambda report: {"llm": model, "slm": model})
    engine.wait()
    yield engine
    engine.close()


class Encoded:
    """How many characters were made ids on the event loop's thread and elsewhere, at most at once."""

    def __init__(self, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        tokenizer = engine.tokenizer("llm")
        self.here = self.elsewhere = 0
        own, encode = threading.current_thread(), tokenizer.encode

        def counted(text: str) -> tuple[int, ...]:
            name = "here" if threading.current_thread() is own else "elsewhere"
            setattr(self, name, max(getattr(self, name), len(text)))
            return encode(text)

        monkeypatch.setattr(tokenizer, "encode", counted)


async def ask(session: Session) -> None:
    session.draft(1, ONE)
    await session.settled()
    session.submit(2, f"{ONE}{ASK}")
    await until(session, turn_done)


@pytest.mark.parametrize("mode", ["draft", "infer", "exact"])
async def test_a_chat_beyond_the_context_is_not_read_to_its_end(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    encoded = Encoded(engine, monkeypatch)
    manager = SessionManager(engine)
    events: list[Event] = []
    manager.observers.append(events.append)
    session = manager.create({"mode": mode})
    session.clear(SAID)
    await ask(session)
    context = engine.tokenizer("llm").context
    assert context
    assert encoded.here <= LONG + TEMPLATE
    assert 0 < encoded.elsewhere <= context * PROBED
    assert session.state.turn
    assert {lane.status for lane in session.state.turn.lanes.values()} == {"failed"}
    assert {event.code for event in events if isinstance(event, Failure)} == {"context_too_long"}
    await manager.close()


@pytest.mark.parametrize("mode", ["draft", "infer", "exact"])
async def test_a_long_chat_holds_up_nobody(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ids are made only once another session has got its answer."""
    answered = threading.Event()
    async with Scripted() as made:
        tokenizer, render = made.engine.tokenizer("llm"), made.engine.tokenizer("llm").render

        def held(messages, *, answer=True):  # type: ignore[no-untyped-def]
            if sum(len(message["content"]) for message in messages) > LONG:
                assert answered.wait(WAIT_S)
            return render(messages, answer=answer)

        monkeypatch.setattr(tokenizer, "render", held)
        session = made.manager.create({"mode": mode})
        session.clear(SAID)
        session.draft(1, ONE)
        session.submit(2, f"{ONE}{ASK}")
        await ask(made.session)
        assert session.state.turn
        assert not session.state.turn.done
        answered.set()
        await until(session, turn_done)
        assert {lane.status for lane in session.state.turn.lanes.values()} == {"done"}


async def test_an_answer_stopped_while_its_chat_is_read_stays_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, go_on = threading.Event(), threading.Event()
    async with Scripted() as made:
        tokenizer, render = made.engine.tokenizer("llm"), made.engine.tokenizer("llm").render

        def held(messages, *, answer=True):  # type: ignore[no-untyped-def]
            reading.set()
            assert go_on.wait(WAIT_S)
            return render(messages, answer=answer)

        made.session.clear(SAID)
        monkeypatch.setattr(tokenizer, "render", held)
        made.session.submit(1, ASK, ["live"])
        assert await asyncio.to_thread(reading.wait, WAIT_S)
        made.session.stop()
        made.session.clear()
        go_on.set()
        made.session.draft(2, ONE)
        await until(made.session, settled)
        made.session.submit(3, ASK, ["live"])
        await until(made.session, turn_done)
        assert [turn.prompt for turn in made.session.state.turns] == [ASK]
        *_, words, _ = made.session.state.turns[0].lanes["live"].text.split()
        assert int(words) < 50  # of a chat without what was said before


@pytest.mark.parametrize("said", [[("x", "y" * 101)], [("x" * 20, "y" * 50)] * 2, [("x" * 20, "")] * 6])
async def test_turns_that_are_too_long_are_refused(said: list[tuple[str, str]]) -> None:
    async with Scripted(Limits(max_text=40, max_chat=80)) as made:
        with pytest.raises(TextTooLong, match="more than 80 characters") as refused:
            made.session.clear(said)
        assert refused.value.limit == 80
        assert made.session.state.turns == ()


async def test_a_chat_ends_at_its_limit_and_can_be_gone_on_from() -> None:
    async with Scripted(Limits(max_chat=60), script=lambda role, prompt: "four " * 10) as made:
        made.session.submit(1, ASK, ["live"])
        await until(made.session, turn_done)
        with pytest.raises(TextTooLong, match="begin a new chat") as refused:
            made.session.submit(2, ASK)
        assert refused.value.limit == 0
        made.session.clear([(turn.prompt, turn.answer) for turn in made.session.state.turns])
        assert [turn.prompt for turn in made.session.state.turns] == [ASK]
