from __future__ import annotations

from typing import Any

import pytest

from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.api.monitor import monitor_batch_process_analysis, monitor_batch_process_job
from shbatch_sync.request import BatchProcessRequest

A = BatchProcessRequest.from_dict({"id": "a"})


def states(state: Any, *pairs: str) -> list[Any]:
    return [state(status=pair.split("/")[0], userAction=pair.split("/")[1]) for pair in pairs]


def test_a_job_is_watched_to_its_end(
    service: Any, client: BatchProcessClient, clock: Any, state: Any
) -> None:
    service.answers = states(
        state,
        "CREATED/START",
        "ANALYSING/START",
        "ANALYSIS_DONE/START",
        "PROCESSING/START",
        "DONE/START",
    )
    seen: list[str] = []
    done = monitor_batch_process_job(
        A, client, clock=clock, progress=lambda one: seen.append(one.status.value)
    )
    assert done.status.value == "DONE"
    assert seen == ["CREATED", "ANALYSING", "ANALYSIS_DONE", "PROCESSING", "DONE"]
    assert clock.slept == [10, 10, 120, 120]


@pytest.mark.parametrize("last", ["FAILED/START", "STOPPED/STOP", "NEVER_HEARD_OF/START"])
def test_a_job_that_ends_otherwise_is_returned(
    service: Any, client: BatchProcessClient, clock: Any, state: Any, last: str
) -> None:
    service.answers = states(state, "PROCESSING/START", last)
    assert monitor_batch_process_job(A, client, clock=clock).status.value == last.partition("/")[0]


@pytest.mark.parametrize("last", ["FAILED/ANALYSE", "STOPPED/STOP"])
def test_an_analysis_that_fails_is_an_error(
    service: Any, client: BatchProcessClient, clock: Any, state: Any, last: str
) -> None:
    service.answers = states(state, "ANALYSING/ANALYSE", last)
    with pytest.raises(RuntimeError, match=f"with status {last.partition('/')[0]}"):
        monitor_batch_process_analysis(A, client, clock=clock)


def test_an_analysis_is_watched_to_its_end(
    service: Any, client: BatchProcessClient, clock: Any, state: Any
) -> None:
    service.answers = states(state, "ANALYSING/ANALYSE", "ANALYSIS_DONE/ANALYSE")
    assert monitor_batch_process_analysis(A, client, clock=clock).status.value == "ANALYSIS_DONE"


def test_a_job_that_nobody_starts_is_not_waited_for(
    service: Any, client: BatchProcessClient, clock: Any, state: Any
) -> None:
    service.answers = states(state, "ANALYSIS_DONE/ANALYSE", "ANALYSIS_DONE/ANALYSE")
    with pytest.raises(
        RuntimeError, match="a is analysed but nobody has gone on with it: call start_job"
    ):
        monitor_batch_process_job(A, client, clock=clock)
    assert clock.slept == [120]


def test_a_request_that_nobody_analyses_is_not_waited_for(
    service: Any, client: BatchProcessClient, clock: Any, state: Any
) -> None:
    service.answers = [state(), *states(state, "CREATED/NONE")]
    with pytest.raises(RuntimeError, match="call start_analysis"):
        monitor_batch_process_analysis(A, client, clock=clock)


def test_a_start_that_shows_late_is_waited_for(
    service: Any, client: BatchProcessClient, clock: Any, state: Any
) -> None:
    service.answers = states(state, "ANALYSIS_DONE/ANALYSE", "ANALYSIS_DONE/START", "DONE/START")
    assert monitor_batch_process_job(A, client, clock=clock).status.value == "DONE"


def test_short_sleeps_are_refused(client: BatchProcessClient) -> None:
    with pytest.raises(ValueError, match="sleep_time>=60"):
        monitor_batch_process_job(A, client, sleep_time=59)
    with pytest.raises(ValueError, match="analysis sleep time >=5"):
        monitor_batch_process_analysis(A, client, sleep_time=4)


def test_without_a_clock_a_request_at_rest_needs_none(
    service: Any, client: BatchProcessClient, state: Any
) -> None:
    service.answers = states(state, "DONE/START")
    assert monitor_batch_process_job(A, client).status.value == "DONE"
