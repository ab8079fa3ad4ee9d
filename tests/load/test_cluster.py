"""Two replicas on Ray Serve: sessions stay where they are, and one that is killed loses no typed text."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from playwright.sync_api import Response, expect, sync_playwright

from tests.load.clusters import NEEDED, START_S, Cluster, starting
from tests.load.conftest import told
from tests.load.replica import CLIENT, PROCESS
from tests.serving.conftest import parse, until
from tests.ui.conftest import CHROMIUM_ARGS, LivePage, Log, find_chromium

pytestmark = NEEDED
TEXT = "Tom has three apples. Ann gives him four more. How many has he now?"
SECRET = "quartz-heron-4711"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with starting() as running:
        yield running


def test_a_session_stays_on_the_replica_that_made_it(cluster: Cluster) -> None:
    sessions = [(token, process) for process, token in cluster.both().items()]
    sessions += [cluster.create() for _ in range(10)]
    replicas = [psutil.Process(process) for process in {process for _, process in sessions}]
    began, proxied, served = time.monotonic(), proxies_s(), cpu_s(replicas)
    for revision in range(1, 11):
        for token, process in sessions:
            response = cluster.draft(token, revision, TEXT[: 5 * revision])
            assert (response.status_code, response.headers[PROCESS]) == (202, str(process))
    drafts = 10 * len(sessions)
    ms_each = {
        "from_end_to_end": time.monotonic() - began,
        "cpu_of_the_proxy": proxies_s() - proxied,
        "cpu_of_the_replica": cpu_s(replicas) - served,
    }
    told(drafts=drafts, **{name: round(1000 * seconds / drafts, 1) for name, seconds in ms_each.items()})


def proxies_s() -> float:
    """CPU time that Ray's proxies have taken."""
    return cpu_s([process for process in psutil.process_iter() if "ProxyActor" in process.name()])


def cpu_s(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def test_a_replica_is_told_who_asks(cluster: Cluster) -> None:
    """Ray's proxy takes the word of a proxy on this machine, and of those in FORWARDED_ALLOW_IPS."""
    assert cluster.http.get("/api/health").headers[CLIENT] == "127.0.0.1"
    response = cluster.http.get("/api/health", headers={"X-Forwarded-For": "203.0.113.9"})
    assert response.headers[CLIENT] == "203.0.113.9"


def test_a_killed_replica_costs_its_sessions_and_no_others(cluster: Cluster) -> None:
    (killed, lost), (_, kept) = cluster.both().items()
    for token in (lost, kept):
        assert cluster.draft(token, 1, TEXT[:30]).status_code == 202
    os.kill(killed, signal.SIGKILL)
    began = time.monotonic()
    answers = []
    while not answers or answers[-1] != 404:  # as a page does, until it is told that the session is gone
        assert time.monotonic() - began < START_S
        answers.append(cluster.draft(lost, len(answers) + 2, TEXT[:40]).status_code)
    assert cluster.draft(kept, 2, TEXT[:40]).status_code == 202
    token, process = cluster.create()
    assert process != killed
    assert cluster.draft(token, 1, TEXT[:40]).status_code == 202
    told(told_after_s=round(time.monotonic() - began, 2), before_that=answers[:-1])
    body = {"revision": 2, "text": TEXT}
    with cluster.http.stream("GET", f"/api/sessions/{token}/events") as stream:
        assert cluster.http.post(f"/api/sessions/{token}/submit", json=body).status_code == 202
        until(parse(stream.iter_lines()), "turn", done=True)


def test_who_types_on_the_page_of_a_killed_replica_loses_nothing(cluster: Cluster) -> None:
    with chromium(cluster) as (live, process_of_drafts):
        live.page.evaluate("window.loadedOnce = true")
        live.type(TEXT[:30])
        live.page.wait_for_timeout(0)
        while not process_of_drafts():
            live.page.wait_for_timeout(50)
        killed = process_of_drafts()[-1]
        before = live.token
        os.kill(killed, signal.SIGKILL)
        live.type(TEXT[30:])  # while its server is gone
        expect(live.box).to_have_value(TEXT)
        live.page.wait_for_function(
            "before => sessionStorage.getItem('livemind.session') !== before", arg=before, timeout=60_000
        )
        live.box.press("Enter")
        expect(live.lane("live")).to_have_attribute("data-status", "done", timeout=60_000)
        expect(live.page.locator("#lm-turn")).to_contain_text(TEXT)
        assert live.page.evaluate("window.loadedOnce")
        assert process_of_drafts()[-1] != killed


def test_an_answer_that_is_cut_by_a_kill_is_asked_for_again(cluster: Cluster) -> None:
    with chromium(cluster) as (live, process_of_drafts):
        live.type(TEXT)
        while not process_of_drafts():
            live.page.wait_for_timeout(50)
        killed, before = process_of_drafts()[-1], live.token
        live.box.press("Enter")
        expect(live.page.locator("#lm-turn")).to_contain_text(TEXT)
        os.kill(killed, signal.SIGKILL)
        live.page.wait_for_function(
            "before => sessionStorage.getItem('livemind.session') !== before", arg=before, timeout=60_000
        )
        expect(live.page.locator("#lm-turn")).to_contain_text(TEXT)  # the question is still there
        live.ask(TEXT)
        expect(live.lane("live")).to_have_attribute("data-status", "done", timeout=60_000)


@contextmanager
def chromium(cluster: Cluster) -> Iterator[tuple[LivePage, Callable[[], list[int]]]]:
    """The page, and the processes that took its drafts."""
    processes: list[int] = []

    def note(response: Response) -> None:
        if response.request.method == "PUT" and response.status == 202:
            processes.append(int(response.headers[PROCESS]))

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.on("response", note)
        live = LivePage(page, Log(cluster.url))
        page.goto(cluster.url)
        page.wait_for_function("sessionStorage.getItem('livemind.session')")
        yield live, lambda: processes
        browser.close()


def test_logs_hold_neither_texts_nor_tokens_nor_clients_that_went(cluster: Cluster) -> None:
    token, _ = cluster.create()
    assert cluster.draft(token, 1, f"{TEXT} {SECRET}").status_code == 202
    assert cluster.draft(token, 1, SECRET).status_code == 409
    logs = [path for path in cluster.folder.rglob("logs/**/*") if path.is_file()]
    assert logs
    for path in logs:
        content = path.read_bytes()
        assert SECRET.encode() not in content, path.name
        assert b"A request failed" not in content, path.name  # streams were closed by those who read them
        assert token.encode() not in content, path.name
        assert token.rpartition("~")[2].encode() not in content, path.name


def test_a_cluster_that_is_stopped_leaves_nothing_running(cluster: Cluster) -> None:
    """The last one: it stops the cluster."""
    replicas = cluster.both()
    cluster.process.terminate()
    assert cluster.process.wait(120) == 0
    _, alive = psutil.wait_procs([psutil.Process(p) for p in replicas if psutil.pid_exists(p)], timeout=60)
    assert not alive
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((cluster.http.base_url.host, cluster.http.base_url.port or 0), timeout=5)
