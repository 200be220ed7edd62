"""SQLite files that anybody may have written: opened to be read, and for nothing else.

No trigger, view, function or extension of theirs runs, nothing is written, not even a journal beside them, and no
query works longer than an honest file makes it (SQLite documentation, Defense Against The Dark Arts).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from shbatch_sync.errors import SettingsError

MAX_VALUE_BYTES = 64 * 1024 * 1024
_STEPS_A_CALL = 50_000
_CALLS = 4_000
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ})
_PRAGMAS = ("query_only=ON", "trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0")
_TOO_LONG = "interrupted"


@contextmanager
def opened(path: Path, *, calls: int = _CALLS) -> Iterator[sqlite3.Connection]:
    """Open a database for plain reads; only one that nobody writes to meanwhile.

    Args:
        path: The file.
        calls: How many times 50,000 steps of SQLite's machine one opening may take, about a second a thousand.

    Raises:
        SettingsError: It cannot be read, there or within the block.
    """
    # SQLite's own words for a missing file say little.
    if not path.is_file():
        message = f"{path} is not there"
        raise SettingsError(message)
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            _restrict(connection, calls)
            yield connection
    except (sqlite3.Error, OSError, ValueError, OverflowError, MemoryError) as error:
        text = "it takes too long to read" if str(error) == _TOO_LONG else error
        message = f"{path.name} is no GeoPackage that can be read: {text}"
        raise SettingsError(message) from error


def _restrict(connection: sqlite3.Connection, calls: int) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    for limit, most in (
        (sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES),
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
        (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0),
    ):
        connection.setlimit(limit, most)
    connection.set_authorizer(_authorise)
    left = calls

    def stop() -> int:
        nonlocal left
        left -= 1
        return left < 0

    connection.set_progress_handler(stop, _STEPS_A_CALL)


def _authorise(
    action: int, subject: str | None, _: str | None, __: str | None, inner: str | None
) -> int:
    """Let tables be read by our own statements, not by those that a view or a trigger brings."""
    table_info = action == sqlite3.SQLITE_PRAGMA and subject == "table_info"
    if inner is None and (action in _ALLOWED or table_info):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def rows(
    connection: sqlite3.Connection, statement: str, most_bytes: int
) -> Iterator[Sequence[Any]]:
    """Yield the rows of a query, one at a time.

    Args:
        connection: To a database.
        statement: The query.
        most_bytes: What texts and blobs may add up to: an honest file holds none twice.

    Raises:
        ValueError: They add up to more.
    """
    seen = 0
    for row in connection.execute(statement):
        for value in row:
            if isinstance(value, (bytes, str)):
                seen += len(value)
        if seen > most_bytes:
            message = "it holds more than its size"
            raise ValueError(message)
        yield row
