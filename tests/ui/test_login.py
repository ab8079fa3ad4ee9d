"""Login with Hugging Face as in a Space: Gradio's button and routes, our own provider, a real browser."""

import threading
from collections.abc import Iterator

import pytest
from gradio import oauth
from playwright.sync_api import Browser, BrowserContext, Page, expect

from livemind_app.config import Settings
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.errors import ConfigError
from livemind_app.serve import create_app
from livemind_app.serving.server import Server, address, listen
from livemind_app.ui.login import SpaceUsers
from tests.ui.conftest import TIMEOUT_MS, LivePage, Log
from tests.ui.openid import CLIENT, Provider, provider

SIGN_IN = "Sign in with Hugging Face"


def as_in_a_space(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    for name, value in {"SYSTEM": "spaces", "SPACE_ID": "ada/livemind"}.items():
        monkeypatch.setenv(name, value)
    given = {
        "OAUTH_CLIENT_ID": CLIENT,
        "OAUTH_CLIENT_SECRET": "a secret",
        "OAUTH_SCOPES": "openid profile",
        "OPENID_PROVIDER_URL": issuer,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setattr(oauth, name, value)  # read when Gradio is imported


@pytest.fixture
def openid() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
def space(openid: Provider, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server in which users sign in."""
    as_in_a_space(monkeypatch, openid.issuer)
    started = threading.Event()
    with listen("127.0.0.1", 0) as listening:

        def run() -> None:  # on a thread of its own: the browser's library has an event loop on this one
            engine = ScriptedEngine()
            app = create_app(Settings(login="huggingface"), engine)
            server = Server(
                app, listening, end_streams=app.state.end_streams, announce=lambda _: started.set()
            )
            running.append(server)
            server.run()
            engine.close()

        running: list[Server] = []
        thread = threading.Thread(target=run)
        thread.start()
        assert started.wait(60), "the server did not start"
        yield address(listening)
        running[0].should_exit = True
        thread.join(20)


def test_users_sign_in_and_a_token_is_good_for_its_user(
    browser: Browser, space: str, openid: Provider
) -> None:
    ada = browser.new_context()
    page = opened(ada, space)
    assert status(page, "/metrics") == status(page, "/api/options") == 401
    assert status(page, "/api/health") == 200
    sign_in(page, "ada")
    live = LivePage(page, Log(space)).ready()
    live.ask("Two and two?")
    live.wait_for_lane("live", "done")
    draft = f"/api/sessions/{live.token}/draft"

    openid.user = "eve"
    eve = browser.new_context()
    other = opened(eve, space)
    sign_in(other, "eve")
    LivePage(other, Log(space)).ready()
    body = {"revision": 100, "text": "Not mine"}
    assert put(other, draft, body) == 404
    assert put(page, draft, body) == 202

    page.locator("#lm-login").click()  # it signs out now
    expect(page.locator("#lm-login")).to_have_text(SIGN_IN)
    assert put(page, draft, {**body, "revision": 101}) == 401
    for context in (ada, eve):
        context.close()


def test_without_a_space_that_has_it_there_is_no_such_login(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="hf_oauth: true"):
        SpaceUsers()
    as_in_a_space(monkeypatch, "https://huggingface.co")
    SpaceUsers()
    monkeypatch.delenv("SYSTEM")
    with pytest.raises(ConfigError, match="hf_oauth: true"):  # Gradio would log everybody in as its owner
        SpaceUsers()


def test_users_and_a_password_do_not_go_together() -> None:
    with pytest.raises(ConfigError, match="password"):
        Settings(login="huggingface", password="x")


def opened(context: BrowserContext, url: str) -> Page:
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.goto(url)
    return page


def sign_in(page: Page, user: str) -> None:
    button = page.locator("#lm-login")
    expect(button).to_have_text(SIGN_IN)
    button.click()
    expect(button).to_have_text(f"Logout ({user})")


def status(page: Page, path: str) -> int:
    return int(page.evaluate("path => fetch(path).then(answer => answer.status)", path))


def put(page: Page, path: str, body: dict[str, object]) -> int:
    script = """([path, body]) => fetch(path, {
        method: "PUT", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
    }).then(answer => answer.status)"""
    return int(page.evaluate(script, [path, body]))
