"""Mending markers that people broke: whose request it is, told by the ledger, else by its body alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from shbatch_sync.case import changed_from
from shbatch_sync.inventory import Inventory, Suspect
from shbatch_sync.job import Job
from shbatch_sync.ledger import Ledger
from shbatch_sync.ledger_line import Event
from shbatch_sync.making import born_marker
from shbatch_sync.marker import (
    Marker,
    Retired,
    describe,
    new_nonce,
    seal_of,
    without_remains,
)
from shbatch_sync.phase import WRITABLE, phase_of
from shbatch_sync.plan import Facts
from shbatch_sync.record import Record

_GENERATION = re.compile(r"\[shbatch-sync/\d+ \S+ r([1-9]\d{0,3})\b")
_TELLING = frozenset({Event.CREATED, Event.ADOPTED, Event.SEALED, Event.START, Event.FINAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """What can be done for one request with a damaged marker.

    Attributes:
        request_id: The request.
        was: Its description as it is.
        marker: The marker to write; None where nobody can tell whose request it is, or it cannot be written now.
        becomes: The description to write.
        why: How its owner was told, or why not.
    """

    request_id: str
    was: str
    marker: Marker | None = None
    becomes: str = ""
    why: str = ""


def mends(jobs: Sequence[Job], inventory: Inventory, ledger: Ledger, facts: Facts) -> list[Mend]:
    """Return one mend for each damaged request."""
    return [_mend(suspect, jobs, ledger, facts) for suspect in inventory.damaged]


def _mend(suspect: Suspect, jobs: Sequence[Job], ledger: Ledger, facts: Facts) -> Mend:
    request, was = suspect.request, suspect.request.description
    record = ledger.of_request(request.request_id)
    marker = _from_ledger(request.request_id, record, jobs, facts)
    why = "the ledger knows its id"
    if marker is None:
        twins = [job for job in jobs if not changed_from(job, request.request)]
        marker = _of_twin(twins[0], was, facts) if len(twins) == 1 else None
        why = "its body is what one job declares" if marker else _unknown(twins)
    if marker is not None and phase_of(request) not in WRITABLE:
        return Mend(
            request_id=request.request_id,
            was=was,
            why="its description can be changed when it is at rest",
        )
    if marker is None:
        return Mend(request_id=request.request_id, was=was, why=why)
    # A manifest's own text goes in as it is now: what is there may be what was too long for the service.
    declared = next((job.description for job in jobs if marker.job in job.names), None)
    text = without_remains(was) if declared is None else declared
    return Mend(
        request_id=request.request_id,
        was=was,
        marker=marker,
        becomes=describe(text, marker),
        why=why,
    )


def _from_ledger(
    request_id: str, record: Record, jobs: Iterable[Job], facts: Facts
) -> Marker | None:
    lines = [entry for entry in record.entries if entry.event in _TELLING]
    if not lines:
        return None
    last = max(lines, key=lambda entry: (entry.attempt, entry.at))
    events = {entry.event for entry in record.entries}
    protected = any(job.protect for job in jobs if last.job in job.names)
    return Marker(
        project=facts.project,
        job=last.job,
        generation=last.generation,
        digest=last.digest,
        nonce=last.nonce or new_nonce(),
        # One that was never sealed has its election still to win.
        seal=seal_of(request_id) if events & {Event.SEALED, Event.START, Event.FINAL} else None,
        attempt=last.attempt,
        protected=protected,
        retired=Retired.OLD if Event.RETIRED in events else None,
    )


def _of_twin(job: Job, was: str, facts: Facts) -> Marker:
    """Return the marker of the job that declares the body; of the generation that the remains still tell, if they do."""
    marker = replace(born_marker(job, facts, 1), nonce=new_nonce())
    told = _GENERATION.search(was)
    return replace(marker, generation=int(told[1])) if told else marker


def _unknown(twins: Sequence[Job]) -> str:
    if not twins:
        return "neither the ledger nor any declared job knows it; write its marker back by hand, or take it out whole"
    names = ", ".join(job.name for job in twins)
    return f"several jobs declare just this body ({names}); name it in one of them with `adopt`"
