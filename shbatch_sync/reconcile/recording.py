"""Writing down what a list shows and the ledger does not know: ends, new names, requests of ours it has no line of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from shbatch_sync.case import is_altered
from shbatch_sync.digest import digest
from shbatch_sync.inventory import Inventory, Live
from shbatch_sync.job import Job
from shbatch_sync.ledger import Ledger
from shbatch_sync.ledger_line import Event
from shbatch_sync.normalize import normalize
from shbatch_sync.phase import Phase
from shbatch_sync.reconcile.round import Round
from shbatch_sync.reconcile.run import Run
from shbatch_sync.restart import start_was_refused

_ENDS = {Phase.DONE: "DONE", Phase.FAILED: "FAILED", Phase.STOPPED: "STOPPED"}
_LEDGER_AGE = timedelta(days=1)


def record_ends(run: Run, inventory: Inventory, memory: Ledger) -> bool:
    """Write down the ends that are seen for the first time; say whether there were any.

    Raises:
        LedgerError: A line could not be written.
    """
    wrote = False
    jobs = {name: job for job in run.jobs for name in job.names}
    for name, lives in inventory.owned.items():
        for live in lives:
            status = _ENDS.get(live.phase)
            known = (name, live.id, status, live.marker.attempt) in memory.finals
            job = jobs.get(name)
            if status is None or known or _resumed_in_vain(live, memory):
                continue
            if not _proven(job, live, memory):
                continue
            same = job is not None and job.digest == live.marker.digest
            norm_digest = (
                job.norm_digest if job is not None and same else digest(normalize(live.spec))
            )
            run.write(
                Event.FINAL,
                replace(live.marker, job=name),
                live.id,
                norm_digest=norm_digest,
                status=status,
                cost_pu=live.request.cost_PU,
            )
            wrote = True
    return wrote


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
    """Return the ids of old sealed requests of ours that the ledger has no line of."""
    old = run.now() - _LEDGER_AGE
    return tuple(
        live.id
        for live in _sealed(inventory)
        if live.id not in memory.ids
        and live.request.created is not None
        and live.request.created < old
    )


def take_in(run: Run, current: Round) -> int:
    """Write down requests of ours that the ledger has no line of; return how many.

    For a ledger that was lost, or never saved by the run that made them.

    Raises:
        LedgerError: The lines could not be written.
    """
    missing = [live for live in _sealed(current.inventory) if live.id not in current.ledger.ids]
    for live in missing:
        run.write_adopted(live, live.marker, digest(normalize(live.spec)))
    return len(missing)


def _sealed(inventory: Inventory) -> Iterable[Live]:
    return (live for lives in inventory.owned.values() for live in lives if live.sealed)
