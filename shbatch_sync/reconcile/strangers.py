"""Another run is at work on the same job with another spec: this one leaves the job alone, and gives way in time.

What a run saw when it began, its plan has considered. A request of another spec or generation that shows up later is
one that the plan knows nothing of: the run starts nothing of that job any more. Where the other run has started its
request, and ours is started and not yet paid for, ours is stopped: else both would be paid for, and nobody asked for
that. Of two runs that see each other like this both give way; that costs time, and no money.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shbatch_sync.inventory import Inventory, Live
from shbatch_sync.job import Job
from shbatch_sync.phase import COUNTS_AS_STARTED, Phase
from shbatch_sync.plan import Action, Change, Gate, Reason
from shbatch_sync.reconcile.result import Outcome
from shbatch_sync.reconcile.run import Run


def yielding(run: Run, inventory: Inventory) -> Iterator[Change]:
    """Stop what is started and not yet paid for, of jobs of which another run has started another spec meanwhile.

    Not of a job whose generation is higher than the other one's, or whose replacement is allowed: that is a replace
    which was meant.
    """
    if run.known is None or inventory.ids <= run.known or Gate.REPLACE in run.policy.allow:
        return
    for job in run.jobs:
        started = [
            live
            for live in _strangers(run, inventory, job)
            if live.phase in COUNTS_AS_STARTED and live.marker.generation >= job.generation
        ]
        for live in inventory.of_job(job) if started else ():
            if live.phase is Phase.STARTING and _of_key(job, live) and not _protected(job, live):
                yield _stop(job, live, started[0])


def undisturbed(run: Run, inventory: Inventory, changes: Iterable[Change]) -> Iterator[Change]:
    """Leave out jobs for which another run has made a request of another spec since this one first looked."""
    listed = list(changes)
    giving_way = {change.job for change in listed if _gives_way(change)}
    for change in listed:
        stranger = _stranger(run, inventory, change)
        if stranger is None or _gives_way(change):
            yield change
        elif change.job not in run.held.keys() | giving_way:
            detail = f"another run made request {stranger} for another spec meanwhile; plan again"
            run.note(change, Outcome.HELD, stranger, detail)


def _stop(job: Job, live: Live, other: Live) -> Change:
    return Change(
        job=job.name,
        action=Action.STOP,
        reason=Reason.SUPERSEDED,
        detail=f"another run has started request {other.id} for another spec meanwhile",
        request_id=live.id,
        origin=job.origin,
        declared=job,
        live=live,
    )


def _stranger(run: Run, inventory: Inventory, change: Change) -> str | None:
    job = change.declared
    strangers = _strangers(run, inventory, job) if job is not None else ()
    return next((live.id for live in strangers), None)


def _strangers(run: Run, inventory: Inventory, job: Job) -> Iterator[Live]:
    known = run.known
    return (
        live
        for live in inventory.of_job(job)
        if known is not None and live.id not in known and not _of_key(job, live)
    )


def _of_key(job: Job, live: Live) -> bool:
    return (live.marker.generation, live.marker.digest) == (job.generation, job.digest)


def _protected(job: Job, live: Live) -> bool:
    return job.protect or live.marker.protected


def _gives_way(change: Change) -> bool:
    """Say whether a change stops what must not be paid for: what counts no more, or what is one too many of its key."""
    live, job = change.live, change.declared
    if change.action is not Action.STOP or live is None:
        return False
    if live.marker.retired is not None:
        return True
    return live.phase is Phase.STARTING and job is not None and _of_key(job, live)
