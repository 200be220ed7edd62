"""What the service refuses when a request is created.

Written by hand from the public description of Batch Processing V2 and not from a schema: the published OpenAPI
rejects every body that people really send, and one schema shared with the client would hide a common mistake.
Keys that nobody documents pass, as nobody has recorded what the service does with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shbatch_sync.emulator.checks.process import check_process
from shbatch_sync.emulator.checks.shape import Node, kind_of
from shbatch_sync.emulator.checks.source import check_source
from shbatch_sync.emulator.checks.target import Context, check_target
from shbatch_sync.emulator.refusal import Violation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shbatch_sync.emulator.grids import Grid

__all__ = ["check_body", "check_update"]


def check_body(body: Any, grids: Sequence[Grid]) -> list[Violation]:
    """Return all that is wrong with the body of a create; nothing if it is accepted."""
    faults: list[Violation] = []
    root = Node(body, "", faults)
    if not isinstance(body, dict):
        return [Violation("", f"Request body must be an object, not {kind_of(body)}")]
    grid = check_source(root, grids)
    source = body.get("input")
    is_package = isinstance(source, dict) and source.get("type") == "geopackage"
    responses = check_process(root, bounds_required=not is_package)
    check_target(root, Context(responses, grid))
    root.text("description")
    root.choice("instanceType", {"normal", "large"})
    return faults


def check_update(body: Any) -> list[Violation]:
    """Return all that is wrong with the body of an update, of which only the description counts."""
    if not isinstance(body, dict):
        return [Violation("", f"Request body must be an object, not {kind_of(body)}")]
    faults: list[Violation] = []
    Node(body, "", faults).text("description")
    return faults
