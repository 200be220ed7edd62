"""`history` as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from shbatch_sync.ledger_line import Entry, Event, dump
from shbatch_sync.past import Past
from shbatch_sync.render.escape import one_line

COLUMNS = (
    "at",
    "event",
    "target",
    "account",
    "project",
    "job",
    "generation",
    "try",
    "requestId",
    "status",
    "costPU",
    "digest",
    "nonce",
    "commit",
    "seconds",
    "estimatedPU",
    "ratio",
)


def history_csv(entries: Sequence[Entry], rows: Sequence[Past]) -> str:
    """Return one row an event, oldest first, below a row with the names of the columns.

    Args:
        entries: The ledger's lines.
        rows: What they add up to; how long a request took, and its estimate, stand where it ended.
    """
    requests = {row.request_id: row for row in rows if row.request_id is not None}
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        members = {
            **json.loads(dump(entry)),
            **_comparison(entry, requests.get(entry.request_id or "")),
        }
        writer.writerow([_cell(members.get(column)) for column in COLUMNS])
    return stream.getvalue().rstrip("\n")


def _comparison(entry: Entry, row: Past | None) -> dict[str, Any]:
    if entry.event is not Event.FINAL or row is None:
        return {}
    return {
        "seconds": None if row.took is None else round(row.took.total_seconds()),
        "estimatedPU": row.estimate.pu if row.estimate is not None else None,
        "ratio": None if row.ratio is None else round(row.ratio, 4),
    }


def _cell(value: Any) -> Any:
    """Return a value that no spreadsheet takes for a formula; a ledger is a file that anybody may have edited."""
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
