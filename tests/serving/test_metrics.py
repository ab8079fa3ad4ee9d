"""What Prometheus reads: the figures of the page, and nothing that was typed."""

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.serving.conftest import Service, serving, until

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
