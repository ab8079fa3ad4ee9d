"""Whose request it is, behind proxies: what a client says of itself opens nothing."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from livemind_app.serving.access import Access
from livemind_app.serving.addresses import Proxies
from livemind_app.serving.history import History
from livemind_app.session.buckets import Rate
from livemind_app.session.limits import Limits
from tests.serving.conftest import Service, refusal, serving

FORWARDED = "X-Forwarded-For"
ONE, OTHER = "203.0.113.1", "203.0.113.2"


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(str(tmp_path / "h.sqlite"))


@pytest.fixture(params=[None, 1, 2, ("127.0.0.0/8", "10.0.0.0/8")], ids=str)
def proxied(request: pytest.FixtureRequest, history: History) -> Iterator[Service]:
    with serving(access=Access(proxies=request.param), history=history) as service:
        yield service


@pytest.mark.parametrize(
    "headers",
    [
        {FORWARDED: "127.0.0.1"},
        {FORWARDED: "127.0.0.1, 127.0.0.1"},
        {FORWARDED: f"127.0.0.1, {ONE}"},
        {FORWARDED: f"{ONE}, ::1"},
        {FORWARDED: ""},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"X-Forwarded-Proto": "https"},
        {"Via": "1.1 proxy"},
        {"Host": "livemind.example"},
    ],
    ids=str,
)
def test_who_comes_through_a_proxy_is_not_at_this_machine(proxied: Service, headers: dict[str, str]) -> None:
    assert refusal(proxied.http.get("/api/history", headers=headers)) == (403, "forbidden")


@pytest.mark.parametrize(
    ("proxies", "status"), [(None, 200), ((), 200), (("10.0.0.0/8",), 200), (1, 403), (2, 403)], ids=str
)
def test_this_machine_has_a_user_where_not_all_come_through_proxies(
    history: History, proxies: Proxies | None, status: int
) -> None:
    with serving(access=Access(proxies=proxies), history=history) as service:
        assert service.http.get("/api/history").status_code == status
        local = {"Host": f"localhost:{service.http.base_url.port}"}
        assert service.http.get("/api/history", headers=local).status_code == status


@pytest.mark.parametrize("proxies", [None, 1, ("10.0.0.0/8",)], ids=str)
def test_a_space_has_no_user_on_its_own_machine(
    history: History, proxies: Proxies | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", "ada/livemind")
    with serving(access=Access(proxies=proxies), history=history) as service:
        for headers in ({}, {FORWARDED: "127.0.0.1"}):
            assert service.http.get("/api/history", headers=headers).status_code == 403


def counted_for(service: Service, *hops: str) -> httpx.Response:
    """Begin a session in the name of these; one a hop is allowed."""
    headers = [("x-forwarded-for", hop) for hop in hops]
    return service.http.post("/api/sessions", json={}, headers=headers)


@pytest.mark.parametrize(
    ("proxies", "lists"),
    [
        (None, ([ONE], [f"{OTHER}, {ONE}"], [OTHER, ONE], [f"127.0.0.1, {ONE}:8080"])),
        (1, ([ONE], [f"{OTHER}, {ONE}"], [OTHER, ONE], [f"127.0.0.1,{ONE}"])),
        (2, ([f"{ONE}, 10.0.0.1"], [f"{OTHER}, {ONE}, 10.0.0.2"], [OTHER, ONE, "10.0.0.2"], [ONE])),
        (("127.0.0.1", "10.0.0.0/8"), ([f"{ONE}, 10.0.0.1"], [OTHER, f"{ONE}, 10.0.0.1, 10.9.9.9"], [ONE])),
        (("10.0.0.0/8",), ([ONE], [OTHER], ["10.0.0.1"], [])),  # we are none of these: not a word is believed
        ((), ([ONE], [OTHER], ["10.0.0.1"])),
    ],
    ids=str,
)
def test_what_a_client_writes_before_its_address_does_not_make_it_another(
    proxies: Proxies | None, lists: tuple[list[str], ...]
) -> None:
    with serving(Limits(new_sessions=Rate(per_s=0.001, burst=1)), access=Access(proxies=proxies)) as service:
        first, *rest = [counted_for(service, *hops) for hops in lists if hops]
        assert first.status_code == 201
        assert {refusal(answer) for answer in rest} == {(429, "too_many_requests")}


@pytest.mark.parametrize("proxies", [None, 1, ("127.0.0.1",)], ids=str)
def test_clients_of_a_proxy_are_told_apart(proxies: Proxies | None) -> None:
    with serving(Limits(new_sessions=Rate(per_s=0.001, burst=1)), access=Access(proxies=proxies)) as service:
        for address in (ONE, OTHER, "2001:db8::1", "unknown", "[2001:db8:1::1]:80"):
            assert counted_for(service, address).status_code == 201
            assert counted_for(service, address).status_code == 429
