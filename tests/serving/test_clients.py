"""A session's token opens it for the client that created it, and for nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from livemind_app.serving.access import Access
from livemind_app.serving.clients import COOKIE
from livemind_app.session.clients import Client
from livemind_app.session.limits import Limits
from tests.serving.conftest import Service, refusal, serving, until

PASSWORD = "correct horse"
PAGE = "/docs"  # any answer in HTML is a page
CHROMIUM = {"Accept": "text/html"}


@contextmanager
def browser(service: Service) -> Iterator[httpx.Client]:
    """One that has loaded the page."""
    with httpx.Client(base_url=service.http.base_url, timeout=service.http.timeout) as http:
        http.get(PAGE, headers=CHROMIUM)
        assert http.cookies[COOKIE]
        yield http


def create(http: httpx.Client, **headers: str) -> str:
    response = http.post("/api/sessions", json={"options": {"mode": "off"}}, headers=headers)
    assert response.status_code == 201, response.text
    token: str = response.json()["session"]
    return token


def refused_everywhere(http: httpx.Client, token: str, **headers: str) -> bool:
    """Whether no route knows the session."""
    url = f"/api/sessions/{token}"
    text = {"revision": 10**6, "text": "Hello there."}
    answers = [
        http.put(f"{url}/draft", json=text, headers=headers),
        http.post(f"{url}/submit", json=text, headers=headers),
        http.post(f"{url}/stop", json={}, headers=headers),
        http.post(f"{url}/clear", json={}, headers=headers),
        http.patch(f"{url}/options", json={}, headers=headers),
        http.get(f"{url}/events", headers=headers),
        http.delete(url, headers=headers),
    ]
    return {refusal(answer) for answer in answers} == {(404, "unknown_session")}


def test_a_stolen_token_opens_nothing_in_another_browser(service: Service) -> None:
    with browser(service) as owner, browser(service) as thief:
        token = create(owner)
        assert refused_everywhere(thief, token)
        assert refused_everywhere(service.http, token)  # nor for a program
        text = {"revision": 1, "text": "Mine."}
        assert owner.put(f"/api/sessions/{token}/draft", json=text).status_code == 202
        assert owner.delete(f"/api/sessions/{token}").status_code == 204


def test_a_browser_keeps_its_cookie_and_scripts_do_not_see_it(service: Service) -> None:
    first = service.http.get(PAGE, headers=CHROMIUM)
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(first.headers["set-cookie"].split("; "))
    service.http.cookies.clear()
    with browser(service) as http:
        assert "set-cookie" not in http.get(PAGE, headers=CHROMIUM).headers
    assert "set-cookie" not in service.http.get("/api/health", headers=CHROMIUM).headers
    assert "set-cookie" not in service.http.get(PAGE).headers  # a program


def test_in_a_frame_of_another_site_the_cookie_says_so() -> None:
    with serving(access=Access(framed_by=("https://friend.example",))) as service:
        cookie = service.http.get(PAGE, headers=CHROMIUM).headers["set-cookie"]
    assert {"SameSite=none", "Secure"} <= set(cookie.split("; "))


def test_programs_are_known_by_the_password_that_they_send() -> None:
    with serving(access=Access(password=PASSWORD)) as service:
        one, other = httpx.BasicAuth("one", PASSWORD), httpx.BasicAuth("other", PASSWORD)
        mine, theirs = (auth._auth_header for auth in (one, other))
        token = create(service.http, Authorization=mine)
        assert refused_everywhere(service.http, token, Authorization=theirs)
        service.http.post("/login", data={"password": PASSWORD})
        assert refused_everywhere(service.http, token)
        url = f"/api/sessions/{token}"
        assert service.http.delete(url, headers={"Authorization": mine}).status_code == 204


def test_work_ahead_is_counted_for_an_address_and_not_for_this_machine() -> None:
    with serving(Limits(speculate_per_client=3)) as service:
        for headers, ready in ({"X-Forwarded-For": "203.0.113.7"}, 3), ({}, 5):
            options = {"mode": "exact", "lanes": ["exact"]}
            response = service.http.post("/api/sessions", json={"options": options}, headers=headers)
            token = response.json()["session"]
            assert service.manager.get(token, Client()).token == token  # neither has said who it is
            service.draft(token, 1, "How many apples has Tom?")
            with service.events(token) as frames:
                until(frames, "prepared", tokens=ready)
