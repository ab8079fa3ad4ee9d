"""The named endpoints, as `gradio_client` users call them."""

from collections.abc import Iterator

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.test_tours import example
from tests.ui.conftest import ANSWER


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Client]:
    client = Client(url, verbose=False, analytics_enabled=False)
    yield client
    client.close()


def test_draft_begins_a_session_and_cuts_the_text(client: Client) -> None:
    drafted = client.predict("Anna has five apples. Ben", api_name="/draft")
    assert [segment["text"] for segment in drafted["segments"]] == ["Anna has five apples. ", "Ben"]
    assert [segment["finished"] for segment in drafted["segments"]] == [True, False]
    again = client.predict("Anna has five apples. Ben has", session=drafted["session"], api_name="/draft")
    assert again["session"] == drafted["session"]
    assert again["revision"] == drafted["revision"] + 1


def test_submit_answers_with_figures(client: Client) -> None:
    session = client.predict("Anna has five apples. ", api_name="/draft")["session"]
    result = client.predict("Anna has five apples. How many?", session, api_name="/submit")
    assert result["answer"] == f"The llm says: {ANSWER}"
    assert list(result["lanes"]) == ["live", "conventional", "slm"]
    assert all(lane["metrics"]["latency"] >= 0 for lane in result["lanes"].values())


def test_submit_needs_no_session(client: Client) -> None:
    result = client.predict("How many?", lanes=["slm"], api_name="/submit")
    assert result["answer"] == f"The slm says: {ANSWER}"


def test_refusals_are_told(client: Client) -> None:
    drafted = client.predict("Anna", 5, api_name="/draft")
    with pytest.raises(AppError, match="not newer than 5"):
        client.predict("Anna has", 5, drafted["session"], api_name="/draft")
    with pytest.raises(AppError, match="unknown_session"):
        client.predict("Anna", session="nobody", api_name="/submit")
    with pytest.raises(AppError, match="the text is empty"):
        client.predict(" ", api_name="/submit")
    with pytest.raises(AppError, match="lanes must be"):
        client.predict("Anna?", lanes=["fast"], api_name="/submit")


def test_the_example_of_the_tours(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = example("docs/tours.md", "gradio_client").replace("http://127.0.0.1:7860", url)
    exec(compile(code, "docs/tours.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[-1] == f"The llm says: {ANSWER}"
