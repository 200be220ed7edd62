"""The requests in SQLite: one file that several processes share, or a memory of one's own.

Whatever changes is written in an immediate transaction, so two processes never decide on the same old state. No
secret reaches these functions: they are given echoes, which are masked already.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shbatch_sync.emulator.clock import Anchors

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION = 1
_PATIENCE = 60.0
_SCHEMA = """
CREATE TABLE service (
  one INTEGER PRIMARY KEY CHECK (one = 1), real REAL NOT NULL, service INTEGER NOT NULL, speed REAL NOT NULL,
  last_created INTEGER NOT NULL, signing_key TEXT NOT NULL
) STRICT;
CREATE TABLE account (id TEXT PRIMARY KEY, balance REAL NOT NULL) STRICT;
CREATE TABLE place (name TEXT PRIMARY KEY, outputs TEXT NOT NULL, share REAL NOT NULL) STRICT;
CREATE TABLE echo (n INTEGER PRIMARY KEY, head TEXT NOT NULL) STRICT;
CREATE TABLE request (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, created INTEGER NOT NULL,
  description TEXT, tail TEXT NOT NULL,
  status TEXT NOT NULL, action TEXT NOT NULL, action_at INTEGER, updated INTEGER NOT NULL, due INTEGER,
  since INTEGER, share REAL NOT NULL, price REAL NOT NULL, cost REAL NOT NULL, reason TEXT, error TEXT,
  place TEXT, outputs TEXT NOT NULL, overwrite INTEGER NOT NULL, skip INTEGER NOT NULL, evalscript_fault TEXT
) STRICT;
CREATE INDEX request_by_id ON request (account, id, created);
CREATE INDEX request_by_created ON request (account, created);
CREATE INDEX request_by_status ON request (account, status, id, created);
CREATE INDEX request_by_due ON request (due, n) WHERE due IS NOT NULL;
CREATE INDEX request_at_rest ON request (updated) WHERE due IS NULL;
"""


class UnusableDatabaseError(Exception):
    """The file is no database of an emulator of this version, or cannot be opened."""


class Store:
    """One connection, and the lock that lets threads take turns on it."""

    def __init__(self, path: str | Path, *, patience: float = _PATIENCE) -> None:
        """Open or create the database; `patience` is how many seconds to wait for other processes.

        Raises:
            UnusableDatabaseError: It cannot be used.
        """
        self._lock = threading.RLock()
        in_memory = str(path) == ":memory:"
        try:
            if not in_memory:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=patience, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            message = f"{path}: cannot be opened: {error}"
            raise UnusableDatabaseError(message) from error
        self._db.row_factory = sqlite3.Row
        try:
            if not in_memory:
                self._write_ahead(patience)
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._db.close()
            message = f"{path}: cannot be used: {error}"
            raise UnusableDatabaseError(message) from error
        except UnusableDatabaseError:
            self._db.close()
            raise

    def _prepare(self) -> None:
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA cache_size = -65536")
        with self.write() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._create(db)
            elif version != _VERSION:
                message = f"the database is of version {version}, this emulator needs {_VERSION}"
                raise UnusableDatabaseError(message)

    def _write_ahead(self, patience: float) -> None:
        # Two processes that open a new file at once may meet here, and SQLite does not wait for this one change.
        deadline = time.monotonic() + patience
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if time.monotonic() >= deadline:
                    raise
                threading.Event().wait(0.01)
            else:
                return

    @staticmethod
    def _create(db: sqlite3.Connection) -> None:
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables:
            message = "the database belongs to another program"
            raise UnusableDatabaseError(message)
        for statement in _SCHEMA.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {_VERSION}")

    def close(self) -> None:
        """Close the connection; later calls fail."""
        with self._lock:
            self._db.close()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """See one consistent state; nothing may be written."""
        with self._transaction("BEGIN") as db:
            yield db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """See and change the state while nobody else changes it; an exception undoes everything."""
        with self._transaction("BEGIN IMMEDIATE") as db:
            yield db

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute(begin)
            try:
                yield self._db
                self._db.commit()
            except BaseException:
                self._db.rollback()
                raise


def begin_service(db: sqlite3.Connection, anchors: Anchors) -> None:
    """Write the clock of a new service; an existing one is left alone."""
    db.execute(
        "INSERT OR IGNORE INTO service VALUES (1, ?, ?, ?, 0, ?)",
        (anchors.real, anchors.service, anchors.speed, secrets.token_hex(32)),
    )


def load_anchors(db: sqlite3.Connection) -> Anchors:
    """Return the clock's anchors."""
    return Anchors(*db.execute("SELECT real, service, speed FROM service").fetchone())


def save_anchors(db: sqlite3.Connection, anchors: Anchors) -> None:
    """Change the clock for every process."""
    db.execute(
        "UPDATE service SET real = ?, service = ?, speed = ?",
        (anchors.real, anchors.service, anchors.speed),
    )


def load_signing_key(db: sqlite3.Connection) -> bytes:
    """Return what access tokens are signed with; of no use but here."""
    (key,) = db.execute("SELECT signing_key FROM service").fetchone()
    return bytes.fromhex(key)


def stamp(db: sqlite3.Connection, now: int) -> int:
    """Return the instant of a new request: now, and later than that of every other."""
    (last,) = db.execute("SELECT last_created FROM service").fetchone()
    created = max(now, int(last) + 1)
    db.execute("UPDATE service SET last_created = ?", (created,))
    return created


def load_balance(db: sqlite3.Connection, account: str, initial: float) -> float:
    """Return the processing units of an account."""
    row = db.execute("SELECT balance FROM account WHERE id = ?", (account,)).fetchone()
    return initial if row is None else float(row[0])


def save_balance(db: sqlite3.Connection, account: str, balance: float) -> None:
    """Set the processing units of an account."""
    db.execute("INSERT OR REPLACE INTO account VALUES (?, ?)", (account, balance))
