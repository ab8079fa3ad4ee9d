"""Behind a router a token begins with what the request that created it was placed by."""

import httpx
import pytest

from livemind_app.engine.scripted import ScriptedEngine
from livemind_app.serving.app import create_api
from livemind_app.session.manager import SessionManager, place_of


async def created(place_header: str | None, **headers: str) -> str:
    engine = ScriptedEngine()
    manager = SessionManager(engine)
    app = create_api(manager, place_header=place_header)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        token: str = (await http.post("/api/sessions", json={}, headers=headers)).json()["session"]
        assert (await http.delete(f"/api/sessions/{token}")).status_code == 204
    await manager.close()
    engine.close()
    return token


async def test_a_token_begins_with_the_place_and_goes_on_with_a_secret() -> None:
    token = await created("X-Request-ID", **{"X-Request-ID": "4f2a-1"})
    assert place_of(token) == "4f2a-1"
    assert len(token) == len("4f2a-1~") + 22  # 128 bits
    assert token != await created("X-Request-ID", **{"X-Request-ID": "4f2a-1"})


@pytest.mark.parametrize("place", ["", "a/b", "a~b", "x" * 65, "a b"])
async def test_what_cannot_stand_in_a_path_is_no_place(place: str) -> None:
    assert place_of(await created("X-Request-ID", **{"X-Request-ID": place})) == ""


async def test_without_a_router_no_header_is_looked_at() -> None:
    assert place_of(await created(None, **{"X-Request-ID": "4f2a"})) == ""
