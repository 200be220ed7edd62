"""What a test or an operator may do behind the API's back: the hand of fate, and of other people."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shbatch_sync.emulator import records
from shbatch_sync.emulator.clock import instant
from shbatch_sync.emulator.lifecycle import State, Status, StopReason
from shbatch_sync.emulator.options import DEFAULT_ACCOUNT
from shbatch_sync.emulator.progress import catch_up
from shbatch_sync.emulator.store import load_anchors, load_balance, save_anchors, save_balance

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from shbatch_sync.emulator.records import Record
    from shbatch_sync.emulator.service import BatchService


class Backstage:
    """Direct access to a running service, past the API's rules but through the same transactions.

    Methods that take a request id raise `KeyError` for one that does not exist.
    """

    def __init__(self, service: BatchService) -> None:
        self._service = service

    def now(self) -> datetime:
        """Return the service's instant."""
        return instant(self._service.date())

    def advance(self, seconds: float) -> None:
        """Move the service's clock forward, for every process."""
        with self._service.store.write() as db:
            save_anchors(db, load_anchors(db).moved(seconds))
            catch_up(db, self._service.now(db), self._service.options)

    def create(self, body: dict[str, Any], account: str = DEFAULT_ACCOUNT) -> str:
        """Create a request and return its id; the body is checked as always."""
        (request_id,) = self.seed([body], account)
        return request_id

    def seed(self, bodies: Iterable[dict[str, Any]], account: str = DEFAULT_ACCOUNT) -> list[str]:
        """Create many requests in one transaction and return their ids."""
        with self._service.store.write() as db:
            drafts = (self._service.draft(account, body) for body in bodies)
            return [self._service.add(db, record, head).id for record, head in drafts]

    def task(self, request_id: str) -> dict[str, Any]:
        """Return a task as its owner would get it."""
        with self._service.store.write() as db:
            task: dict[str, Any] = json.loads(records.task(db, self._record(db, request_id)))
        return task

    def tasks(self, account: str = DEFAULT_ACCOUNT) -> list[dict[str, Any]]:
        """Return all tasks of an account, oldest first, lag or no lag."""
        with self._service.store.write() as db:
            catch_up(db, self._service.now(db), self._service.options)
            page = records.page(db, account, "created", offset=0, limit=-1, before=None)
        return [json.loads(text) for text in page]

    def stop(self, request_id: str, reason: str = StopReason.OUT_OF_PU) -> None:
        """Let the service stop a request by itself."""
        self._set(
            request_id, lambda state: replace(state, status=Status.STOPPED, reason=str(reason))
        )

    def fail(self, request_id: str, error: str = "Request processing failed") -> None:
        """Let a request fail."""
        self._set(
            request_id,
            lambda state: replace(state, status=Status.FAILED, error=error, reason=None),
        )

    def force(self, request_id: str, **members: Any) -> None:
        """Set members of `lifecycle.State` as they are given, even ones that the service never has."""
        self._set(request_id, lambda state: replace(state, **members))

    def describe(self, request_id: str, text: str | None) -> None:
        """Edit a description as a person could on the dashboard, in whatever state."""
        with self._service.store.write() as db:
            self._service.describe(db, self._record(db, request_id), text)

    def forget(self, request_id: str) -> None:
        """Delete a request, as retention does."""
        with self._service.store.write() as db:
            records.delete(db, self._record(db, request_id))

    def balance(self, account: str = DEFAULT_ACCOUNT) -> float:
        """Return the processing units of an account."""
        with self._service.store.write() as db:
            catch_up(db, self._service.now(db), self._service.options)
            return load_balance(db, account, self._service.options.pu_balance)

    def set_balance(self, units: float, account: str = DEFAULT_ACCOUNT) -> None:
        """Set the processing units of an account, after charging what was due."""
        with self._service.store.write() as db:
            catch_up(db, self._service.now(db), self._service.options)
            save_balance(db, account, units)

    def _record(self, db: sqlite3.Connection, request_id: str) -> Record:
        catch_up(db, self._service.now(db), self._service.options)
        record = records.find(db, request_id)
        if record is None:
            raise KeyError(request_id)
        return record

    def _set(self, request_id: str, change: Callable[[State], State]) -> None:
        with self._service.store.write() as db:
            record = self._record(db, request_id)
            now = self._service.now(db)
            rested = replace(record.state, due=None, since=None, updated=now)
            self._service.move(db, record, change(rested))
