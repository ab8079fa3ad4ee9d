"""What every route answers when nothing is wrong."""

from dataclasses import asdict

import pytest

from livemind_app import __version__
from livemind_app.session.lanes import LANES
from livemind_app.session.options import Options
from tests.serving.conftest import Service, refusal, serving, until

TEXT = "The train left at nine. Where is it "


def test_health_names_models_version_and_sessions(service: Service, token: str) -> None:
    body = service.http.get("/api/health").json()
    assert body["status"] == "ready"
    assert body["version"] == __version__
    assert body["sessions"] >= 1
    model = {"role": "llm", "name": "scripted", "state": "ready", "progress": None, "detail": ""}
    assert body["models"][0] == model


def test_a_session_begins_with_the_default_options(service: Service) -> None:
    response = service.http.post("/api/sessions", json={})
    assert response.status_code == 201
    assert response.json()["options"] == Options().to_dict()
    assert len(response.json()["session"]) >= 22  # 128 bits
    assert response.headers["cache-control"] == "no-store"


def test_a_session_begins_with_given_options(service: Service) -> None:
    body = {"options": {"mode": "off", "lanes": ["slm"], "temperature": 1, "seed": 7}}
    options = service.http.post("/api/sessions", json=body).json()["options"]
    assert options == asdict(Options()) | {"mode": "off", "lanes": ["slm"], "temperature": 1, "seed": 7}


def test_options_change(service: Service, token: str) -> None:
    response = service.http.patch(
        f"/api/sessions/{token}/options", json={"granularity": "word", "top_p": 0.5}
    )
    assert response.status_code == 200
    assert response.json()["options"]["granularity"] == "word"
    assert response.json()["options"]["top_p"] == 0.5


def test_a_draft_is_answered_with_segments_that_join_to_it(service: Service, token: str) -> None:
    response = service.draft(token, 1, TEXT)
    assert response.status_code == 202
    body = response.json()
    assert body["revision"] == 1
    assert "".join(segment["text"] for segment in body["segments"]) == TEXT
    assert [set(segment) for segment in body["segments"]] == [{"text", "finished"}] * len(body["segments"])


def test_any_characters_survive(service: Service, token: str) -> None:
    text = "日本語。 تجربة 👩‍👩‍👧 \u0085 \u2028 \t\r\n end"
    with service.events(token) as frames:
        segments = service.draft(token, 1, text).json()["segments"]
        seen = until(frames, "segments", revision=1)[-1].data["segments"]
    assert "".join(segment["text"] for segment in segments) == text
    assert seen == segments


def test_submit_runs_the_lanes_of_the_options(service: Service, token: str) -> None:
    response = service.submit(token, 1, TEXT)
    assert response.status_code == 202
    assert response.json() == {"turn": 1, "lanes": list(Options().lanes)}


@pytest.mark.parametrize("lane", LANES)
def test_submit_runs_the_lanes_it_names(service: Service, token: str, lane: str) -> None:
    with service.events(token) as frames:
        assert service.submit(token, 1, TEXT, lanes=[lane]).json() == {"turn": 1, "lanes": [lane]}
        seen = until(frames, "turn", done=True)
    ended = ("done", "interrupted")  # by the sessions of other tests
    done = [frame.data for frame in seen if frame.event == "lane" and frame.data["status"] in ended]
    assert [(data["lane"], data["metrics"]["tokens"] > 0) for data in done] == [(lane, True)]
    answer = "".join(frame.data["delta"] for frame in seen if frame.event == "answer")
    assert "answers after" in answer


def test_a_submit_may_repeat_the_newest_revision(service: Service, token: str) -> None:
    service.draft(token, 5, TEXT)
    assert service.submit(token, 5, TEXT).status_code == 202


def test_stop_ends_the_running_answer(service: Service, token: str) -> None:
    service.gate.open.clear()
    with service.events(token) as frames:
        service.submit(token, 1, TEXT, lanes=["live"])
        until(frames, "lane", status="running")
        response = service.http.post(f"/api/sessions/{token}/stop")
        service.gate.open.set()
        until(frames, "lane", status="stopped")
    assert (response.status_code, response.json()) == (202, {})


def test_a_lane_is_answered_anew(service: Service, token: str) -> None:
    with service.events(token) as frames:
        service.submit(token, 1, TEXT)
        until(frames, "turn", done=True)
        response = service.http.post(f"/api/sessions/{token}/retry", json={"lane": "slm"})
        assert (response.status_code, response.json()) == (202, {})
        told = until(frames, "turn", done=True)
    lanes = [
        (frame.event, frame.data["lane"]) for frame in told if frame.event in ("retry", "answer", "lane")
    ]
    assert lanes[0] == ("retry", "slm")
    assert {lane for _, lane in lanes} == {"slm"}
    refused = service.http.post(f"/api/sessions/{token}/retry", json={"lane": "exact"})
    assert refusal(refused) == (422, "invalid_option")


def test_stop_and_clear_take_an_empty_object(service: Service, token: str) -> None:
    assert service.http.post(f"/api/sessions/{token}/stop", json={}).status_code == 202
    assert service.http.post(f"/api/sessions/{token}/clear", json={}).status_code == 200


def test_clear_begins_a_new_chat(service: Service, token: str) -> None:
    with service.events(token) as frames:
        service.submit(token, 1, TEXT, lanes=["live"])
        until(frames, "turn", done=True)
        response = service.http.post(f"/api/sessions/{token}/clear")
        state = until(frames, "state")[-1].data
    assert (response.status_code, response.json()) == (200, {})
    assert state["turns"] == []
    assert state["options"]["mode"] == "off"
    assert service.submit(token, 2, TEXT).json()["turn"] == 1


def test_delete_ends_the_session_and_its_stream(service: Service) -> None:
    token = service.create(mode="off")
    with service.events(token) as frames:
        response = service.http.delete(f"/api/sessions/{token}")
        list(frames)  # ends
    assert (response.status_code, response.content) == (204, b"")
    assert refusal(service.http.delete(f"/api/sessions/{token}")) == (404, "unknown_session")


def test_health_says_loading_and_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    from livemind_app.protocol import ModelStatus

    with serving() as service:
        for states, expected in ((("ready", "fetching"), "loading"), (("failed", "ready"), "failed")):
            models = [
                ModelStatus(role, "m", state) for role, state in zip(("llm", "slm"), states, strict=True)
            ]
            monkeypatch.setattr(service.manager.engine, "status", lambda models=models: models)
            assert service.http.get("/api/health").json()["status"] == expected
            assert service.http.get("/api/ready").status_code == 503


def test_ready_is_for_load_balancers(service: Service) -> None:
    assert service.http.get("/api/ready").status_code == 200


def test_openapi_documents_every_route_and_refusal(service: Service) -> None:
    document = service.http.get("/openapi.json").json()
    operations = {(method, path): op for path, ops in document["paths"].items() for method, op in ops.items()}
    assert set(operations) == {
        ("get", "/api/health"),
        ("get", "/api/options"),
        ("get", "/api/ready"),
        ("post", "/api/sessions"),
        ("patch", "/api/sessions/{token}/options"),
        ("put", "/api/sessions/{token}/draft"),
        ("post", "/api/sessions/{token}/submit"),
        ("post", "/api/sessions/{token}/stop"),
        ("post", "/api/sessions/{token}/retry"),
        ("post", "/api/sessions/{token}/clear"),
        ("delete", "/api/sessions/{token}"),
        ("get", "/api/sessions/{token}/events"),
        ("get", "/api/history"),
        ("get", "/api/history/export"),
    }
    assert all(operation["summary"] for operation in operations.values())
    draft = operations["put", "/api/sessions/{token}/draft"]["responses"]
    assert set(draft) == {"202", "401", "403", "404", "409", "413", "422", "429"}
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert service.http.get("/docs").status_code == 200


def test_options_are_described_as_they_are_checked(service: Service) -> None:
    token = service.create()
    offered = service.http.get("/api/options").json()["options"]
    held = service.http.patch(f"/api/sessions/{token}/options", json={}).json()["options"]
    assert {name: one["default"] for name, one in offered.items()} == held
    for name, one in offered.items():
        for value in one.get("choices", [one["low"], one["high"]] if "low" in one else [True, False]):
            given = [value] if one["kind"] == "several" else value
            given = int(given) if one["kind"] == "integer" else given
            response = service.http.patch(f"/api/sessions/{token}/options", json={name: given})
            assert response.status_code == 200, (name, given)
        if "high" in one:
            response = service.http.patch(f"/api/sessions/{token}/options", json={name: one["high"] + 1})
            assert response.status_code == 422, name


def test_a_chat_of_a_client_is_gone_on_with(service: Service, token: str) -> None:
    turns = [{"prompt": "Two and two?", "answer": "Four."}]
    response = service.http.post(f"/api/sessions/{token}/clear", json={"turns": turns})
    assert response.status_code == 200
    state = service.manager.get(token).state
    assert [(turn.prompt, turn.answer, turn.restored) for turn in state.turns] == [
        ("Two and two?", "Four.", True)
    ]
    refused = service.http.post(f"/api/sessions/{token}/clear", json={"turns": [{"prompt": "Two"}]})
    assert refused.status_code == 422
    assert "Two" not in refused.text
