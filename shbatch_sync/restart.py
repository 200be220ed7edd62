"""Whether what ended without success may be started again, and when.

A retry costs money again, so nothing is retried unless the manifest or a person at the command line says so.
A request that STOPPED is resumed: what it has finished stays paid and done. One that FAILED is at its end, so a
retry is a new request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shbatch_sync.inventory import Live
from shbatch_sync.job import Job, RestartPolicy
from shbatch_sync.ledger_line import Event
from shbatch_sync.marker import MAX_TRY
from shbatch_sync.phase import stopped_at
from shbatch_sync.plan import Policy, Reason
from shbatch_sync.record import Record
from shbatch_sync.request import BatchUserAction, StoppedStatusReason

# The service refuses a start within 30 minutes of a user's stop (Batch V2 docs); what it still refuses later it
# refuses for another reason.
REFUSAL_WAIT = timedelta(minutes=35)
# Within this time of a person's or our stop, a start is not even tried (the service's own rule is 30 minutes).
_USER_STOP_WAIT = timedelta(minutes=30)
# The docs of the sister API name an hour before an account that ran dry may go on.
OUT_OF_PU_WAIT = timedelta(minutes=60)
_CLOCKS_APART = timedelta(seconds=5)
_ROUNDING = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer.

    Attributes:
        reason: Why not; meaningless where `refusal` is None.
        refusal: Why not, in words, with what to do; None where it may be started.
        attempt: The number of the try or resume that a start would be.
    """

    reason: Reason
    refusal: str | None
    attempt: int


def after_failure(job: Job, attempt: int, policy: Policy) -> Verdict:
    """Judge a request that FAILED, at its `attempt`-th try."""
    if job.restart_policy is RestartPolicy.NEVER and job.name not in policy.restart:
        return Verdict(Reason.FAILED, f"mend the job, or apply --restart {job.name}", attempt)
    return _counted(job, attempt + 1)


def after_stop(job: Job, live: Live, record: Record, policy: Policy, now: datetime) -> Verdict:
    """Judge a request that STOPPED."""
    attempt = live.marker.attempt
    cause = live.request.stopped_status_reason
    if not stopped_by_us(live, record) and not _permitted(job, cause, policy):
        return Verdict(Reason.STOPPED, f"{_stop_text(cause)}; {_advice(job, cause)}", attempt)
    ready = _ready_again(live)
    if ready is not None and now < ready:
        why = "out of PU" if cause is StoppedStatusReason.OUT_OF_PU else "stopped lately"
        then = f"{why}; may be started again from {ready:%Y-%m-%d %H:%M} UTC"
        # What a person allowed is allowed for one run.
        again = f" by --wait, or --restart {job.name} again" if job.name in policy.restart else ""
        return Verdict(Reason.TOO_SOON, f"{then}{again}", attempt)
    # A start that was written down and refused has not used its number up.
    return _counted(job, attempt if start_was_refused(live, record) else attempt + 1)


def _ready_again(live: Live) -> datetime | None:
    """Return until when a start is not even tried, where there is such a time."""
    if live.request.stopped_status_reason is StoppedStatusReason.OUT_OF_PU:
        at, wait = stopped_at(live.request), OUT_OF_PU_WAIT
    else:
        asked = live.request.user_action is BatchUserAction.STOP
        at, wait = live.request.user_action_updated if asked else None, _USER_STOP_WAIT
    return at + wait if at is not None else None


def stopped_by_us(live: Live, record: Record) -> bool:
    """Say whether the stop that a request rests at is ours: the last thing asked of it, and asked by us.

    A start that was taken in after our stop voids it: whoever stopped the request then, it was not that stop.
    """
    if live.request.user_action is not BatchUserAction.STOP:
        return False
    stops = record.words(live.id, Event.STOP)
    starts = [at for at in record.words(live.id, Event.START) if stops and at > max(stops)]
    if not all(_refused(at, live) for at in starts):
        return False
    return live.marker.stopped or bool(stops)


def start_was_refused(live: Live, record: Record) -> bool:
    """Say whether the start that we asked for was never taken in: the request's last action is older.

    Of several of one try the first counts: once it was taken in, a later one is refused and changes nothing.
    """
    starts = [
        entry.at
        for entry in record.entries
        if entry.event is Event.START
        and entry.request_id == live.id
        and entry.attempt == live.marker.attempt
    ]
    return bool(starts) and _refused(min(starts), live)


def _refused(asked: datetime, live: Live) -> bool:
    """Say whether a start that was asked for then left no trace on a request at rest.

    It is younger than everything that the request went through. Our instants and the service's differ a little: by
    whole seconds of its date, and by the time that a call takes.
    """
    rest, last = stopped_at(live.request), live.request.user_action_updated
    if rest is None or last is None or asked + _ROUNDING <= rest:
        return False
    return live.request.user_action is BatchUserAction.STOP or asked > last + _CLOCKS_APART


def failure_text(live: Live) -> str:
    """Say what the service says of a failure."""
    return (
        f"FAILED: {live.request.error}"
        if live.request.error
        else "FAILED, and the service does not say why"
    )


_STOPS = {
    StoppedStatusReason.OUT_OF_PU: "STOPPED, the account ran out of processing units",
    StoppedStatusReason.UNHEALTHY: "STOPPED, the service found its processing unhealthy",
    StoppedStatusReason.USER_ACTION: "STOPPED by a person",
}


def _stop_text(cause: StoppedStatusReason | None) -> str:
    return (
        _STOPS.get(cause, "STOPPED")
        if cause is not None
        else "STOPPED, and the service does not say why"
    )


_SERVICE_STOPS = frozenset({StoppedStatusReason.OUT_OF_PU, StoppedStatusReason.UNHEALTHY})


def _permitted(job: Job, cause: StoppedStatusReason | None, policy: Policy) -> bool:
    if job.name in policy.restart or job.restart_policy is RestartPolicy.ALWAYS:
        return True
    return job.restart_policy is RestartPolicy.ON_FAILURE and cause in _SERVICE_STOPS


def _advice(job: Job, cause: StoppedStatusReason | None) -> str:
    first = "buy PU, then " if cause is StoppedStatusReason.OUT_OF_PU else "to go on, "
    return f"{first}apply --restart {job.name}"


def _counted(job: Job, attempt: int) -> Verdict:
    if attempt > min(job.attempts, MAX_TRY):
        refusal = (
            f"{job.attempts} of {job.attempts} attempts are used; raise `attempts` to try again"
        )
        return Verdict(Reason.ATTEMPTS_USED, refusal, attempt)
    return Verdict(Reason.RESUME, None, attempt)
