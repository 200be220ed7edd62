"""`history` as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from shbatch_sync.ledger import Entry, dump
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
)


def history_csv(entries: Sequence[Entry]) -> str:
    """Return one row an event, oldest first, below a row with the names of the columns."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        members = json.loads(dump(entry))
        writer.writerow([_cell(members.get(column)) for column in COLUMNS])
    return stream.getvalue().rstrip("\n")


def _cell(value: Any) -> Any:
    """Return a value that no spreadsheet takes for a formula; a ledger is a file that anybody may have edited."""
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
