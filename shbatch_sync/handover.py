"""Handing over: a request that is at work is stopped only where the one that replaces it may be started.

While the old request is at work, the start of the new one is a wait, which no gate and no queue looks at. So such a
wait is shown to them as the start that it stands for. Where that is held back, or has to wait for other jobs as well,
so is the stop: else what has been paid for would be lost for a start that a limit forbids.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from shbatch_sync.job import DeclaredState
from shbatch_sync.plan import Action, Change, Reason


def heirs(changes: Iterable[Change]) -> frozenset[str]:
    """Return the jobs whose start waits for nothing but an older request of theirs."""
    return frozenset(change.job for change in changes if _waits(change))


def as_starts(changes: Iterable[Change]) -> list[Change]:
    """Return the changes with such waits as the starts that they stand for."""
    return [
        replace(change, action=Action.START) if _waits(change) else change for change in changes
    ]


def handed_over(changes: Iterable[Change], waiting: Collection[str]) -> list[Change]:
    """Turn what gates and queue let through back into waits, and hold back the stops for what they did not.

    Args:
        changes: After gates and queue.
        waiting: The `heirs` among their jobs.
    """
    judged = list(changes)
    verdicts = {
        change.job: change for change in judged if change.job in waiting and _verdict(change)
    }
    return [_handed_over(change, verdicts.get(change.job)) for change in judged]


def _waits(change: Change) -> bool:
    declared = change.declared
    meant = declared is not None and declared.state is DeclaredState.STARTED
    return meant and change.action is Action.WAIT and change.reason is Reason.OLD_ACTIVE


def _verdict(change: Change) -> bool:
    queued = {Reason.OLD_ACTIVE, Reason.DEPENDS_ON, Reason.MAX_RUNNING}
    return change.action in {Action.START, Action.WAIT} and change.reason in queued


def _handed_over(change: Change, verdict: Change | None) -> Change:
    if verdict is None:
        return change
    if change is verdict:
        free = change.action is Action.START and change.withheld is None
        return replace(change, action=Action.WAIT) if free else change
    if change.action is not Action.STOP or change.reason is not Reason.SUPERSEDED:
        return change
    if verdict.withheld is not None:
        return replace(change, withheld=verdict.withheld)
    # A place is what the stop makes; other jobs it does not bring on.
    if verdict.reason is Reason.DEPENDS_ON:
        return replace(change, action=Action.WAIT, reason=Reason.DEPENDS_ON, detail=verdict.detail)
    return change
