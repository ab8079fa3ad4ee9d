"""The page under its Content-Security-Policy and behind a password, in a real browser.

Every test of the page fails on a message of the console, so all of them run under the policy.
"""

import threading

from playwright.sync_api import Browser, expect

from livemind_app.config import Settings
from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.serve import create_app
from livemind_app.serving.server import Server, address, listen
from tests.ui.conftest import TIMEOUT_MS, LivePage, Log, open_page

VIOLATIONS = """() => {
    window.refused = [];
    document.addEventListener("securitypolicyviolation", e => window.refused.push(e.effectiveDirective));
}"""
ATTACKS = """() => {
    const add = (tag, set) => document.body.append(Object.assign(document.createElement(tag), set));
    add("script", { textContent: "document.title = 'hit'" });
    add("div", { innerHTML: "<img src='x:' onerror=\\"document.title='hit'\\">" });
    add("script", { src: "https://stranger.example/x.js" });
    fetch("https://stranger.example/").catch(() => {});
}"""
PASSWORD = "correct horse"


def test_foreign_scripts_do_not_run_and_nothing_is_sent_elsewhere(live: LivePage) -> None:
    live.log.allowed += ["Content Security Policy", "ERR_UNKNOWN_URL_SCHEME", "stranger.example", "host: x:"]
    live.page.evaluate(VIOLATIONS)
    live.page.evaluate(ATTACKS)
    live.page.wait_for_function("window.refused.length >= 4", timeout=TIMEOUT_MS)
    refused = live.page.evaluate("window.refused")
    assert set(refused) >= {"script-src-elem", "script-src-attr", "connect-src"}
    assert live.page.title() != "hit"


class LockedServer:
    """Made on a thread of its own: the browser's library has an event loop on this one."""

    def __init__(self) -> None:
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        engine = ScriptedEngine()
        app = create_app(Settings(password=PASSWORD), engine)
        end_streams = app.state.end_streams
        with listen("127.0.0.1", 0) as listening:
            self.url = address(listening)
            self._server = Server(
                app, listening, end_streams=end_streams, announce=lambda _: self._started.set()
            )
            self._server.run()
        engine.close()

    def __enter__(self) -> str:
        self._thread.start()
        assert self._started.wait(60), "the server did not start"
        return self.url

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)


def test_the_page_behind_a_password(browser: Browser) -> None:
    with LockedServer() as url:
        log_in_and_ask(browser, url)


def log_in_and_ask(browser: Browser, url: str) -> None:
    log = Log(url, allowed=["401"])
    context = browser.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    log.watch(page)
    page.goto(url)
    page.get_by_label("Password").fill("a guess")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("The password is wrong.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button").click()
    live = LivePage(page, log).ready()
    live.ask("Two and two?")
    live.wait_for_lane("live", "done")
    again = open_page(context, log)  # another tab needs no password
    again.page.close()
    context.close()
    assert not log.found, "\n".join(log.found)
