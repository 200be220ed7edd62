"""What a list lacks: a page moved while it was read, a replica lags behind, or the service has dropped a request.

A request that an earlier list has shown, or that the ledger knows as made, and that the list at hand lacks, is no
reason to judge: without it another one would win its election, be started, or be created. So it is read by its id.
What is not found is forgotten, unless it is so young that a read may not know it yet. What is found is planned with,
but as long as no list shows it nothing is done to its job: a list that lacks one request may lack its rival as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice

from shbatch_sync.errors import (
    ApiError,
    AuthenticationError,
    RateLimitedError,
    RequestNotFoundError,
    ServiceUnreachableError,
)
from shbatch_sync.inventory import Inventory
from shbatch_sync.ledger import Ledger
from shbatch_sync.plan import Change
from shbatch_sync.reconcile.result import Outcome
from shbatch_sync.reconcile.run import Run
from shbatch_sync.reconcile.sightings import Sighting
from shbatch_sync.request import BatchProcessRequest

# What is no answer about one request: the next one would get it too.
_OF_THE_SERVICE = (AuthenticationError, RateLimitedError, ServiceUnreachableError)
# Reads of one round: a list that lacks more of ours than this is read again before anything of the rest is judged.
MOST_READS = 100
# The sister API keeps nothing longer after its last use (Batch Statistical API docs); what is older is not asked for.
_KEPT = timedelta(days=30)


def whole_list(run: Run, memory: Ledger) -> Iterator[BatchProcessRequest]:
    """Yield what the list shows, and after it what it should have shown and a read by id finds.

    Raises:
        ApiError: The account could not be listed.
    """
    missing = _expected(run, memory)
    for request in run.client.iter_requests(sort="created"):
        missing.pop(request.request_id, None)
        yield request
    yield from _read_again(run, missing)


def judged(run: Run, inventory: Inventory, changes: Iterable[Change]) -> Iterator[Change]:
    """Leave out what a list that lacks a request gives no right to do; what stays like that for long has failed."""
    declared = {name: job.name for job in run.jobs for name in job.names}
    lacking: dict[str | None, str] = {}
    sightings = run.sightings
    for id_ in sightings.unlisted:
        job = declared.get(sightings.shown[id_].job or "")
        # What is of no declared job may be the twin of any, unless it was read: then the plan has looked at it.
        if job is not None or id_ not in inventory.ids:
            lacking[job] = id_
    for change in changes:
        missing = lacking.get(change.job, lacking.get(None))
        if missing is None:
            yield change
        elif run.clock.monotonic() - sightings.unlisted[missing] > run.lag.patience:
            detail = f"request {missing} is known, but no list shows it; look for it before applying again"
            run.note(change, Outcome.FAILED, missing, detail)


def _expected(run: Run, memory: Ledger) -> dict[str, Sighting]:
    """Return what is known of every request that the list is to show; those that this run made have their own rule."""
    sightings = run.sightings
    chosen = run.scope.selected
    names = {name for job in run.jobs if chosen is None or job.name in chosen for name in job.names}
    oldest = run.now() - _KEPT
    for id_, line in memory.unended.items():
        ours = not memory.holders[id_].isdisjoint(names)
        if ours and line.at > oldest and id_ not in sightings.forgotten:
            sightings.shown.setdefault(id_, Sighting(line.job, line.at))
    return {id_: one for id_, one in sightings.shown.items() if id_ not in run.lag.made}


def _read_again(run: Run, missing: dict[str, Sighting]) -> Iterator[BatchProcessRequest]:
    unlisted = dict(missing)
    young = run.now() - timedelta(seconds=run.lag.settle)
    for id_, sighting in islice(missing.items(), MOST_READS):
        if run.halted:
            break
        try:
            yield run.client.get_request(id_)
        except RequestNotFoundError:
            if sighting.since <= young:
                run.sightings.forget(id_)
                del unlisted[id_]
        except _OF_THE_SERVICE:
            break
        except ApiError:
            continue  # it says nothing of the others
    run.sightings.lack(unlisted, run.clock.monotonic())
