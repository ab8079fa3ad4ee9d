"""What was asked and how long it took: one row for each lane of each turn, in SQLite or another database.

A question is its length; texts are kept only where the operator wants them. Rows are written on a thread of
their own: a slow disk holds up nobody, and rows beyond what it can keep up with are dropped and counted.
"""

import hashlib
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import sqlalchemy as sql
from platformdirs import user_data_dir
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from livemind_app.errors import ConfigError
from livemind_app.session.events import Metrics
from livemind_app.session.session import Session

KEPT = 100_000  # rows; the oldest go
PRUNED = 1000  # rows between two looks at that
PENDING = 1000  # rows that wait to be written
PAGE = 1000  # rows of an export that are read at once

log = logging.getLogger(__name__)


def _columns() -> Iterator[sql.Column[Any]]:
    """A lane's figures, as what they are: SQLite takes a word for a number, PostgreSQL does not."""
    for name, hint in get_type_hints(Metrics).items():
        of = {kind for kind in (hint, *get_args(hint)) if kind in (int, float)}
        yield sql.Column(name, sql.BigInteger if int in of else sql.Float if float in of else sql.String(16))


metadata = sql.MetaData()
runs = sql.Table(
    "livemind_runs",
    metadata,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("at", sql.String(32), nullable=False),  # when the turn had ended, UTC
    sql.Column("chat", sql.String(16), nullable=False),  # a hash: the same for all turns of a session
    sql.Column("turn", sql.Integer, nullable=False),
    sql.Column("lane", sql.String(32), nullable=False),
    sql.Column("status", sql.String(16), nullable=False),
    sql.Column("model", sql.String(200), nullable=False),
    sql.Column("mode", sql.String(16), nullable=False),
    sql.Column("format", sql.String(16), nullable=False),
    sql.Column("question_chars", sql.Integer, nullable=False),
    sql.Column("answer_chars", sql.Integer, nullable=False),
    *_columns(),
    sql.Column("question", sql.Text),
    sql.Column("answer", sql.Text),
)
COLUMNS = tuple(column.name for column in runs.columns)


class History:
    """`where` is a file or an SQLAlchemy URL. Raises ConfigError where it cannot be opened."""

    def __init__(self, where: str, *, texts: bool = False) -> None:
        self.texts = texts
        self.dropped = 0  # turns
        try:
            self._engine = sql.create_engine(_url(where))
            metadata.create_all(self._engine)
            _add_missing(self._engine)
        except (SQLAlchemyError, ArgumentError, ImportError, OSError) as error:
            raise ConfigError(
                f"the history cannot be opened ({type(error).__name__}); --history names a file, "
                "an SQLAlchemy URL whose driver is installed, or off"
            ) from error
        self._writer = ThreadPoolExecutor(1, "livemind-history")
        self._pending = threading.Semaphore(PENDING)
        self._pruned = 0

    def see(self, session: Session) -> None:
        """Called when the newest turn of a session has ended."""
        if not self._pending.acquire(blocking=False):
            if not self.dropped:
                log.warning("the history is too slow; turns are dropped from it and counted in /metrics")
            self.dropped += 1
            return
        self._writer.submit(self._write, self._rows(session))

    def read(self, limit: int, before: int | None = None) -> list[dict[str, Any]]:
        """The newest rows first, or those older than row `before`."""
        query = sql.select(runs).order_by(runs.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(runs.c.id < before)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def since(self, at: str, limit: int) -> list[dict[str, Any]]:
        """The newest rows since a time in ISO format and UTC, the newest first; all but what was said."""
        figures = [column for column in runs.columns if column.name not in ("question", "answer")]
        query = sql.select(*figures).where(runs.c.at >= at).order_by(runs.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def export(self) -> Iterator[dict[str, Any]]:
        """All rows, the newest first."""
        before = None
        while rows := self.read(PAGE, before):
            yield from rows
            before = rows[-1]["id"]

    def flush(self) -> None:
        """Return when all that was seen is written."""
        self._writer.submit(lambda: None).result()

    def close(self) -> None:
        self._writer.shutdown(wait=True)
        self._engine.dispose()

    def _rows(self, session: Session) -> list[dict[str, Any]]:
        turn, options = session.state.turn, session.options
        assert turn is not None
        common = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "chat": hashlib.sha256(f"history:{session.token}".encode()).hexdigest()[:16],
            "turn": turn.id,
            "mode": options.mode,
            "format": options.format,
            "question_chars": len(turn.prompt),
            "question": turn.prompt if self.texts else None,
        }
        return [
            {
                **common,
                "lane": name,
                "status": lane.status,
                "model": lane.models or "",
                "answer_chars": len(lane.text),
                "answer": lane.text if self.texts else None,
                **(asdict(lane.metrics) if lane.metrics else {field.name: None for field in fields(Metrics)}),
            }
            for name, lane in turn.lanes.items()
            if lane.attempt == turn.attempt  # the others were seen when they ended
        ]

    def _write(self, rows: list[dict[str, Any]]) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(runs.insert(), rows)
                self._pruned += len(rows)
                if self._pruned >= PRUNED:
                    self._pruned = 0
                    newest = connection.execute(sql.select(sql.func.max(runs.c.id))).scalar_one()
                    connection.execute(runs.delete().where(runs.c.id <= newest - KEPT))
        except SQLAlchemyError as error:
            log.warning("a run could not be kept (%s)", type(error).__name__)
        finally:
            self._pending.release()


def open_history(where: str | None, *, texts: bool) -> History | None:
    """None where there shall be none, or where the usual place cannot be written."""
    if where == "off":
        return None
    if where:
        return History(where, texts=texts)
    try:
        return History(str(Path(user_data_dir("livemind", appauthor=False)) / "history.sqlite"), texts=texts)
    except ConfigError as error:
        log.warning("%s", error)
        return None


def _add_missing(engine: sql.Engine) -> None:
    """Columns that a table of an earlier version lacks; its rows have nothing there."""
    known = {column["name"] for column in sql.inspect(engine).get_columns(runs.name)}
    with engine.begin() as connection:
        for column in runs.columns:
            if column.name not in known:
                kind = column.type.compile(engine.dialect)
                connection.execute(sql.text(f"ALTER TABLE {runs.name} ADD COLUMN {column.name} {kind}"))


def _url(where: str) -> sql.URL | str:
    if "://" in where:
        return where
    path = Path(where).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    return sql.URL.create("sqlite", database=str(path))
