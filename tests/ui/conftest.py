"""A real server on a scripted engine, a real Chromium, a page per test.

The engine says what its script says, and waits at gates that a test closes and opens: a test sees a state
because it holds it there, not because it looked at the right moment.
"""

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    expect,
    sync_playwright,
)
from playwright.sync_api import Request as HttpRequest

from livemind_app.config import Settings
from livemind_app.engine.scripted import END, Script, ScriptedEngine
from livemind_app.protocol import Priority, Request, Role
from livemind_app.serve import create_app
from livemind_app.serving.server import Server, address, listen

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
TIMEOUT_MS = 10_000
expect.set_options(timeout=TIMEOUT_MS)


ATTACK = "<img src=x onerror=document.title='hit'> **<b>bold</b>** `<script>1</script>` and so on."
ANSWER = "so many apples and no more."


def script(role: Role, prompt: str) -> str:
    """A note names the first words of its segment; an answer is always the same, but repeats an attack.

    >>> script("llm", "<user> Two and two.\\n<assistant> Note:")
    ' about Two and two.'
    """
    if prompt.endswith("Note:"):
        segment = prompt.rsplit("<user> ", 1)[1].split(END)[0]
        return " about " + " ".join(segment.split()[:3])
    return f"The {role} says: {ATTACK if ATTACK in prompt else ANSWER}"


class Gates:
    """Hold generations of one priority before the token with number `after`, until opened."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[Priority, int] = {}
        self._said: dict[int, int] = {}

    def hold(self, priority: Priority, after: int = 0) -> None:
        with self._changed:
            self._held[priority] = after

    def open(self, *priorities: Priority) -> None:
        with self._changed:
            for priority in priorities or tuple(Priority):
                self._held.pop(priority, None)
            self._changed.notify_all()

    def step(self, request: Request) -> None:
        """Called on the engine's thread before every token."""
        with self._changed:
            said = self._said[id(request)] = self._said.get(id(request), -1) + 1
            while said >= self._held.get(request.priority, said + 1) and not request.cancel.cancelled:
                self._changed.wait(0.01)


@dataclass
class Log:
    """What must not happen on a page: console errors, exceptions, requests to other hosts."""

    host: str
    found: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._read)
        page.on("pageerror", lambda error: self.add(f"exception: {error}"))
        page.on("request", lambda request: self._check(request.url))

    def add(self, text: str) -> None:
        if not any(part in text for part in self.allowed):
            self.found.append(text)

    def _read(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.add(f"console: {message.text}")

    def _check(self, url: str) -> None:
        if not url.startswith((self.host, "data:", "blob:")):
            self.add(f"request to another host: {url}")


class LivePage:
    """The page, by what a user sees."""

    def __init__(self, page: Page, log: Log) -> None:
        self.page = page
        self.log = log
        self.box = page.locator("#lm-prompt textarea")
        self.chips = page.locator("#lm-segments .lm-chip")
        self.notes = page.locator("#lm-notes .lm-note")
        self.status = page.locator("#lm-status .lm-status-text")

    def open(self) -> "LivePage":
        self.page.goto(self.log.host)
        return self.ready()

    def ready(self) -> "LivePage":
        expect(self.status).not_to_have_text("")
        self.page.wait_for_function("sessionStorage.getItem('livemind.session')")
        return self

    def health_says(self, changes: Mapping[str, Any]) -> None:
        """From now on the page is told of the server's health what it is now, with these changes.

        Nothing is fetched when the page asks: a page may be closed while it does.
        """
        health = self.page.request.get(f"{self.log.host}/api/health").json()
        self.page.route("**/api/health", lambda route: route.fulfill(json={**health, **changes}))

    def type(self, text: str, delay: float = 3) -> None:
        self.box.press_sequentially(text, delay=delay)

    def drafts_sent(self) -> list[str]:
        """Bodies of the drafts sent from now on; the list grows."""
        sent: list[str] = []

        def note(request: HttpRequest) -> None:
            if request.method == "PUT":
                sent.append(request.post_data or "")

        self.page.on("request", note)
        return sent

    def lane(self, name: str) -> Locator:
        return self.page.locator(f"#lm-lane-{name} .lm-pane")

    def wait_for_chips(self, *states: str) -> None:
        self.page.wait_for_function(
            "states => [...document.querySelectorAll('#lm-segments .lm-chip')]"
            ".map(chip => chip.dataset.status).join() === states",
            arg=",".join(states),
            timeout=TIMEOUT_MS,
        )

    def wait_for_lane(self, name: str, status: str) -> None:
        expect(self.lane(name)).to_have_attribute("data-status", status)

    def open_options(self) -> None:
        self.page.locator("#lm-options h2 button").click()

    @contextmanager
    def options_changed(self) -> Iterator[None]:
        """Until the server has taken what is changed in it."""
        with self.page.expect_response(lambda response: response.request.method == "PATCH"):
            yield

    def ask(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    @property
    def language(self) -> str:
        return self.page.locator("html").get_attribute("lang") or ""

    @property
    def token(self) -> str:
        token = self.page.evaluate("sessionStorage.getItem('livemind.session')")
        assert isinstance(token, str)
        return token


@pytest.fixture(scope="package")
def gates_of_server() -> Gates:
    return Gates()


@pytest.fixture
def gates(gates_of_server: Gates) -> Iterator[Gates]:
    yield gates_of_server
    gates_of_server.open()


@pytest.fixture(scope="package")
def url(gates_of_server: Gates) -> Iterator[str]:
    """A server with the real page, whose sessions take notes unless they choose."""
    # Every test leaves a session behind.
    settings = Settings(mode="infer", max_sessions=10_000, max_turns=300)
    with page_served(settings, gates_of_server) as served:
        yield served


@contextmanager
def page_served(
    settings: Settings,
    gates_of_server: Gates,
    script: Script = script,
    engines: Mapping[str, ScriptedEngine] | None = None,
) -> Iterator[str]:
    """`engines`: what users choose among, in place of the one that says what the script says."""
    engines = engines or {"": ScriptedEngine(script, token_s=0.001, step=gates_of_server.step)}
    with ThreadPoolExecutor(1) as apart:  # the browser's thread cannot run another event loop
        app = apart.submit(create_app, settings, engines).result()
    started = threading.Event()
    with listen("127.0.0.1", 0) as listening:
        server = Server(app, listening, end_streams=app.state.end_streams, announce=lambda _: started.set())
        thread = threading.Thread(target=server.run)
        thread.start()
        assert started.wait(30), "the server did not start"
        try:
            yield address(listening)
        finally:
            gates_of_server.open()
            server.should_exit = True
            thread.join(20)
            for engine in engines.values():
                engine.close()


@pytest.fixture(scope="package")
def browser(url: str) -> Iterator[Browser]:
    # While it lives, nothing else in this thread can run an event loop: so it comes after the server,
    # and it is the package's, not the session's.
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One for all pages, for its cache; what a page stores is its own tab's."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


@pytest.fixture
def log(url: str) -> Iterator[Log]:
    log = Log(url)
    yield log
    assert not log.found, "\n".join(log.found)


@pytest.fixture
def live(context: BrowserContext, log: Log, gates: Gates) -> Iterator[LivePage]:
    live = open_page(context, log)
    yield live
    context.set_offline(False)
    live.page.evaluate("localStorage.clear()")
    for page in context.pages:
        page.close()


def open_page(context: BrowserContext, log: Log) -> LivePage:
    page = context.new_page()
    log.watch(page)
    return LivePage(page, log).open()


def find_chromium() -> Path:
    named = os.environ.get("LIVEMIND_CHROMIUM")
    found = [named] if named else [shutil.which(name) for name in CHROMIUM_NAMES]
    for path in found:
        if path and Path(path).is_file():
            return Path(path)
    where = f"LIVEMIND_CHROMIUM names {named}, which is no file" if named else "there is no Chromium in PATH"
    pytest.fail(
        f"{where}; install one (Debian: apt-get install chromium) or set LIVEMIND_CHROMIUM to its path"
    )
