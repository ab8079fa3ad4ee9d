"""Speculative decoding that a server does by itself is reported."""

import pytest

from livemind_app.engine.remote import server as watched
from livemind_app.engine.remote.speculative import read_speculation
from tests.engine.remote.conftest import connected
from tests.engine.remote.echo import said, wait_for
from tests.engine.remote.fake_openai import FakeServer

# As vLLM writes it, for two engines of one server.
METRICS = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="smol"} 0.0
# HELP vllm:spec_decode_num_draft_tokens_total Number of draft tokens.
# TYPE vllm:spec_decode_num_draft_tokens_total counter
vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="smol"} 300.0
vllm:spec_decode_num_draft_tokens_total{engine="1",model_name="smol"} 100.0
# HELP vllm:spec_decode_num_draft_tokens_created Number of draft tokens.
# TYPE vllm:spec_decode_num_draft_tokens_created gauge
vllm:spec_decode_num_draft_tokens_created{engine="0",model_name="smol"} 1.7e+09
# HELP vllm:spec_decode_num_accepted_tokens_total Number of accepted tokens.
# TYPE vllm:spec_decode_num_accepted_tokens_total counter
vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="smol"} 280.0
vllm:spec_decode_num_accepted_tokens_total{engine="1",model_name="smol"} 20.0
# HELP vllm:spec_decode_num_accepted_tokens_per_pos_total Accepted tokens per draft position.
# TYPE vllm:spec_decode_num_accepted_tokens_per_pos_total counter
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",model_name="smol",position="0"} 200.0
"""
WITHOUT = METRICS[: METRICS.index("# HELP vllm:spec")]


def test_it_is_told_with_the_models_and_with_the_option_that_is_off(server: FakeServer) -> None:
    server.faults.metrics = METRICS
    with connected(server) as engine:
        told = "speculatively by itself: 75% of its drafts accepted"
        assert all(told in status.detail and status.state == "ready" for status in engine.status())
        assert told in (engine.cannot("lookahead", "llm") or "")
        assert len(said(engine)) == 8


@pytest.mark.parametrize("metrics", ["", WITHOUT])
def test_of_a_server_that_does_not_or_does_not_tell_nothing_is_said(server: FakeServer, metrics: str) -> None:
    server.faults.metrics = metrics
    with connected(server) as engine:
        assert {status.detail for status in engine.status()} == {""}
        assert "by itself" not in (engine.cannot("lookahead", "llm") or "by itself")


def test_a_server_that_is_started_anew_with_other_options(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "REREAD_S", 0.01)
    server.faults.metrics = WITHOUT
    with connected(server) as engine:
        assert engine.status()[0].detail == ""
        server.faults.metrics = METRICS
        assert wait_for(lambda: engine.status()[0].detail != "")


def test_one_that_has_drafted_nothing_yet() -> None:
    speculation = read_speculation("vllm:spec_decode_num_draft_tokens_total 0.0")
    assert str(speculation) == "the server decodes speculatively by itself"
