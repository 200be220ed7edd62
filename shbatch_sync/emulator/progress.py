"""What happens by itself, written down before anybody is answered."""

from __future__ import annotations

from dataclasses import replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from shbatch_sync.emulator import records
from shbatch_sync.emulator.delivery import survey
from shbatch_sync.emulator.lifecycle import SECOND, State, Status, Survey, advance
from shbatch_sync.emulator.store import load_balance, save_balance

if TYPE_CHECKING:
    import sqlite3

    from shbatch_sync.emulator.options import Options
    from shbatch_sync.emulator.records import Record


def is_behind(db: sqlite3.Connection, now: int, options: Options) -> bool:
    """Tell whether `catch_up` has anything to do."""
    if records.anything_due(db, now):
        return True
    limit = _forget_before(now, options)
    return limit is not None and bool(records.at_rest_since(db, limit))


def catch_up(db: sqlite3.Connection, now: int, options: Options) -> None:
    """Take every step that is due by `now`, in the order of their instants, inside a write transaction."""
    waiting = [(record.state.due or 0, record.n, record) for record in records.due(db, now)]
    while waiting:
        _, n, record = heappop(waiting)
        state = _step(db, record, options)
        if state.due is not None and state.due <= now:
            heappush(waiting, (state.due, n, replace(record, state=state)))
        else:
            records.save_state(db, record, state)
            note_files(db, record, state)
    limit = _forget_before(now, options)
    if limit is not None:
        for record in records.at_rest_since(db, limit):
            records.delete(db, record)


def _forget_before(now: int, options: Options) -> int | None:
    keep = options.retention_seconds
    return None if keep is None else now - round(keep * SECOND)


def _step(db: sqlite3.Connection, record: Record, options: Options) -> State:
    found = Survey()
    if record.state.status == Status.ANALYSING:
        found = survey(record.errand, records.files_at(db, record.errand.place))
    balance = load_balance(db, record.account, options.pu_balance)
    state = advance(record.state, options.timing(), survey=found, balance=balance)
    if state.cost != record.state.cost:
        save_balance(db, record.account, balance - (state.cost - record.state.cost))
    return state


def note_files(db: sqlite3.Connection, record: Record, state: State) -> None:
    """Remember the files of a request that came to rest."""
    place = record.errand.place
    if place is None or state.due is not None or state.share <= 0:
        return
    there = records.files_at(db, place)
    outputs = set(record.errand.outputs) | (there.outputs if there else set())
    share = max(state.share, there.share if there else 0.0)
    records.save_files(db, place, sorted(outputs), share)
