"""How an apply goes about its work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How an apply goes about it.

    Attributes:
        wait: Go on until nothing can progress without a person.
        timeout: Seconds after which it ends whatever is left; None for no end.
        poll: Seconds between two lists while waiting.
        settle: Seconds an unsealed request is left alone before it is judged: at least the lag of the list.
        parallelism: Calls at once.
        fail_fast: Stop at the first job that fails.
        must_have_ledger: Refuse to create where no ledger was begun, and where the list knows more than it.
    """

    wait: bool = False
    timeout: float | None = None
    poll: float = 30.0
    settle: float = 120.0
    parallelism: int = 4
    fail_fast: bool = False
    must_have_ledger: bool = True
