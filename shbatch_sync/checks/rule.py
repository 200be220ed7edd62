"""A check as the catalogue has it, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shbatch_sync.pointer import Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One check.

    Attributes:
        code: Its stable name.
        severity: `error` or `warning`.
        reason: Why it is worth saying.
        source: Where the fact is published, or how it is known.
    """

    code: str
    severity: str
    reason: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found in a request body.

    Attributes:
        code: Of the rule.
        steps: The way to the value within the body; within the manifest where the local copy is checked.
        message: What is wrong and what to do.
    """

    code: str
    steps: Steps
    message: str
