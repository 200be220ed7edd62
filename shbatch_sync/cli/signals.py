"""Signals that end a run after the call in flight."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shbatch_sync.reconcile.interrupt import Interrupt


_TOLD = b"\nending after the calls in flight; Ctrl-C again ends at once\n"


@contextmanager
def ending_gently(interrupt: Interrupt) -> Iterator[None]:
    """Let Ctrl-C, a kill and a closed terminal end the run after the call in flight; a second Ctrl-C ends it at once."""

    def ask(number: int, _: object) -> None:
        if interrupt.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        heard = interrupt.requested
        interrupt.set()
        if not heard:
            # Straight to the descriptor: what a signal interrupts may be in the middle of writing to the stream. It may
            # be closed as well, which is no reason not to end gently.
            with suppress(OSError, ValueError, AttributeError):
                os.write(sys.stderr.fileno(), _TOLD)

    numbers = [
        getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
    ]
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
