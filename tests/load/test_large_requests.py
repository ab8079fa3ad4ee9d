"""Gate 4: bodies that are none; most are in tests/serving/test_refusals.py."""

import time
from contextlib import suppress
from typing import Any

import pytest

from livemind_app.engine.scripted import WordTokenizer
from livemind_app.text.segment import IncrementalSegmenter
from tests.load.conftest import FULL, told
from tests.load.gates import TEXT, eventually, raw
from tests.serving.conftest import Service, refusal


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is cut into segments or tokens from now on."""
    texts: list[str] = []
    cut, encode = IncrementalSegmenter.cut, WordTokenizer.encode

    def cutting(self: IncrementalSegmenter, text: str, **more: bool) -> Any:
        texts.append(text)
        return cut(self, text, **more)

    def encoding(self: WordTokenizer, text: str) -> tuple[int, ...]:
        texts.append(text)
        return encode(self, text)

    monkeypatch.setattr(IncrementalSegmenter, "cut", cutting)
    monkeypatch.setattr(WordTokenizer, "encode", encoding)
    return texts


def refused_at_once(service: Service, sent: bytes, status: bytes) -> None:
    """Although nothing ends what is sent, and nothing more comes."""
    token = service.create(mode="exact")
    began = time.monotonic()
    with raw(
        service, f"PUT /api/sessions/{token}/draft", b"Content-Type: application/json\r\n"
    ) as connection:
        with suppress(ConnectionError):  # it may be refused before all is sent
            connection.sendall(sent)
        assert connection.recv(12) == b"HTTP/1.1 " + status
    seconds = time.monotonic() - began
    told(bytes=len(sent), refused_after_ms=round(1000 * seconds, 1))
    assert seconds < 0.2 or not FULL
    service.http.delete(f"/api/sessions/{token}")


@pytest.mark.parametrize("size", [1_000_001, 20_000_000])
def test_a_body_that_says_it_is_too_large_is_not_read(
    service: Service, computed: list[str], size: int
) -> None:
    refused_at_once(service, b"Content-Length: %d\r\n\r\n" % size, b"413")
    assert not computed


@pytest.mark.parametrize("size", [1_000_001, 20_000_000])
def test_a_body_that_does_not_say_its_length_is_read_until_it_is_too_large(
    service: Service, computed: list[str], size: int
) -> None:
    start = b'{"revision": 1, "text": "'
    body = start + b"x" * (size - len(start))
    refused_at_once(service, b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (size, body), b"413")
    assert not computed


def test_a_paste_that_is_too_long_is_not_cut_into_tokens(service: Service, computed: list[str]) -> None:
    token = service.create(mode="exact", lanes=["exact"])
    paste = "A sentence of nine hundred thousand characters. " * 19_000
    for answer in (service.draft(token, 1, paste), service.submit(token, 1, paste)):
        assert refusal(answer) == (413, "text_too_long")
    assert not computed
    service.draft(token, 2, TEXT)
    eventually(lambda: any(TEXT in text for text in computed[1:]))  # segments, then tokens
    assert computed[0] == TEXT
    service.http.delete(f"/api/sessions/{token}")
