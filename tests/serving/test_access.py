"""Who may come in: other sites, many requests, passwords; and what browsers are told."""

import re
from collections.abc import Iterator

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.types import Scope

from livemind_app.serving import login
from livemind_app.serving.access import Access
from livemind_app.session.buckets import Rate
from livemind_app.session.limits import Limits
from tests.serving.conftest import Service, refusal, serving, until

PASSWORD = "correct horse"
FRIEND = "https://friend.example"
STRANGER = "https://stranger.example"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Service]:
    with serving(access=Access(origins=(FRIEND,), framed_by=(FRIEND,))) as service:
        yield service


@pytest.fixture
def locked() -> Iterator[Service]:
    with serving(access=Access(password=PASSWORD)) as service:
        yield service


def preflight(service: Service, origin: str) -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    return service.http.options("/api/sessions", headers=headers)


def test_pages_of_other_sites_get_no_leave_to_read(service: Service) -> None:
    assert preflight(service, STRANGER).status_code == 400
    answer = service.http.get("/api/health", headers={"Origin": STRANGER})
    assert "access-control-allow-origin" not in answer.headers


def test_what_pages_of_other_sites_send_is_not_done(service: Service) -> None:
    before = len(service.manager)
    for headers in (
        {"Origin": STRANGER},
        {"Origin": "null"},
        {"Origin": STRANGER, "Sec-Fetch-Site": "cross-site"},
        {"Origin": str(service.http.base_url), "Sec-Fetch-Site": "same-site"},
    ):
        response = service.http.post("/api/sessions", json={}, headers=headers)
        assert refusal(response) == (403, "foreign_origin")
    assert len(service.manager) == before


def test_our_own_page_is_no_other_site(service: Service) -> None:
    own = str(service.http.base_url).rstrip("/")
    for headers in (
        {"Origin": own},
        {"Origin": own, "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://chat.example", "X-Forwarded-Host": "chat.example"},
    ):
        response = service.http.post("/api/sessions", json={}, headers=headers)
        assert response.status_code == 201
        service.http.delete(f"/api/sessions/{response.json()['session']}")


def test_sites_that_the_operator_names_may_use_the_api(guarded: Service) -> None:
    assert preflight(guarded, FRIEND).headers["access-control-allow-origin"] == FRIEND
    response = guarded.http.post(
        "/api/sessions", json={}, headers={"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"}
    )
    assert response.status_code == 201
    assert response.headers["access-control-allow-origin"] == FRIEND
    refused = guarded.http.post("/api/sessions", json={}, headers={"Origin": STRANGER})
    assert refusal(refused) == (403, "foreign_origin")


def test_every_answer_tells_browsers_what_to_refuse(service: Service, guarded: Service) -> None:
    for path in ("/api/health", "/api/nothing", "/metrics", "/docs"):
        headers = service.http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
    framed = guarded.http.get("/api/health").headers
    assert f"frame-ancestors 'self' {FRIEND}" in framed["content-security-policy"]
    assert "x-frame-options" not in framed


def test_a_page_may_run_only_the_scripts_that_are_written_in_it(service: Service) -> None:
    policy = service.http.get("/docs").headers["content-security-policy"]
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts
    assert "'unsafe-inline'" not in scripts[1]
    assert len(re.findall(r"'sha256-[A-Za-z0-9+/=]{44}'", scripts[1])) == 1


# Rates.


def test_one_address_cannot_take_the_server_from_others() -> None:
    with serving(access=Access(rate=10)) as service:
        one, other = {"X-Forwarded-For": "203.0.113.1"}, {"X-Forwarded-For": "203.0.113.2"}
        answers = [service.http.get("/api/health", headers=one) for _ in range(40)]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert refused
        assert {refusal(answer) for answer in refused} == {(429, "too_many_requests")}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
        assert service.http.get("/api/health", headers=other).status_code == 200
        assert all(service.http.get("/api/health").status_code == 200 for _ in range(40))


def test_sessions_and_submits_are_counted_by_themselves() -> None:
    rare = Rate(per_s=0.001, burst=1)
    with serving(Limits(new_sessions=rare, submits=rare)) as service:
        one = {"X-Forwarded-For": "2001:db8::1"}
        neighbour = {"X-Forwarded-For": "2001:db8::2"}  # the same home
        token = service.http.post("/api/sessions", json={}, headers=one).json()["session"]
        refused = service.http.post("/api/sessions", json={}, headers=neighbour)
        assert refusal(refused) == (429, "too_many_requests")
        assert int(refused.headers["retry-after"]) > 0
        url, body = f"/api/sessions/{token}", {"revision": 1, "text": "Hello there."}
        with service.events(token, **one) as frames:
            assert service.http.post(f"{url}/submit", json=body, headers=one).status_code == 202
            until(frames, "turn", done=True)
        for way, said in (("submit", body), ("retry", {"lane": "live"})):
            refused = service.http.post(f"{url}/{way}", json=said, headers=one)
            assert refusal(refused) == (429, "too_many_requests")
        draft = {"revision": 2, "text": "And"}
        assert service.http.put(f"{url}/draft", json=draft, headers=one).status_code == 202


async def named(scope: Scope) -> str:
    """The user whom a header names."""
    return Headers(scope=scope).get("x-user", "")


def test_a_user_is_counted_at_all_addresses() -> None:
    with serving(access=Access(rate=10, user=named)) as service:
        places = [{"X-Forwarded-For": f"203.0.113.{n}"} for n in range(40)]
        answers = [service.http.get("/api/options", headers={"X-User": "ada", **place}) for place in places]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert refused
        assert {refusal(answer) for answer in refused} == {(429, "too_many_requests")}
        assert service.http.get("/api/options", headers={"X-User": "bob", **places[0]}).status_code == 200


def test_tokens_of_answers_are_counted_for_the_user_and_the_address() -> None:
    with serving(Limits(tokens_per_client=1), access=Access(user=named)) as service:

        def ask(user: str, address: str) -> httpx.Response:
            headers = {"X-User": user, "X-Forwarded-For": address}
            body = {"options": {"mode": "off", "lanes": ["live"]}}
            token = service.http.post("/api/sessions", json=body, headers=headers).json()["session"]
            text = {"revision": 1, "text": "Hello there."}
            url = f"/api/sessions/{token}"
            with service.events(token, **headers) as frames:
                answer = service.http.post(f"{url}/submit", json=text, headers=headers)
                if answer.status_code == 202:
                    until(frames, "turn", done=True)
            return answer

        assert ask("ada", "203.0.113.1").status_code == 202
        for user, address in (("ada", "203.0.113.2"), ("bob", "203.0.113.1")):
            refused = ask(user, address)
            assert refusal(refused) == (429, "too_many_requests")
            assert int(refused.headers["retry-after"]) > 60
        assert ask("bob", "203.0.113.2").status_code == 202


# The password.


def test_nothing_is_told_without_the_password(locked: Service) -> None:
    for method, path in (("GET", "/metrics"), ("GET", "/docs"), ("POST", "/api/sessions"), ("GET", "/api/x")):
        assert refusal(locked.http.request(method, path)) == (401, "login_required")
    page = locked.http.get("/docs", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "login")
    assert locked.http.get("/api/health").status_code == 200
    assert locked.http.get("/api/ready").status_code == 200


def test_a_program_says_it_in_a_header(locked: Service) -> None:
    assert locked.http.get("/metrics", headers={"Authorization": f"Bearer {PASSWORD}"}).status_code == 200
    assert locked.http.get("/metrics", auth=("anybody", PASSWORD)).status_code == 200
    wrong = (
        {"Authorization": "Bearer no"},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic Og=="},
        {"Authorization": PASSWORD},
    )
    for headers in wrong:
        assert refusal(locked.http.get("/metrics", headers=headers)) == (401, "login_required")


@pytest.mark.parametrize(("language", "said"), [("en", "wrong"), ("zh", "不对"), ("ja", "違います")])
def test_the_form_speaks_the_browsers_language(locked: Service, language: str, said: str) -> None:
    headers = {"Accept-Language": language}
    assert f'<html lang="{language}">' in locked.http.get("/login", headers=headers).text
    assert said in locked.http.post("/login", data={"password": "no"}, headers=headers).text


def test_a_browser_logs_in_and_out(locked: Service) -> None:
    http = locked.http
    assert "password" in http.get("/login").text
    wrong = http.post("/login", data={"password": "<script>"})
    assert wrong.status_code == 401
    assert "<script>" not in wrong.text
    right = http.post("/login", data={"password": PASSWORD})
    assert (right.status_code, right.headers["location"]) == (303, "./")
    assert {"HttpOnly", "SameSite=lax"} <= set(right.headers["set-cookie"].split("; "))
    token = locked.create()
    with locked.events(token) as frames:
        locked.draft(token, 1, "Hello")
        until(frames, "segments")
    http.get("/logout")
    assert refusal(http.get("/metrics")) == (401, "login_required")


def with_cookie(service: Service, cookie: str) -> int:
    headers = httpx.Headers([(b"cookie", f"{login.COOKIE}={cookie}".encode("latin-1"))])
    return service.http.get("/metrics", headers=headers).status_code


def test_a_cookie_is_good_for_its_time_and_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(access=Access(password=PASSWORD)) as first:
        cookie = first.http.post("/login", data={"password": PASSWORD}).cookies[login.COOKIE]
    with serving(access=Access(password=PASSWORD)) as restarted:
        assert with_cookie(restarted, cookie) == 200
        until, _, signature = cookie.partition(".")
        for bad in (f"{int(until) + 1}.{signature}", "", ".", f"{until}.", "x.y", "\x80.\x80"):
            assert with_cookie(restarted, bad) == 401
    with serving(access=Access(password="another")) as changed:
        assert with_cookie(changed, cookie) == 401
    monkeypatch.setattr(login, "DAYS_S", -1)
    with serving(access=Access(password=PASSWORD)) as later:
        later.http.post("/login", data={"password": PASSWORD})
        assert later.http.get("/metrics").status_code == 401


def test_passwords_cannot_be_guessed_one_after_another(locked: Service) -> None:
    tries = [locked.http.post("/login", data={"password": str(n)}).status_code for n in range(20)]
    assert tries[0] == 401
    assert tries[-1] == 429
    assert refusal(locked.http.get("/metrics", auth=("x", PASSWORD))) == (429, "too_many_requests")


def test_a_form_is_short(locked: Service) -> None:
    body = "password=" + "x" * 10_000
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert refusal(locked.http.post("/login", content=body, headers=form)) == (413, "body_too_large")
