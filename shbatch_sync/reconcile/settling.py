"""Whether a job may be acted on yet, or something may still be about to show in the list."""

from __future__ import annotations

from datetime import datetime, timedelta

from shbatch_sync.errors import ApiError, RequestNotFoundError
from shbatch_sync.ledger_line import Entry
from shbatch_sync.plan import Change
from shbatch_sync.reconcile.result import Outcome
from shbatch_sync.reconcile.round import Round
from shbatch_sync.reconcile.run import Run


def ready_to_create(run: Run, current: Round, change: Change) -> bool:
    """Say whether a create may be made now; one that waits too long for the list to show it is given up."""
    if _may_create(run, current, change):
        return True
    if change.job not in run.lag.made.values() and not run.calls.patient(change.job, change.action):
        detail = "an earlier create of it may have answered, but no list shows it; look for it before applying again"
        run.note(change, Outcome.FAILED, detail=detail)
    return False


def _may_create(run: Run, current: Round, change: Change) -> bool:
    """Say whether no create call of this key, ours or another run's, may still be about to show in the list."""
    job = change.declared
    ended = run.calls.unanswered.get(change.job)
    if job is None or change.job in run.lag.made.values():
        return False
    if ended is not None and current.begun < ended + run.lag.settle:
        return False
    record = current.ledger.record(job)
    young = run.now() - timedelta(seconds=run.lag.settle)
    if ended is None and any(entry.at > young for entry in record.unanswered()):
        return False
    return not any(
        _still_there(run, entry, young) for entry in record.created(current.inventory.ids)
    )


def _still_there(run: Run, entry: Entry, young: datetime) -> bool:
    """Say whether a request that was made and is not listed exists all the same; the service may have forgotten it."""
    if entry.request_id in run.sightings.forgotten:
        return False
    if entry.at > young or entry.request_id is None:
        return True
    try:
        run.client.get_request(entry.request_id)
    except RequestNotFoundError:
        return False
    except ApiError:
        return True  # nobody knows, so nothing is made; the next round asks again
    return True


def unsettled_jobs(run: Run, current: Round) -> set[str]:
    """Return the names of jobs with a claimant that may have a rival which no list shows yet."""
    unlisted = run.lag.made.keys() - current.inventory.ids
    present = {name: job.name for job in run.jobs for name in job.names}
    jobs = set()
    for name, lives in current.inventory.owned.items():
        for live in lives:
            seen = run.lag.first_seen.get(live.id)
            if seen is None or live.sealed or live.marker.retired is not None:
                continue
            if unlisted or current.begun < seen + run.lag.settle:
                jobs.add(present.get(name, name))
    return jobs
