"""The run history: what it keeps, for whom, and that a bad database stops nobody."""

import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql

from livemind_app.errors import ConfigError
from livemind_app.serving import history as module
from livemind_app.serving.access import Access
from livemind_app.serving.history import History, open_history
from tests.serving.conftest import Service, refusal, serving, until

SECRET = "The password of Anna is xylophone. What is it?"
ELSEWHERE = {"X-Forwarded-For": "203.0.113.1"}


def ask(service: Service, text: str, **options: Any) -> dict[str, Any]:
    """Metrics of the lanes as their events tell them."""
    token = service.create(**options)
    with service.events(token) as frames:
        service.submit(token, 1, text)
        seen = until(frames, "turn", done=True)
    kept: History = service.server.config.app.state.history  # type: ignore[union-attr]
    kept.flush()
    return {f.data["lane"]: f.data["metrics"] for f in seen if f.event == "lane" and f.data["metrics"]}


def test_a_row_for_each_lane_with_the_figures_of_the_page_and_no_text(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "history.sqlite"
    with serving(history=History(str(file))) as service:
        metrics = ask(service, SECRET)
        ask(service, "Hello there.", lanes=["slm"])
        newest, *rows = service.http.get("/api/history").json()["runs"]
    assert (newest["lane"], newest["question_chars"]) == ("slm", 12)
    assert {row["lane"] for row in rows} == set(metrics)
    for row in rows:
        expected = {**metrics[row["lane"]], "question_chars": len(SECRET), "status": "done", "turn": 1}
        assert expected.items() <= row.items()
        assert row["chat"] != newest["chat"]
    assert "xylophone" not in file.read_bytes().decode(errors="replace")
    with sqlite3.connect(file) as connection:
        assert connection.execute("select count(*) from livemind_runs").fetchone() == (4,)
    connection.close()


def test_a_lane_that_is_answered_anew_is_one_more_row(tmp_path: Path) -> None:
    with serving(history=History(str(tmp_path / "h.sqlite"))) as service:
        token = service.create()
        with service.events(token) as frames:
            service.submit(token, 1, "Hello there.")
            until(frames, "turn", done=True)
            assert service.http.post(f"/api/sessions/{token}/retry", json={"lane": "slm"}).status_code == 202
            until(frames, "turn", done=True)
        kept: History = service.server.config.app.state.history  # type: ignore[union-attr]
        kept.flush()
        rows = service.http.get("/api/history").json()["runs"]
    assert [row["lane"] for row in rows] == ["slm", "slm", "conventional", "live"]


def test_it_goes_on_after_a_restart_and_is_read_page_by_page(tmp_path: Path) -> None:
    for _ in range(2):
        with serving(history=History(str(tmp_path / "h.sqlite"))) as service:
            ask(service, "Hello there.")
            ask(service, "And again?")
            rows = service.http.get("/api/history", params={"limit": 1000}).json()["runs"]
            pages, before = [], None
            while page := service.http.get(
                "/api/history", params={"limit": 2} | ({"before": before} if before else {})
            ).json()["runs"]:
                pages += page
                before = page[-1]["id"]
            assert pages == rows
    assert len(rows) == 12


def test_every_figure_has_a_column_of_its_kind() -> None:
    """SQLite takes what it is given; other databases refuse a word where a number belongs."""
    kinds = {name: module.runs.c[name].type.python_type for name in ("ttft", "kv_bytes", "compression")}
    assert kinds == {"ttft": float, "kv_bytes": int, "compression": str}
    assert isinstance(module.runs.c.kv_bytes.type, sql.BigInteger)  # a large model's are more than 2 GB


def test_one_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """Its rows stay, without what was not measured then."""
    file = tmp_path / "history.sqlite"
    with serving(history=History(str(file))) as service:
        ask(service, "Hello there.", lanes=["slm"])
    with closing(sqlite3.connect(file)) as database:
        for column in ("kv_bytes", "compression"):
            database.execute(f"ALTER TABLE livemind_runs DROP COLUMN {column}")
        database.commit()
    with serving(history=History(str(file))) as service:
        ask(service, "Hello again.", lanes=["slm"])
        newest, oldest = service.http.get("/api/history").json()["runs"]
    assert newest["kv_bytes"] is not None
    assert oldest["kv_bytes"] is None
    assert oldest["status"] == "done"


def test_texts_are_kept_and_shown_only_where_the_operator_wants_it(tmp_path: Path) -> None:
    kept = History(str(tmp_path / "h.sqlite"), texts=True)
    with serving(history=kept, access=Access(password="p")) as service:
        service.http.headers["Authorization"] = "Bearer p"
        ask(service, "=1+1 is what?", lanes=["live"])
        (row,) = service.http.get("/api/history", headers=ELSEWHERE).json()["runs"]
        assert (row["question"], row["answer_chars"]) == ("=1+1 is what?", len(row["answer"]))
        table = service.http.get("/api/history/export")
        assert "attachment" in table.headers["content-disposition"]
        (line,) = csv.DictReader(io.StringIO(table.text))
        assert line["question"] == "'=1+1 is what?"  # no formula
        jsonl = service.http.get("/api/history/export", params={"format": "jsonl"}).text
        assert [json.loads(each) for each in jsonl.splitlines()] == [row]


def test_strangers_do_not_read_it(tmp_path: Path) -> None:
    with serving(history=History(str(tmp_path / "h.sqlite"))) as service:
        assert service.http.get("/api/history").status_code == 200
        for path in ("/api/history", "/api/history/export"):
            assert refusal(service.http.get(path, headers=ELSEWHERE)) == (403, "forbidden")
    with serving(history=History(str(tmp_path / "t.sqlite"), texts=True)) as service:
        assert refusal(service.http.get("/api/history")) == (403, "forbidden")
    with serving() as service:
        assert refusal(service.http.get("/api/history")) == (404, "not_found")


def test_the_oldest_rows_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 4)
    monkeypatch.setattr(module, "PRUNED", 2)
    with serving(history=History(str(tmp_path / "h.sqlite"))) as service:
        for _ in range(4):
            ask(service, "Hello there.", lanes=["live", "slm"])
        rows = service.http.get("/api/history").json()["runs"]
    assert [row["id"] for row in rows] == [8, 7, 6, 5]


def test_a_database_that_fails_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "h.sqlite"
    with serving(history=History(str(file))) as service:
        ask(service, "Hello there.")
        with sqlite3.connect(file) as connection:
            connection.execute("drop table livemind_runs")
        connection.close()
        assert ask(service, SECRET)
        assert "could not be kept" in caplog.text
        assert "xylophone" not in caplog.text


@pytest.mark.parametrize("where", ["/proc/nowhere/h.sqlite", "nosuch://x", "postgresql://user:secret@h/d"])
def test_what_cannot_be_opened_is_told_by_the_option(where: str) -> None:
    with pytest.raises(ConfigError, match="--history") as refused:
        History(where)
    assert "secret" not in str(refused.value)


def test_the_usual_place_may_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert open_history("off", texts=False) is None
    monkeypatch.setattr(module, "user_data_dir", lambda *_, **__: "/proc/nowhere")
    assert open_history(None, texts=False) is None
    monkeypatch.setattr(module, "user_data_dir", lambda *_, **__: str(tmp_path))
    kept = open_history(None, texts=False)
    assert kept
    kept.close()
    assert (tmp_path / "history.sqlite").is_file()


def test_what_a_slow_database_cannot_take_is_dropped_counted_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PENDING", 1)
    file = tmp_path / "h.sqlite"

    def dropped(service: Service) -> float:
        found = re.search(r"^livemind_history_dropped_total (.+)$", service.http.get("/metrics").text, re.M)
        assert found
        return float(found[1])

    with serving(history=History(str(file))) as service:
        assert dropped(service) == 0
        token = service.create(mode="off", lanes=["slm"])
        with (
            closing(sqlite3.connect(file, isolation_level=None)) as connection,
            service.events(token) as frames,
        ):
            connection.execute("begin exclusive")  # the writer waits for it
            for number in (1, 2, 3):
                service.submit(token, number, SECRET)
                until(frames, "turn", done=True)
            assert dropped(service) == 2
            connection.execute("rollback")
        told = [record for record in caplog.records if "dropped" in record.message]
        assert len(told) == 1
        kept: History = service.server.config.app.state.history  # type: ignore[union-attr]
        kept.flush()
        ask(service, "Hello there.", lanes=["slm"])
        assert [run["question_chars"] for run in service.http.get("/api/history").json()["runs"]] == [
            12,
            len(SECRET),
        ]
