"""Waiting for a request, with sentinelhub-py's contract, a progress callback, and an end where there was none."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shbatch_sync.clock import SystemClock
from shbatch_sync.request import BatchRequestStatus, BatchUserAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from shbatch_sync.api.client import BatchProcessClient
    from shbatch_sync.clock import Clock
    from shbatch_sync.request import BatchProcessRequest

    Progress = Callable[[BatchProcessRequest], None]

_LOGGER = logging.getLogger(__name__)
_SHORTEST_SLEEP = 60
_SHORTEST_ANALYSIS_SLEEP = 5
_IN_ANALYSIS = frozenset({BatchRequestStatus.CREATED, BatchRequestStatus.ANALYSING})
_IN_JOB = frozenset({BatchRequestStatus.ANALYSIS_DONE, BatchRequestStatus.PROCESSING})


def monitor_batch_process_job(
    request: BatchProcessRequest,
    client: BatchProcessClient,
    sleep_time: float = 120,
    analysis_sleep_time: float = 10,
    *,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> BatchProcessRequest:
    """Wait until a started request is at rest.

    Args:
        request: The request; its analysis is waited for first.
        client: Reads it.
        sleep_time: Seconds between two reads, at least 60.
        analysis_sleep_time: Seconds between two reads while it is analysed, at least 5.
        progress: Called with every state that is read.
        clock: Time.

    Returns:
        The request, DONE, FAILED, STOPPED or in a state that this package does not know.

    Raises:
        ValueError: A sleep time is too short.
        RuntimeError: The analysis failed or was stopped; or nobody has started the request. sentinelhub-py waits
            for ever there; here the second read in a row that shows it ends the waiting.
    """
    if sleep_time < _SHORTEST_SLEEP:
        message = (
            f"To avoid making too many service requests please set sleep_time>={_SHORTEST_SLEEP}"
        )
        raise ValueError(message)
    current = monitor_batch_process_analysis(
        request, client, analysis_sleep_time, progress=progress, clock=clock
    )
    current = _wait(current, client, _IN_JOB, sleep_time, progress, clock)
    _LOGGER.info("Batch job finished with status %s", current.status.value)
    return current


def monitor_batch_process_analysis(
    request: BatchProcessRequest,
    client: BatchProcessClient,
    sleep_time: float = 10,
    *,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> BatchProcessRequest:
    """Wait until the analysis of a request is over.

    Args:
        request: The request.
        client: Reads it.
        sleep_time: Seconds between two reads, at least 5.
        progress: Called with every state that is read.
        clock: Time.

    Raises:
        ValueError: The sleep time is too short.
        RuntimeError: The analysis failed or was stopped; or nobody has asked for one, shown by two reads in a row.
    """
    if sleep_time < _SHORTEST_ANALYSIS_SLEEP:
        message = (
            "To avoid making too many service requests please set analysis sleep time "
            f">={_SHORTEST_ANALYSIS_SLEEP}"
        )
        raise ValueError(message)
    current = client.get_request(request)
    if progress is not None:
        progress(current)
    current = _wait(current, client, _IN_ANALYSIS, sleep_time, progress, clock)
    current.raise_for_status([BatchRequestStatus.FAILED, BatchRequestStatus.STOPPED])
    return current


def _wait(
    current: BatchProcessRequest,
    client: BatchProcessClient,
    moving: frozenset[BatchRequestStatus],
    seconds: float,
    progress: Progress | None,
    clock: Clock | None,
) -> BatchProcessRequest:
    clock = clock or SystemClock()
    while current.status in moving:
        was_idle = _is_idle(current)
        _LOGGER.info(
            "Batch job has a status %s, sleeping for %d seconds", current.status.value, seconds
        )
        clock.sleep(seconds)
        current = client.get_request(current)
        if progress is not None:
            progress(current)
        if was_idle and _is_idle(current):
            raise RuntimeError(_idle_text(current))
    return current


def _is_idle(request: BatchProcessRequest) -> bool:
    """Whether it stands still because nobody has asked for the next step."""
    if request.status is BatchRequestStatus.CREATED:
        return request.user_action in {None, BatchUserAction.NONE}
    asked = {None, BatchUserAction.NONE, BatchUserAction.ANALYSE}
    return request.status is BatchRequestStatus.ANALYSIS_DONE and request.user_action in asked


def _idle_text(request: BatchProcessRequest) -> str:
    done, ask = (
        ("created", "start_analysis")
        if request.status is BatchRequestStatus.CREATED
        else ("analysed", "start_job")
    )
    return (
        f"Batch request {request.request_id} is {done} but nobody has gone on with it: call {ask}"
    )
