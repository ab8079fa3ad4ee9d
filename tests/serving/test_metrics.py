"""What Prometheus reads: the figures of the page, and nothing that was typed."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.serving.conftest import WAIT_S, Service, refusal, serving, until

FAILED = {"code"}  # of failures, which there are none of here
SECRET = "The password of Anna is xylophone. What is it?"


@pytest.fixture
def fresh() -> Iterator[Service]:
    with serving() as service:
        yield service


def figures(service: Service) -> dict[tuple[str, ...], float]:
    response = service.http.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(response.text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_every_lane_is_counted_once_with_the_figures_of_its_events(fresh: Service) -> None:
    token = fresh.create()
    with fresh.events(token) as frames:
        fresh.draft(token, 1, SECRET)
        fresh.submit(token, 2, SECRET)
        seen = until(frames, "turn", done=True)
    found = figures(fresh)
    assert found["livemind_sessions",] == 1
    assert found["livemind_turns_total",] == 1
    last = {f.data["lane"]: f.data["metrics"] for f in seen if f.event == "lane" and f.data["metrics"]}
    assert set(last) == {"live", "conventional", "slm"}
    for lane, metrics in last.items():
        assert found["livemind_lanes_total", lane, "done"] == 1
        assert found["livemind_latency_seconds_count", lane] == 1
        assert found["livemind_latency_seconds_sum", lane] == pytest.approx(metrics["latency"])
        assert found["livemind_tokens_total", lane, "answer"] == metrics["tokens"]
        assert found.get(("livemind_reduction_count", lane), 0) == (lane != "conventional")


def test_nothing_that_was_typed_is_in_the_metrics(fresh: Service) -> None:
    token = fresh.create()
    with fresh.events(token) as frames:
        fresh.submit(token, 2, SECRET)
        until(frames, "turn", done=True)
    text = fresh.http.get("/metrics").text
    assert not any(word in text for word in ("xylophone", "Anna", token))


def test_requests_are_counted_by_their_route_and_not_by_their_path(fresh: Service) -> None:
    token = fresh.create()
    fresh.draft(token, 1, SECRET)
    fresh.draft(token, 1, SECRET)
    fresh.http.get(f"/somewhere/{token}")
    found = figures(fresh)
    route = "/api/sessions/{token}/draft"
    assert found["livemind_requests_total", "PUT", route, "202"] == 1
    assert found["livemind_requests_total", "PUT", route, "409"] == 1
    assert found["livemind_requests_total", "GET", "other", "404"] == 1
    assert found["livemind_request_seconds_count", "PUT", route] == 2


def test_what_waits_in_the_engine(fresh: Service) -> None:
    fresh.gate.open.clear()
    token = fresh.create()
    fresh.submit(token, 1, SECRET, lanes=["live"])
    deadline = time.monotonic() + WAIT_S
    while figures(fresh)["livemind_queue", "answer"] != 1:
        assert time.monotonic() < deadline
    assert figures(fresh)["livemind_answers",] == 1
    with fresh.events(token) as frames:
        fresh.gate.open.set()
        until(frames, "turn", done=True)
    found = figures(fresh)
    assert found["livemind_answers",] == found["livemind_queue", "answer"] == 0


def test_a_method_that_nobody_knows_makes_no_figures_of_its_own(fresh: Service) -> None:
    for method in ("PROPFIND", "REPORT", "LINK"):
        assert refusal(fresh.http.request(method, "/api/health"))[0] == 405
    methods = {key[1] for key in figures(fresh) if key[0] == "livemind_requests_total"}
    assert methods <= {"GET", "other"}


def test_every_panel_of_the_dashboard_asks_for_a_metric_that_there_is(fresh: Service) -> None:
    token = fresh.create()
    with fresh.events(token) as frames:
        fresh.draft(token, 1, SECRET)
        fresh.submit(token, 2, SECRET)
        until(frames, "turn", done=True)
    names = {key[0] for key in figures(fresh)} | {"livemind_failures_total"}  # has no sample before the first
    dashboard = json.loads(Path("deploy/grafana.json").read_text(encoding="utf-8"))
    asked = [target for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(asked) >= 15
    for target in asked:
        metrics = set(re.findall(r"\b(?:livemind|process)_\w+", target["expr"]))
        assert metrics
        assert metrics <= names, target["expr"]
        assert of_labels(target) <= labels(fresh, metrics), target["expr"]


def of_labels(target: dict[str, str]) -> set[str]:
    """The labels by which an expression sums, those that it names with a value, and those of its legend."""
    by = ",".join(re.findall(r"by \(([^)]*)\)", target["expr"])).split(",")
    valued = re.findall(r"(\w+=\"[^\"]*\")", target["expr"])
    legend = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
    return {label for each in (*by, *legend, *valued) if (label := each.strip())}


def labels(service: Service, metrics: set[str]) -> set[str]:
    """Those that the samples of these metrics have, alone and with their values."""
    families = text_string_to_metric_families(service.http.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples if sample.name in metrics]
    found = {label for sample in samples for label in sample.labels}
    return (
        found | {f'{name}="{value}"' for sample in samples for name, value in sample.labels.items()} | FAILED
    )
