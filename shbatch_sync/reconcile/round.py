"""One look at an account, and what was decided over it."""

from __future__ import annotations

from dataclasses import dataclass

from shbatch_sync.inventory import Inventory
from shbatch_sync.ledger import Ledger
from shbatch_sync.plan import Plan


@dataclass(frozen=True, slots=True)
class Round:
    """One list, and what was decided over it.

    Attributes:
        begun: When the list was begun, by the monotonic clock.
        inventory: What it showed of us.
        ledger: What was remembered at the time.
        plan: What to do.
    """

    begun: float
    inventory: Inventory
    ledger: Ledger
    plan: Plan
