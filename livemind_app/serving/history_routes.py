"""Reading the history: for whoever sits at this machine, or knows its password."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from livemind_app.serving.addresses import address_of
from livemind_app.serving.errors import NO_STORE
from livemind_app.serving.history import COLUMNS, History
from livemind_app.serving.history_page import history_page
from livemind_app.serving.history_words import WORDS
from livemind_app.serving.languages import language_of
from livemind_app.serving.models import ErrorBody, Runs

SHOWN = 10_000  # runs from which trends are made
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


def _history(request: Request) -> History:
    history: History | None = request.app.state.history
    if history is None:
        raise HTTPException(404, "No history is kept here; --history says where to keep one.")
    if not request.app.state.access.password and (history.texts or address_of(request.scope)):
        raise HTTPException(403, "The history is read on the server's own machine, or with a password.")
    return history


Kept = Annotated[History, Depends(_history)]
REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorBody, "description": "`login_required`"},
    403: {"model": ErrorBody, "description": "`forbidden`"},
    404: {"model": ErrorBody, "description": "`not_found`: none is kept"},
    422: {"model": ErrorBody, "description": "`invalid_request`"},
    429: {"model": ErrorBody, "description": "`too_many_requests`"},
}
KINDS = {"csv": "text/csv", "json": "application/json", "jsonl": "application/jsonl"}
router = APIRouter(prefix="/api/history", tags=["history"], responses=REFUSED)
page = APIRouter()


@router.get("", summary="What was asked and how long it took, the newest first")
def read(
    history: Kept,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(ge=0, le=2**53 - 1, description="Rows older than this one.")] = None,
) -> Runs:
    return Runs(runs=history.read(limit, before))


@router.get(
    "/export",
    summary="All of it, as a table, a JSON array, or a JSON object a line",
    response_class=StreamingResponse,
    responses={200: {"content": {kind: {} for kind in KINDS.values()}}},
)
def export(history: Kept, format: Literal["csv", "json", "jsonl"] = "csv") -> StreamingResponse:
    lines = {"csv": _csv, "json": _json, "jsonl": _jsonl}[format](history)
    name = {"Content-Disposition": f'attachment; filename="livemind-history.{format}"'}
    return StreamingResponse(lines, media_type=KINDS[format], headers={**NO_STORE, **name})


@page.get("/history", response_class=HTMLResponse, include_in_schema=False)
def show(request: Request, history: Kept, days: Literal["", "1", "7", "30"] = "7") -> HTMLResponse:
    """The page with trends."""
    at = (datetime.now(UTC) - timedelta(days=int(days))).isoformat() if days else ""
    rows = history.since(at, SHOWN + 1)
    words = WORDS[language_of(request)]
    said = history_page(rows[:SHOWN], days, words, limited=len(rows) > SHOWN)
    return HTMLResponse(said, headers=NO_STORE)


def _json(history: History) -> Iterator[str]:
    before = "["
    for row in history.export():
        yield before + json.dumps(row)
        before = ",\n"
    yield "[]\n" if before == "[" else "]\n"


def _jsonl(history: History) -> Iterator[str]:
    for row in history.export():
        yield json.dumps(row) + "\n"


def _csv(history: History) -> Iterator[str]:
    yield _line(COLUMNS)
    for row in history.export():
        yield _line(_harmless(row[name]) for name in COLUMNS)


def _line(values: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
