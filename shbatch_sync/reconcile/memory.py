"""The ledger as a run read it last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shbatch_sync.ledger import Ledger
from shbatch_sync.ledger_line import Entry


@dataclass(frozen=True, slots=True)
class Memory:
    """The ledger as it was read last.

    Attributes:
        lines: What was read.
        account: Whose lines were picked.
        ledger: What they say.
    """

    lines: Sequence[Entry]
    account: str | None
    ledger: Ledger
