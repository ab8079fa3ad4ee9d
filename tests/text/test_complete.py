import pytest

from livemind_app.text.complete import looks_complete


@pytest.mark.parametrize("text", ["Why?", "Go on.\n", 'He said "no!" ', "世界。", "(It rains.)", "Well…"])
def test_ends_as_sentences_do(text: str) -> None:
    assert looks_complete(text)


@pytest.mark.parametrize("text", ["", "Why", "Is it 3.5", "a, b", "end. But", "?x"])
def test_is_still_being_written(text: str) -> None:
    assert not looks_complete(text)
