"""The page behind a reverse proxy with a path: `location /chat/mind/ { proxy_pass http://app/; }`."""

import threading
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI, Request
from playwright.sync_api import Browser, expect
from starlette.responses import Response, StreamingResponse

from livemind_app.config import Settings
from livemind_app.serving.server import Server, address, at_once, listen
from tests.ui.conftest import ANSWER, TIMEOUT_MS, Gates, LivePage, Log, page_served

PATH = "/chat/mind/"
INDIGO = "rgb(79, 70, 229)"  # of Gradio's theme
OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}


def proxy_to(upstream: str) -> FastAPI:
    """Takes the path away and passes on all else, as nginx does; below other paths there is nothing."""
    app = FastAPI(openapi_url=None)
    client = httpx.AsyncClient(base_url=upstream, timeout=None)

    @app.api_route(PATH + "{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def passed(request: Request, path: str) -> StreamingResponse:
        headers = {name: value for name, value in request.headers.items() if name not in OF_ONE_HOP}
        told = {"X-Forwarded-Host": request.url.netloc, "X-Forwarded-Proto": "http"}
        asked = client.build_request(
            request.method,
            "/" + path,
            params=request.query_params,
            headers={**headers, **told},
            content=await request.body(),
        )
        answer = await client.send(asked, stream=True)

        async def body() -> AsyncIterator[bytes]:
            try:
                async for chunk in answer.aiter_raw():
                    yield chunk
            finally:
                await answer.aclose()

        kept = {name: value for name, value in answer.headers.items() if name not in OF_ONE_HOP}
        return StreamingResponse(body(), answer.status_code, kept)

    app.get("/favicon.ico")(lambda: Response(status_code=204))  # browsers ask every host for one
    return app


@pytest.fixture
def behind(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the page at the proxy."""
    monkeypatch.setenv("GRADIO_ROOT_PATH", PATH.rstrip("/"))  # as docs/operating.md says
    started = threading.Event()
    with page_served(Settings(mode="infer"), gates) as upstream, listen("127.0.0.1", 0) as listening:
        server = Server(proxy_to(upstream), listening, end_streams=at_once, announce=lambda _: started.set())
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            assert started.wait(30), "the proxy did not start"
            yield address(listening) + PATH
        finally:
            server.should_exit = True
            thread.join(20)


def test_the_page_is_used_below_a_path_of_a_proxy(browser: Browser, behind: str) -> None:
    log = Log(behind)
    context = browser.new_context(color_scheme="light")
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    log.watch(page)
    live = LivePage(page, log).open()
    expect(page.locator("#lm-send")).to_have_css(
        "background-color", "rgb(79, 70, 229)"
    )  # Gradio's theme is there
    live.type("Anna has five apples. How many")
    live.wait_for_chips("noted", "typing")
    live.type(" has she?")
    live.box.press("Enter")
    live.wait_for_lane("slm", "done")
    expect(live.lane("live").locator(".lm-answer")).to_have_text(f"The llm says: {ANSWER}")
    page.reload()
    live.ready()
    expect(live.page.locator("#lm-turn .lm-prompt-said")).to_have_text(
        "Anna has five apples. How many has she?"
    )
    context.close()
    assert not log.found, "\n".join(log.found)
