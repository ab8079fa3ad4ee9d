"""A remote server's faults, and what it is told. What it must do as an engine is in test_contract.py."""

from contextlib import closing
from dataclasses import replace
from typing import cast

import pytest

from livemind_app.engine.loading import load_engine
from livemind_app.engine.remote.address import parse
from livemind_app.engine.split import OwnedEngine
from livemind_app.errors import ConfigError, ContextTooLong, EngineError, ModelError, ServerFailed
from livemind_app.protocol import Cancel, Chunk, Finished, Message, Priority
from livemind_app.session import SessionManager
from livemind_app.session.rendering import PROBED
from tests.engine.remote.conftest import connected
from tests.engine.remote.echo import REQUEST, ROOT, Echo, said, wait_for
from tests.engine.remote.fake_openai import FakeServer, Faults, serving
from tests.session.conftest import turn_done, until


def test_the_server_is_told_what_it_needs_and_no_secrets(engine: OwnedEngine, faults: Faults) -> None:
    assert said(engine) == tuple(range(100, 108))
    (body,), (headers,) = faults.bodies, faults.headers
    assert body["prompt"] == [1, 2, 3]
    assert body["priority"] == Priority.NOTE
    assert headers["authorization"] == "Bearer k"
    said(engine, replace(REQUEST, cache_key="conventional"))
    other = faults.bodies[1]
    assert body["cache_salt"] != other["cache_salt"]
    assert headers["x-user"] == faults.headers[1]["x-user"]
    assert "secret" not in str(faults.bodies) + str(faults.headers)


def test_a_prompt_is_read_with_one_token_that_nobody_sees(engine: OwnedEngine, faults: Faults) -> None:
    assert said(engine, replace(REQUEST, max_tokens=0)) == ()
    assert faults.bodies[0]["max_tokens"] == 1


@pytest.mark.parametrize("refused", ["priority", "cache_salt"])
def test_parameters_that_a_server_refuses_are_left_out(server: FakeServer, refused: str) -> None:
    server.faults.refused = (refused,)
    with serving(server.app) as url, closing(load_engine(llm=f"{url}/v1", slm=f"{url}/v1")) as engine:
        engine.wait()
        assert len(said(engine)) == 8
        assert refused not in server.faults.bodies[-1]


def test_a_server_without_ids_is_understood_by_its_text(engine: OwnedEngine, faults: Faults) -> None:
    faults.plain = True
    *chunks, finished = engine.generate(REQUEST)
    assert "".join(chunk.text for chunk in chunks if isinstance(chunk, Chunk)) == "0 1 2 3 4 5 6 7 "
    assert isinstance(finished, Finished)
    assert finished.reason == "length"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_before_the_first_token_it_is_asked_again(engine: OwnedEngine, faults: Faults, status: int) -> None:
    faults.status, faults.retry_after = [status, status], "0"
    assert said(engine) == tuple(range(100, 108))


@pytest.mark.parametrize("fault", ["cut_after", "error_after"])
def test_half_an_answer_is_an_error_and_is_not_asked_for_again(
    engine: OwnedEngine, faults: Faults, fault: str
) -> None:
    setattr(faults, fault, 3)
    outputs = engine.generate(REQUEST)
    assert [next(outputs) for _ in range(3)]
    with pytest.raises(ServerFailed, match="middle of an answer"):
        list(outputs)
    assert len(faults.bodies) == 1


def test_any_character_may_be_said(engine: OwnedEngine, faults: Faults) -> None:
    """Also those at which Python ends lines, and JSON does not."""
    faults.plain, faults.added = True, "\u2028\u2029\x85é😀"
    text = "".join(output.text for output in engine.generate(REQUEST) if isinstance(output, Chunk))
    assert text.count(faults.added) == 8


def test_a_request_that_can_never_succeed_is_refused_at_once(engine: OwnedEngine, faults: Faults) -> None:
    faults.refused = ("prompt",)
    with pytest.raises(EngineError):
        said(engine)
    assert len(faults.bodies) == 1


def test_cancelling_closes_the_stream(engine: OwnedEngine, faults: Faults) -> None:
    faults.stall_after = 2
    cancel = Cancel()
    outputs = engine.generate(replace(REQUEST, cancel=cancel))
    next(outputs), next(outputs)
    cancel()
    (finished,) = outputs
    assert isinstance(finished, Finished)
    assert (finished.reason, finished.tokens) == ("cancelled", 2)
    assert wait_for(lambda: faults.closed == 1)


def test_a_server_may_come_later(server: FakeServer) -> None:
    with serving(server.app) as url:
        port = int(url.rsplit(":", 1)[1])
    with closing(load_engine(llm=f"{url}/v1", slm=f"{url}/v1")) as engine:
        assert wait_for(lambda: "does not answer" in engine.status()[0].detail)
        assert {status.state for status in engine.status()} == {"loading"}
        with serving(server.app, port):
            engine.wait()
            assert len(said(engine)) == 8


def test_a_prompt_beyond_the_context_is_refused_here(server: FakeServer) -> None:
    server._models[0]["max_model_len"] = 4
    with serving(server.app) as url, closing(load_engine(llm=f"{url}/v1", slm=f"{url}/v1")) as engine:
        assert len(said(engine)) == 1
        with pytest.raises(ContextTooLong, match="smol"):
            said(engine, replace(REQUEST, ids=(1,) * 4))


async def test_a_chat_beyond_the_context_is_not_read_to_its_end(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server._models[0]["max_model_len"] = context = 500
    read: list[int] = []
    with connected(server) as engine:
        tokenizer = engine.tokenizer("llm")
        encode = tokenizer.encode
        monkeypatch.setattr(tokenizer, "encode", lambda text: read.append(len(text)) or encode(text))
        manager = SessionManager(engine)
        session = manager.create({"lanes": ["conventional"]})
        session.clear([("Tom has three apples.", "He has three. " * 1000)] * 10)
        session.submit(1, "How many are left?")
        await until(session, turn_done)
        assert session.state.turn
        assert session.state.turn.lanes["conventional"].status == "failed"
        assert max(read) <= context * PROBED
        await manager.close()


def test_a_router_need_not_know_what_its_workers_serve(server: FakeServer) -> None:
    server._models[:] = [{"id": "unknown"}]
    with serving(server.app) as url:
        name = f"{url}/v1?tokenizer={ROOT}#smol"
        with closing(load_engine(llm=name, slm=name)) as engine:
            assert said(engine) == tuple(range(100, 108))


def test_a_server_that_takes_no_ids_gets_the_text_that_they_spell(server: FakeServer) -> None:
    server.faults.texts_only = True
    with serving(server.app) as url:
        name = f"{url}/v1#smol"
        with closing(load_engine(llm=name, slm=name)) as engine:
            engine.wait()
            tokenizer = engine.tokenizer("llm")
            chat = [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": " 日本 🦊  and\n\nmore "},
            ]
            ids = tokenizer.render(cast(list[Message], chat))
            assert said(engine, replace(REQUEST, ids=ids)) == tuple(range(100, 108))
            body = server.faults.bodies[-1]
            assert tokenizer.encode(body["prompt"]) == ids
            assert body["add_special_tokens"] is False
            assert "cache_salt" in body


def test_a_server_that_is_busy_is_not_taken_for_one_that_cannot(server: FakeServer) -> None:
    server.faults.status = [503] * 3  # as often as a request is tried
    with serving(server.app) as url:
        name = f"{url}/v1#smol"
        with closing(load_engine(llm=name, slm=name)) as engine:
            engine.wait()
            said(engine)
            assert server.faults.bodies[-1]["prompt"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("model", "root", "message"), [("other", ROOT, "serves smol"), ("smol", "/no", "tokenizer")]
)
def test_what_cannot_work_is_told_with_a_way_out(model: str, root: str, message: str) -> None:
    engine = Echo()
    with serving(FakeServer(engine, root).app) as url:
        name = f"{url}/v1#{model}"
        with closing(load_engine(llm=name, slm=name)) as remote:
            with pytest.raises(ModelError, match=message):
                remote.wait()
            assert {status.state for status in remote.status()} == {"failed"}
            with pytest.raises(EngineError, match=message):
                said(remote)
    engine.close()


@pytest.mark.parametrize("key", ["", "mine"])
@pytest.mark.parametrize("listed", [False, True])
def test_a_key_that_is_refused_is_told_as_one(server: FakeServer, key: str, listed: bool) -> None:
    """Not as a server that is down; also where only its list of models is open."""
    server.faults.key, server.faults.listed = "yours", listed
    with serving(server.app) as url:
        name = f"{url}/v1#smol"
        with closing(load_engine(llm=name, slm=name, api_key=key)) as engine:
            with pytest.raises(ModelError, match=r"401.*LIVEMIND_API_KEY"):
                engine.wait()
            assert {status.state for status in engine.status()} == {"failed"}
            assert "LIVEMIND_API_KEY" in engine.status()[0].detail


def test_a_key_that_is_refused_later_is_told_as_one(engine: OwnedEngine, faults: Faults) -> None:
    faults.key = "another"
    with pytest.raises(EngineError, match=r"401.*LIVEMIND_API_KEY"):
        said(engine)


@pytest.mark.parametrize("model", ["", "#other"])
@pytest.mark.parametrize("root", [ROOT, "/no"])
def test_where_a_server_is_stands_in_logs_and_not_in_what_everybody_may_ask(
    model: str, root: str, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Echo()) as echo:
        server = FakeServer(echo, root)
        with serving(server.app) as url:
            place = url.removeprefix("http://")
        name = f"{url}/v1{model}"
        with closing(load_engine(llm=name, slm=name)) as engine:
            assert wait_for(lambda: "the server does not answer" in engine.status()[0].detail)
            assert place not in str(engine.status())
            assert place in caplog.text
            with serving(server.app, int(place.rsplit(":", 1)[1])):
                assert wait_for(lambda: {status.state for status in engine.status()} <= {"ready", "failed"})
                assert place not in str(engine.status())


def test_one_model_here_and_one_there(server: FakeServer) -> None:
    with serving(server.app) as url, closing(load_engine("tiny", llm=f"{url}/v1", dtype="float32")) as engine:
        engine.wait()
        assert [status.name for status in engine.status()] == ["smol", ROOT]
        assert "--speculative-config" in (engine.cannot("lookahead", "llm") or "")
        assert engine.cannot("lookahead", "slm") is None
        assert said(engine) == tuple(range(100, 108))
        ids = engine.tokenizer("slm").encode("The capital of France is")
        assert len(said(engine, replace(REQUEST, ids=ids, role="slm", max_tokens=2))) == 2


@pytest.mark.parametrize("name", ["http://", "http://u:p@host/v1", "http://host/v1?key=1#m", "ftp://host/v1"])
def test_addresses_that_are_none(name: str) -> None:
    with pytest.raises(ConfigError):
        parse(name)
