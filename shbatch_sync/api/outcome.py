"""Has a change happened? Judged by the request's state, after an answer was lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shbatch_sync.request import BatchRequestStatus, BatchUserAction

if TYPE_CHECKING:
    from datetime import datetime

    from shbatch_sync.request import BatchProcessRequest

_CLOCK_SLACK = timedelta(seconds=2)  # an HTTP date has whole seconds
_PASSED_ANALYSIS = frozenset(
    {
        BatchRequestStatus.ANALYSING,
        BatchRequestStatus.ANALYSIS_DONE,
        BatchRequestStatus.PROCESSING,
        BatchRequestStatus.DONE,
    }
)


def is_described(request: BatchProcessRequest, description: str) -> bool:
    """Whether a PUT of `description` has happened."""
    return request.description == description


def is_analysed(request: BatchProcessRequest, since: datetime | None) -> bool:
    """Whether an analyse call has happened, or a start has made it needless."""
    del since
    return request.status in _PASSED_ANALYSIS or request.user_action in {
        BatchUserAction.ANALYSE,
        BatchUserAction.START,
    }


def is_started(request: BatchProcessRequest, since: datetime | None) -> bool:
    """Whether a start call has happened.

    A request that was stopped for lack of processing units keeps START as its last action, so there only the time of
    the action tells.

    Args:
        request: The state read afterwards.
        since: When the call was sent, by the service's clock; None if that is not known.
    """
    if request.status in {BatchRequestStatus.PROCESSING, BatchRequestStatus.DONE}:
        return True
    if request.user_action is not BatchUserAction.START:
        return False
    if request.status is not BatchRequestStatus.STOPPED:
        return True
    updated = request.user_action_updated
    return since is not None and updated is not None and updated >= since - _CLOCK_SLACK


def is_stopped(request: BatchProcessRequest, since: datetime | None) -> bool:
    """Whether a stop call has happened."""
    del since
    return (
        request.status is BatchRequestStatus.STOPPED or request.user_action is BatchUserAction.STOP
    )
