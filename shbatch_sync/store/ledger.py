"""The ledger as a file: JSON lines, appended under a lock and on the disk before the next costly step."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from shbatch_sync.errors import LedgerError
from shbatch_sync.ledger_line import TORN, Entry, Unread, dump, parse

LOCK_TIMEOUT = 30.0
# Bytes; no line comes near it.
LONGEST_LINE = 1 << 16
_FEW = 5


class LedgerStore(Protocol):
    """Where ledger lines are kept."""

    @property
    def place(self) -> str:
        """Name the place, for people."""
        ...

    @property
    def lost(self) -> Sequence[str]:
        """Name what the last read could not use and what may tell of money spent; empty if there is nothing."""
        ...

    def exists(self) -> bool:
        """Say whether the ledger has been begun."""
        ...

    def begin(self) -> None:
        """Make an empty ledger where there is none; raises LedgerError."""
        ...

    def read(self) -> Sequence[Entry]:
        """Return all lines; raises LedgerError."""
        ...

    def append(self, *entries: Entry) -> None:
        """Write lines down for good before returning; raises LedgerError."""
        ...

    def close(self) -> None:
        """Let go of whatever is held open."""
        ...


def unread(ledger: LedgerStore) -> str | None:
    """Say what of a ledger cannot be read, so that nothing is changed while it may tell of money spent; None if all can."""
    lost = ledger.lost
    if not lost:
        return None
    few = ", ".join(lost[:_FEW]) + (f" and {len(lost) - _FEW} more" if len(lost) > _FEW else "")
    return (
        f"ledger {ledger.place}: {few} cannot be read, and nothing is changed while it may tell of what was paid for: "
        "mend it, or take it out if it tells of nothing; a newer shbatch-sync may know it"
    )


class LedgerFile:
    """A ledger in a file of this machine.

    Attributes:
        path: The file.
        unreadable: The lines that the last read could not use.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unreadable: tuple[Unread, ...] = ()
        self._mutex = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._entries: tuple[Entry, ...] = ()

    @property
    def place(self) -> str:
        """The file's path."""
        return str(self.path)

    @property
    def lost(self) -> Sequence[str]:
        """Lines that cannot be read and are neither torn nor left of a merge."""
        return [str(line) for line in self.unreadable if not line.harmless]

    def exists(self) -> bool:
        """Say whether the file is there."""
        return self.path.exists()

    def begin(self) -> None:
        """Make an empty ledger, and its folder; an existing one is left as it is.

        Raises:
            LedgerError: It cannot be made.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not self.path.exists():
                self.path.touch()
        except OSError as error:
            raise self._error(error, "begun") from error

    def read(self) -> Sequence[Entry]:
        """Return all lines; a file that has not changed is not read again.

        Raises:
            LedgerError: It is there and cannot be read.
        """
        try:
            status = self.path.stat()
            _refuse_device(status)
            stamp = (status.st_size, status.st_mtime_ns)
            if stamp != self._seen:
                entries, unreadable = parse(self.path.read_text(encoding="utf-8", errors="replace"))
                self._entries, self.unreadable, self._seen = (
                    tuple(entries),
                    tuple(unreadable),
                    stamp,
                )
        except FileNotFoundError:
            self._entries, self.unreadable, self._seen = (), (), None
        except OSError as error:
            raise self._error(error, "read") from error
        return self._entries

    def append(self, *entries: Entry) -> None:
        """Append lines and wait until the disk has them.

        A last line without an end (the machine died while it was written) is ended first, so that it spoils
        nothing but itself.

        Raises:
            LedgerError: The lines are not safely written.
        """
        from filelock import FileLock, Timeout  # noqa: PLC0415 - a plan never writes

        text = "".join(f"{dump(entry)}\n" for entry in entries)
        try:
            with (
                self._mutex,
                FileLock(f"{self.path}.lock", timeout=LOCK_TIMEOUT),
                self.path.open("rb+") as file,
            ):
                end = _ending(file)
                file.seek(0, os.SEEK_END)
                file.write(f"{end}{text}".encode())
                file.flush()
                os.fsync(file.fileno())
        except Timeout as error:
            message = f"ledger {self.path}: another process has held its lock for {LOCK_TIMEOUT:.0f} s; {LedgerError.ADVICE}"
            raise LedgerError(message) from error
        except OSError as error:
            raise self._error(error, "written") from error

    def close(self) -> None:
        """Do nothing: the file is open only while it is read or written."""

    def _error(self, error: OSError, verb: str) -> LedgerError:
        reason = error.strerror or str(error)
        return LedgerError(f"ledger {self.path}: cannot be {verb}: {reason}; {LedgerError.ADVICE}")


def _ending(file: BinaryIO) -> str:
    """Return what ends the last line, where the machine died before it was written to its end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LONGEST_LINE))
    last = file.read(min(size, LONGEST_LINE)).rpartition(b"\n")[2]
    if not last:
        return ""
    _, unread = parse(last.decode("utf-8", errors="replace"))
    return f"{TORN}\n" if unread else "\n"


def _refuse_device(status: os.stat_result) -> None:
    """A pipe or a device could be read for ever."""
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")


class MemoryLedger:
    """A ledger for one run, where the project does without (`ledger: none`)."""

    place = "none (kept in memory for this run)"
    lost: Sequence[str] = ()

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def exists(self) -> bool:
        """Doing without was asked for, so there is nothing to miss."""
        return True

    def begin(self) -> None:
        """Do nothing: there is nothing to begin."""

    def read(self) -> Sequence[Entry]:
        """Return the lines of this run."""
        return tuple(self._entries)

    def append(self, *entries: Entry) -> None:
        """Remember lines for this run."""
        self._entries.extend(entries)

    def close(self) -> None:
        """Do nothing: nothing is open."""
