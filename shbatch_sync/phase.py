"""Where a request stands: the pair of its status and the last thing a user asked of it.

The status alone does not say. After a start it stays CREATED for a while; after a stop it stays PROCESSING; a
stopped request that was started again stays STOPPED. Sources: Batch V2 reference (states, user actions); a
recorded refusal, "Illegal to change userAction from START to STOP with task status CREATED".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from shbatch_sync.request import (
    BatchProcessRequest,
    BatchRequestStatus,
    BatchUserAction,
    StoppedStatusReason,
)


class Phase(StrEnum):
    """Where a request stands, as far as anybody has to decide on it."""

    CREATED = "created"
    ANALYSING = "analysing"
    ANALYSIS_DONE = "analysis done"
    STARTING = "starting"
    PROCESSING = "processing"
    STOPPING = "stopping"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


AT_REST = frozenset({Phase.CREATED, Phase.ANALYSIS_DONE, Phase.DONE, Phase.FAILED, Phase.STOPPED})
ACTIVE = frozenset({Phase.ANALYSING, Phase.STARTING, Phase.PROCESSING})
STARTED = frozenset({Phase.STARTING, Phase.PROCESSING})
BUSY = ACTIVE | {Phase.STOPPING, Phase.UNKNOWN}
# An unknown state may be one that costs money.
COUNTS_AS_RUNNING = STARTED | {Phase.STOPPING, Phase.UNKNOWN}
# Nothing has been charged yet, and nothing is about to be.
UNPAID = frozenset({Phase.CREATED, Phase.ANALYSING, Phase.ANALYSIS_DONE})
# An unknown state counts as started: it may be one that costs money.
COUNTS_AS_STARTED = STARTED | {
    Phase.STOPPING,
    Phase.DONE,
    Phase.FAILED,
    Phase.STOPPED,
    Phase.UNKNOWN,
}
# The description can be changed while a request is neither processed nor waiting to be; for FAILED nobody says so.
WRITABLE = frozenset({Phase.CREATED, Phase.ANALYSIS_DONE, Phase.DONE, Phase.STOPPED})

_STATUSES = {
    BatchRequestStatus.CREATED: Phase.CREATED,
    BatchRequestStatus.ANALYSING: Phase.ANALYSING,
    BatchRequestStatus.ANALYSIS_DONE: Phase.ANALYSIS_DONE,
    BatchRequestStatus.PROCESSING: Phase.PROCESSING,
    BatchRequestStatus.DONE: Phase.DONE,
    BatchRequestStatus.FAILED: Phase.FAILED,
    BatchRequestStatus.STOPPED: Phase.STOPPED,
}
_ENDED = frozenset({Phase.DONE, Phase.FAILED})
_SAME_MOMENT = timedelta(milliseconds=50)


def phase_of(request: BatchProcessRequest) -> Phase:
    """Return where a request stands; a status or action that we do not know is UNKNOWN."""
    phase = _STATUSES.get(request.status, Phase.UNKNOWN)
    action = request.user_action or BatchUserAction.NONE
    if phase is Phase.UNKNOWN or not action.is_known:
        return Phase.UNKNOWN
    if phase in _ENDED:
        return phase
    if phase is Phase.STOPPED:
        return Phase.STARTING if _resuming(request) else Phase.STOPPED
    if action is BatchUserAction.STOP:
        return Phase.STOPPING
    if action is BatchUserAction.START and phase in UNPAID:
        return Phase.STARTING
    if action is BatchUserAction.ANALYSE and phase is Phase.CREATED:
        return Phase.ANALYSING
    return phase


def _resuming(request: BatchProcessRequest) -> bool:
    """Say whether a STOPPED request was started again after it stopped.

    After a person's stop the last action is STOP, so a START is later. A request that the service stopped keeps
    the START it was run by; that one is older than the stop, and with the stop the request changed last.
    """
    if request.user_action is not BatchUserAction.START:
        return False
    if request.stopped_status_reason is StoppedStatusReason.USER_ACTION:
        return True
    asked, changed = request.user_action_updated, request.last_updated
    return asked is not None and changed is not None and asked + _SAME_MOMENT >= changed


def stopped_at(request: BatchProcessRequest) -> datetime | None:
    """Return when a STOPPED request came to rest, as well as the service tells."""
    return request.last_updated or request.user_action_updated
