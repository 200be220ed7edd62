"""The operations of Batch Processing V2, without HTTP."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from shbatch_sync.emulator import lifecycle, records
from shbatch_sync.emulator.checks import check_body, check_update
from shbatch_sync.emulator.clock import Anchors
from shbatch_sync.emulator.delivery import errand_of
from shbatch_sync.emulator.echo import echo
from shbatch_sync.emulator.lifecycle import SECOND, IllegalActionError, State, Status, Timing
from shbatch_sync.emulator.price import estimate
from shbatch_sync.emulator.progress import catch_up, is_behind, note_files
from shbatch_sync.emulator.refusal import Refusal, bad_payload, not_found
from shbatch_sync.emulator.store import (
    Store,
    begin_service,
    load_anchors,
    load_balance,
    load_signing_key,
    save_anchors,
    stamp,
)
from shbatch_sync.emulator.wire import dump, head_of, request_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from shbatch_sync.emulator.options import Options
    from shbatch_sync.emulator.records import Record

Action: TypeAlias = "Callable[[State, int, Timing], State]"

ACTIONS: Mapping[str, Action] = {
    "analyse": lifecycle.analyse,
    "start": lifecycle.start,
    "stop": lifecycle.stop,
}
"""What may be posted to a request."""


@dataclass(frozen=True, slots=True)
class Page:
    """Tasks as JSON text, and whether more follow."""

    tasks: list[str]
    more: bool


class BatchService:
    """The service on one database. Every method may be called by several threads at once."""

    def __init__(self, store: Store, options: Options, time_source: Callable[[], float]) -> None:
        self.options = options
        self.store = store
        self.real_time = time_source
        self._timing = options.timing()
        real = time_source()
        epoch = real if options.epoch is None else options.epoch
        with store.write() as db:
            begin_service(db, Anchors(real, round(epoch * SECOND), options.speed or 1.0))
            anchors = load_anchors(db)
            if options.speed is not None and options.speed != anchors.speed:
                save_anchors(db, anchors.at_speed(options.speed, real))
            self.signing_key = load_signing_key(db)

    def now(self, db: sqlite3.Connection) -> int:
        """Return the service's instant, in microseconds."""
        return load_anchors(db).now(self.real_time())

    def date(self) -> int:
        """Return the service's instant for an answer's `Date`."""
        with self.store.read() as db:
            return self.now(db)

    def create(self, account: str, body: Any) -> str:
        """Create a request and return its task.

        Raises:
            Refusal: The body breaks the rules, or the account lacks processing units.
        """
        record, head = self.draft(account, body)
        with self.store.write() as db:
            return records.task(db, self.add(db, record, head))

    def draft(self, account: str, body: Any) -> tuple[Record, str]:
        """Check a body and return the request it will be, with its echo, masked; nothing is stored yet.

        Raises:
            Refusal: The body breaks the rules.
        """
        violations = check_body(body, self.options.grids)
        if violations:
            raise bad_payload(violations)
        price = self.options.pu_per_job
        price = estimate(body, self.options.grids) if price is None else price
        description = body.get("description")
        record = records.Record(
            n=0,
            id=str(uuid.uuid4()),
            account=account,
            created=0,
            description=None if description is None else dump(description),
            state=State(updated=0, price=price),
            errand=errand_of(body),
        )
        return record, head_of(echo(body))

    def add(self, db: sqlite3.Connection, record: Record, head: str) -> Record:
        """Store a drafted request; its instant is stamped inside the transaction.

        Raises:
            Refusal: The account lacks processing units.
        """
        now = self.now(db)
        catch_up(db, now, self.options)
        if load_balance(db, record.account, self.options.pu_balance) < self.options.pu_minimum:
            message = (
                f"Insufficient processing units, at least {self.options.pu_minimum:g} are needed."
            )
            raise Refusal(403, message)
        return records.insert(db, record, head, stamp(db, now))

    def page(self, account: str, sort: str | None, *, offset: int, count: int) -> Page:
        """Return a part of the account's list; `offset` counts in the order of this moment."""
        with self._looking() as db:
            lag = round(self.options.lag * SECOND)
            tasks = records.page(
                db,
                account,
                sort or self.options.order,
                offset=offset,
                limit=count + 1,
                before=self.now(db) - lag if lag else None,
            )
        return Page(tasks[:count], len(tasks) > count)

    def task(self, account: str, request_id: str) -> str:
        """Return one task.

        Raises:
            Refusal: There is none of this id, yet.
        """
        with self._looking() as db:
            return records.task(db, self._find(db, account, request_id))

    def update(self, account: str, request_id: str, body: Any) -> str | None:
        """Change the description and return what the options say an update answers with.

        Raises:
            Refusal: There is no such request, the body breaks the rules, or it is not the time for it.
        """
        with self.store.write() as db:
            catch_up(db, self.now(db), self.options)
            record = self._find(db, account, request_id)
            violations = check_update(body)
            if violations:
                raise bad_payload(violations)
            self._refuse_update(record)
            if "description" in body:
                self.describe(db, record, body["description"])
            record = self._find(db, account, request_id)
            return self._update_answer(db, record)

    def _update_answer(self, db: sqlite3.Connection, record: Record) -> str | None:
        if self.options.put_body == "none":
            return None
        if self.options.put_body == "task":
            return records.task(db, record)
        return request_text(records.head_of(db, record), record.description)

    def act(self, account: str, request_id: str, action: Action) -> None:
        """Take in an analyse, a start or a stop.

        Raises:
            Refusal: There is no such request, or it is not possible in its state.
        """
        with self.store.write() as db:
            now = self.now(db)
            catch_up(db, now, self.options)
            record = self._find(db, account, request_id)
            try:
                state = action(record.state, now, self._timing)
            except IllegalActionError as error:
                raise Refusal(400, str(error)) from None
            self.move(db, record, state)

    def _looking(self) -> AbstractContextManager[sqlite3.Connection]:
        # Looking must not change what is seen, so what has become due is written first, in its own transaction.
        with self.store.read() as db:
            behind = is_behind(db, self.now(db), self.options)
        if behind:
            with self.store.write() as db:
                catch_up(db, self.now(db), self.options)
        return self.store.read()

    def _find(self, db: sqlite3.Connection, account: str, request_id: str) -> Record:
        record = records.find(db, request_id)
        if record is None or record.account != account:
            raise not_found()
        lag = round(self.options.get_lag * SECOND)
        if lag and record.created + lag > self.now(db):
            raise not_found()
        return record

    def _refuse_update(self, record: Record) -> None:
        state = record.state
        busy = not lifecycle.can_update(state)
        analysing = state.status == Status.ANALYSING and not self.options.put_in_analysing
        if busy or analysing:
            raise Refusal(409, f"Task with status {state.status} cannot be updated")

    @staticmethod
    def describe(db: sqlite3.Connection, record: Record, text: str | None) -> None:
        """Write a description, as a text or none."""
        records.save_description(db, record, None if text is None else dump(text))

    @staticmethod
    def move(db: sqlite3.Connection, record: Record, state: State) -> None:
        """Write a state, and the files of a request that came to rest with it."""
        records.save_state(db, record, state)
        note_files(db, record, state)
