"""Writing down what a list shows and the ledger does not know: starts, ends, new names, what it has no line of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from shbatch_sync.case import is_altered
from shbatch_sync.digest import digest
from shbatch_sync.inventory import Inventory, Live
from shbatch_sync.job import Job
from shbatch_sync.ledger import Ledger
from shbatch_sync.ledger_line import Event
from shbatch_sync.normalize import normalize
from shbatch_sync.phase import STARTED, Phase
from shbatch_sync.reconcile.round import Round
from shbatch_sync.reconcile.run import Run
from shbatch_sync.request import BatchRequestStatus, BatchUserAction
from shbatch_sync.restart import start_was_refused

_ENDS = {Phase.DONE: "DONE", Phase.FAILED: "FAILED", Phase.STOPPED: "STOPPED"}
_LEDGER_AGE = timedelta(days=1)
# An unknown state may be one that costs money.
_AT_WORK = STARTED | {Phase.UNKNOWN}
# Our own start is written down before its call, and the service dates it when the call arrives.
_ONE_CALL = timedelta(minutes=2)


def record_sights(run: Run, inventory: Inventory, memory: Ledger) -> bool:
    """Write down what is seen for the first time, as the service may forget it; say whether there was anything.

    Raises:
        LedgerError: A line could not be written.
    """
    wrote = False
    jobs = {name: job for job in run.jobs for name in job.names}
    for name, lives in inventory.owned.items():
        for live in lives:
            for event, members in _news(live, jobs.get(name), memory):
                norm_digest = _norm_digest(live, jobs.get(name))
                run.write(event, live.marker, live.id, norm_digest=norm_digest, **members)
                wrote = True
    return wrote


def _news(live: Live, job: Job | None, memory: Ledger) -> Iterator[tuple[Event, dict[str, Any]]]:
    """Yield what the ledger does not know of a request yet, each with the members of its line."""
    if live.sealed and live.id in memory.unmarked_ids:
        yield Event.SEALED, {}  # whoever took it over came no further
    if _is_begun_by_hand(live, memory):
        yield Event.START, {"at": _begun(live)}
    status = _ENDS.get(live.phase)
    if (
        status is None
        or (live.marker.job, live.id, status, live.marker.attempt) in memory.finals
        or _resumed_in_vain(live, memory)
        or not _proven(job, live, memory)
    ):
        return
    # It may have ended long before anybody looked.
    ended = live.request.last_updated
    yield Event.FINAL, {"status": status, "cost_pu": live.request.cost_PU, "at": ended}


def _is_begun_by_hand(live: Live, memory: Ledger) -> bool:
    """Say whether a person has started a request: our own starts have a line before their call.

    Who starts what counts no more pays for it knowingly.
    """
    stopping = live.phase is Phase.STOPPING and live.request.status is BatchRequestStatus.PROCESSING
    at_work = live.phase in _AT_WORK or stopping
    if not at_work or live.marker.retired is not None:
        return False
    if not live.sealed and live.id not in memory.ids:
        return False
    known, asked = memory.last_starts.get(live.id), _begun(live)
    return known is None or (asked is not None and asked - known > _ONE_CALL)


def _begun(live: Live) -> datetime | None:
    """Return when a request at work was started last; its creation, which was before, where only that is told."""
    request = live.request
    started = request.user_action is BatchUserAction.START
    return (request.user_action_updated if started else None) or request.created


def _norm_digest(live: Live, job: Job | None) -> str:
    if job is not None and job.digest == live.marker.digest:
        return job.norm_digest
    return digest(normalize(live.spec))


def _proven(job: Job | None, live: Live, memory: Ledger) -> bool:
    """Say whether a request is sure to be the one its marker was made for; of a copy nothing is written down."""
    if live.sealed or live.id in memory.ids:
        return True
    declared = job is not None and job.digest == live.marker.digest
    return job is not None and declared and not is_altered(job, live, memory)


def _resumed_in_vain(live: Live, memory: Ledger) -> bool:
    """A refused resume has its number on the request already, but the stop that is seen is the one before."""
    return live.phase is Phase.STOPPED and start_was_refused(live, memory.of_request(live.id))


def record_names(run: Run, memory: Ledger) -> bool:
    """Write what is known of a renamed job under its new name, so that it holds when `previousNames` is gone.

    Says whether there was anything to write.

    Raises:
        LedgerError: The lines could not be written.
    """
    lines = [line for job in run.jobs if job.previous_names for line in memory.renamed(job)]
    if lines:
        run.ledger.append(*lines)
    return bool(lines)


def strays(run: Run, inventory: Inventory, memory: Ledger) -> tuple[str, ...]:
    """Return the ids of old sealed requests of ours whose making the ledger has no line of.

    What was written down when a later list showed it is no proof that the ledger is whole.
    """
    old = run.now() - _LEDGER_AGE
    return tuple(
        live.id
        for live in _sealed(inventory)
        if not _is_made(live, memory)
        and live.request.created is not None
        and live.request.created < old
    )


def take_in(run: Run, current: Round) -> int:
    """Write down requests of ours whose making the ledger has no line of; return how many.

    For a ledger that was lost, or never saved by the run that made them.

    Raises:
        LedgerError: The lines could not be written.
    """
    missing = [live for live in _sealed(current.inventory) if not _is_made(live, current.ledger)]
    for live in missing:
        run.write_adopted(live, live.marker, digest(normalize(live.spec)))
    return len(missing)


def _is_made(live: Live, memory: Ledger) -> bool:
    """Say whether the ledger tells who made a request: by its id, or by the nonce of its create call."""
    return live.id in memory.made_ids or live.marker.nonce in memory.intended


def _sealed(inventory: Inventory) -> Iterable[Live]:
    return (live for lives in inventory.owned.values() for live in lives if live.sealed)
