"""A stand-in for Sentinel Hub Batch Processing V2: the sandbox target, and the service that tests talk to.

Shares no code with the client that it answers, so that a common mistake cannot hide.
"""

from __future__ import annotations

from shbatch_sync.emulator.emulator import Emulator
from shbatch_sync.emulator.faults import (
    Answer,
    Call,
    Cut,
    Delay,
    Fault,
    Faults,
    FaultScript,
    Html,
    Lost,
    LostConnectionError,
    Status,
)
from shbatch_sync.emulator.options import DEFAULT_ACCOUNT, Options
from shbatch_sync.emulator.store import UnusableDatabaseError

__all__ = [
    "DEFAULT_ACCOUNT",
    "Answer",
    "Call",
    "Cut",
    "Delay",
    "Emulator",
    "Fault",
    "FaultScript",
    "Faults",
    "Html",
    "Lost",
    "LostConnectionError",
    "Options",
    "Status",
    "UnusableDatabaseError",
]
