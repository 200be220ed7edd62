"""`x-allow`: members of the API that this version's schema does not know yet, let through by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shbatch_sync.pointer import to_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shbatch_sync.faults import SchemaFault
    from shbatch_sync.pointer import Steps

_NEW = frozenset({"unknown-key", "unknown-value"})
# The rest of the body is read by these two.
_STRUCTURE = (("request", "input", "type"), ("request", "output", "type"))


def allowed_through(faults: Sequence[SchemaFault], data: Any) -> list[SchemaFault]:
    """Return the `faults` that the manifest's own `x-allow` does not let through.

    Only what is new can be let through: a key or a value that the schema does not know. An allowed pointer covers
    what it names and everything below; `*` stands for any one step.
    """
    allowed = data.get("x-allow") if isinstance(data, dict) else None
    patterns = (
        [to_steps(item) for item in allowed if isinstance(item, str)]
        if isinstance(allowed, list)
        else []
    )
    return [fault for fault in faults if not _lets_through(patterns, fault)]


def is_new(fault: SchemaFault) -> bool:
    """Return whether `fault` is about something new in the request: a key or a value that the schema does not know."""
    return fault.code in _NEW and fault.steps[:1] == ("request",) and fault.steps not in _STRUCTURE


def _lets_through(patterns: Sequence[Steps], fault: SchemaFault) -> bool:
    return is_new(fault) and any(_covers(pattern, fault.steps) for pattern in patterns)


def _covers(pattern: Steps, steps: Steps) -> bool:
    return len(pattern) <= len(steps) and all(
        wanted in ("*", str(step)) for wanted, step in zip(pattern, steps, strict=False)
    )
