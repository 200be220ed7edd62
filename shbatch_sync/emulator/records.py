"""Requests as rows: read, write, list."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shbatch_sync.emulator.delivery import Errand, Files
from shbatch_sync.emulator.lifecycle import State
from shbatch_sync.emulator.wire import tail_of, task_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_STATE = ("status", "action", "action_at", "updated", "due", "since", "share", "price", "cost")
_STATE_COLUMNS = (*_STATE, "reason", "error")
_ASSIGNMENTS = ", ".join(f"{column} = ?" for column in _STATE_COLUMNS)
_INSERT = f"""
    INSERT INTO request (id, account, created, description, tail, {", ".join(_STATE_COLUMNS)},
      place, outputs, overwrite, skip, evalscript_fault)
    VALUES ({", ".join("?" * 21)})"""  # noqa: S608 - our own column names
_ORDERS = {
    "id": "id",
    "created": "created",
    "created:asc": "created",
    "created:desc": "created DESC",
    "status": "status, id",
    "status:asc": "status, id",
    "status:desc": "status DESC, id DESC",
}
SORTS = frozenset(_ORDERS) - {"id"}
"""What `sort` of a list may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A request as it is stored, without its echo.

    Attributes:
        n: Row number.
        id: UUID.
        account: Whose it is.
        created: Instant in microseconds.
        description: JSON text, or None.
        state: Where it stands.
        errand: What it delivers.
    """

    n: int
    id: str
    account: str
    created: int
    description: str | None
    state: State
    errand: Errand


def _record(row: sqlite3.Row) -> Record:
    return Record(
        n=row["n"],
        id=row["id"],
        account=row["account"],
        created=row["created"],
        description=row["description"],
        state=State(**{column: row[column] for column in _STATE_COLUMNS}),
        errand=Errand(
            row["place"],
            tuple(json.loads(row["outputs"])),
            bool(row["overwrite"]),
            bool(row["skip"]),
            row["evalscript_fault"],
        ),
    )


def _state_values(state: State) -> list[object]:
    return [getattr(state, column) for column in _STATE_COLUMNS]


def insert(db: sqlite3.Connection, draft: Record, head: str, created: int) -> Record:
    """Add a request that was created at an instant; the database gives its row number."""
    errand = draft.errand
    record = replace(draft, created=created, state=replace(draft.state, updated=created))
    tail = tail_of(record.state, record.account, record.created)
    values = [record.id, record.account, record.created, record.description, tail]
    outputs = json.dumps(errand.outputs)
    rest = [errand.place, outputs, errand.overwrite, errand.skip, errand.evalscript_fault]
    added = db.execute(_INSERT, [*values, *_state_values(record.state), *rest])
    db.execute("INSERT INTO echo VALUES (?, ?)", (added.lastrowid, head))
    return replace(record, n=added.lastrowid or 0)


def find(db: sqlite3.Connection, request_id: str) -> Record | None:
    """Return a request of whatever account."""
    row = db.execute("SELECT * FROM request WHERE id = ?", (request_id,)).fetchone()
    return None if row is None else _record(row)


def save_state(db: sqlite3.Connection, record: Record, state: State) -> None:
    """Write where a request stands now."""
    tail = tail_of(state, record.account, record.created)
    db.execute(
        f"UPDATE request SET tail = ?, {_ASSIGNMENTS} WHERE n = ?",  # noqa: S608 - our own column names
        [tail, *_state_values(state), record.n],
    )


def save_description(db: sqlite3.Connection, record: Record, description: str | None) -> None:
    """Write the description, JSON text."""
    db.execute("UPDATE request SET description = ? WHERE n = ?", (description, record.n))


def delete(db: sqlite3.Connection, record: Record) -> None:
    """Forget a request."""
    db.execute("DELETE FROM echo WHERE n = ?", (record.n,))
    db.execute("DELETE FROM request WHERE n = ?", (record.n,))


def head_of(db: sqlite3.Connection, record: Record) -> str:
    """Return the stored echo of a request."""
    (head,) = db.execute("SELECT head FROM echo WHERE n = ?", (record.n,)).fetchone()
    return str(head)


def due(db: sqlite3.Connection, now: int) -> list[Record]:
    """Return the requests whose next step is due, the longest waiting first."""
    query = "SELECT * FROM request WHERE due <= ? ORDER BY due, n"
    return [_record(row) for row in db.execute(query, (now,))]


def anything_due(db: sqlite3.Connection, now: int) -> bool:
    """Tell whether a step of any request is due."""
    row = db.execute("SELECT 1 FROM request WHERE due <= ? LIMIT 1", (now,)).fetchone()
    return row is not None


def at_rest_since(db: sqlite3.Connection, before: int) -> list[Record]:
    """Return the requests that have been at rest since before an instant."""
    query = "SELECT * FROM request WHERE due IS NULL AND updated < ?"
    return [_record(row) for row in db.execute(query, (before,))]


def page(
    db: sqlite3.Connection, account: str, sort: str, *, offset: int, limit: int, before: int | None
) -> list[str]:
    """Return tasks as JSON text; those created after `before` are not seen."""
    seen = "" if before is None else "AND created <= :before"
    # The inner query walks a covering index, so that a high offset does not read the rows it skips.
    query = f"""
        SELECT request.id, head, description, tail FROM (
          SELECT n FROM request WHERE account = :account {seen}
          ORDER BY {_ORDERS[sort]} LIMIT :limit OFFSET :offset
        ) JOIN request USING (n) JOIN echo USING (n)"""  # noqa: S608 - of a closed list
    values = {"account": account, "before": before, "limit": limit, "offset": offset}
    return [task_text(*row) for row in db.execute(query, values)]


def task(db: sqlite3.Connection, record: Record) -> str:
    """Return one task as JSON text."""
    tail = tail_of(record.state, record.account, record.created)
    return task_text(record.id, head_of(db, record), record.description, tail)


def files_at(db: sqlite3.Connection, place: str | None) -> Files | None:
    """Return what finished requests have delivered to a place."""
    row = db.execute("SELECT outputs, share FROM place WHERE name = ?", (place,)).fetchone()
    return None if row is None else Files(frozenset(json.loads(row[0])), row[1])


def save_files(db: sqlite3.Connection, place: str, outputs: Sequence[str], share: float) -> None:
    """Remember what lies at a place."""
    values = (place, json.dumps(sorted(outputs)), share)
    db.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?)", values)
