"""The emulator as one object."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from shbatch_sync.emulator.app import App
from shbatch_sync.emulator.backstage import Backstage
from shbatch_sync.emulator.options import Options
from shbatch_sync.emulator.service import BatchService
from shbatch_sync.emulator.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from shbatch_sync.emulator.faults import Faults

_DEFAULTS = Options()


class Emulator:
    """Sentinel Hub Batch Processing V2 on one's own machine.

    Emulators on the same database file, in one process or several, are one service.

    Attributes:
        app: The WSGI application; safe for several threads.
        service: What tests and operators may do behind the API's back.
    """

    def __init__(
        self,
        db: str | Path = ":memory:",
        options: Options = _DEFAULTS,
        *,
        faults: Faults | None = None,
        time_source: Callable[[], float] = time.time,
    ) -> None:
        """Open the database, or begin a new one.

        `time_source` gives the machine's Unix seconds; a test's own makes the service's time its own too.

        Raises:
            UnusableDatabaseError: The file is not a database of the emulator, or cannot be opened.
        """
        self._store = Store(db)
        service = BatchService(self._store, options, time_source)
        self.app = App(service, faults)
        self.service = Backstage(service)

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
