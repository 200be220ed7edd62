"""Signals that end a run after the call in flight."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shbatch_sync.reconcile.interrupt import Interrupt


@contextmanager
def ending_gently(interrupt: Interrupt) -> Iterator[None]:
    """Let Ctrl-C, a kill and a closed terminal end the run after the call in flight; a second Ctrl-C ends it at once."""

    def ask(number: int, _: object) -> None:
        if interrupt.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        interrupt.set()

    numbers = [
        getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
    ]
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
