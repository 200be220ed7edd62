"""A case: everything that is known of one declared job, brought together before anything is decided about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from shbatch_sync.diff import FieldChange, Kind, changed_fields, suppressed_fields
from shbatch_sync.election import Outcome, elect
from shbatch_sync.inventory import COPIED, Inventory, Live, Suspect
from shbatch_sync.job import Job
from shbatch_sync.ledger import Ledger
from shbatch_sync.ledger_key import is_of_other_copy
from shbatch_sync.ledger_line import Entry, Event
from shbatch_sync.marker import Marker
from shbatch_sync.phase import COUNTS_AS_STARTED, UNPAID, Phase
from shbatch_sync.record import Record

_UNDATED = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is known of one job.

    Attributes:
        job: As declared.
        outcome: The election among the requests of its key; None where there is none.
        others: Requests of the job with another spec or generation, that still count, oldest first.
        retired: Requests of the job that count no more.
        adoptable: The request that it is to take over, if the list shows it and it is not ours yet.
        copies: Requests that carry a marker of this key which was made for another request.
        record: The ledger's lines of the key.
        recorded_generation: The highest generation that the ledger or any request knows.
        overtaken: Whether, after this key, another spec of the same generation was run.
        spent: What the ledger knows to be paid of the job under other specs, one line a request.
    """

    job: Job
    outcome: Outcome | None
    others: tuple[Live, ...]
    retired: tuple[Live, ...]
    adoptable: Suspect | None
    copies: tuple[Suspect, ...]
    record: Record
    recorded_generation: int
    overtaken: bool
    spent: tuple[Entry, ...]

    @property
    def done(self) -> bool:
        """Whether the job's results exist, seen now or remembered."""
        if self.record.done is not None:
            return True
        return self.outcome is not None and self.outcome.winner.phase is Phase.DONE

    @property
    def listed(self) -> frozenset[str]:
        """Ids of all requests of the job that the list shows."""
        claimants = self.outcome.claimants if self.outcome is not None else ()
        return frozenset(live.id for live in (*claimants, *self.others, *self.retired))

    @property
    def missing_start(self) -> bool:
        """Whether the ledger knows a start of this key, of the try that counts, whose request is not to be seen."""
        unfinished = self.record.unfinished(self.listed)
        attempt = self.outcome.winner.marker.attempt if self.outcome is not None else 1
        return unfinished >= attempt


def read_case(job: Job, inventory: Inventory, ledger: Ledger) -> Case:
    """Bring together what is known of `job`."""
    lives = inventory.of_job(job)
    group = [
        live
        for live in lives
        if live.marker.generation == job.generation and _same_spec(job, live, ledger)
    ]
    altered = [live for live in group if is_altered(job, live, ledger)]
    outcome, doubtful = _elected([live for live in group if live not in altered])
    others = sorted((live for live in lives if live not in group), key=by_age)
    retired = inventory.retired(job)
    unpaid = [old for old in retired if old.phase in UNPAID]
    record = ledger.record(job, _strangers(job, (*others, *retired), ledger))
    return Case(
        job=job,
        outcome=outcome,
        others=tuple(others),
        retired=retired,
        adoptable=inventory.wanted.get(job.adopt) if job.adopt is not None else None,
        copies=(
            *(suspect for suspect in inventory.copies if _carries_key(job, suspect.marker)),
            *(Suspect(live.request, _ALTERED, job.name, live.marker) for live in altered),
            *(Suspect(live.request, COPIED, job.name, live.marker) for live in doubtful),
        ),
        record=record,
        recorded_generation=max(
            ledger.generation(job), *(live.marker.generation for live in (*lives, *retired)), 0
        ),
        overtaken=_overtaken(job, (*others, *retired), record, ledger),
        spent=_spent(job, record, ledger, frozenset(live.id for live in (*others, *unpaid))),
    )


_ALTERED = "its body is not the one its marker was made for"


def _elected(claimants: list[Live]) -> tuple[Outcome | None, list[Live]]:
    """Choose among the claimants of a key; return the outcome, and those that may be anybody's.

    A create call makes one request. Whichever of several with its nonce is chosen does what the call asked for, but
    nothing proves that the others are not somebody else's. That several are being paid for is a conflict all the same.
    """
    if not claimants:
        return None, []
    outcome = elect(claimants)
    calls = Counter(live.marker.nonce for live in claimants)
    doubtful = [
        live for live in outcome.claimants[1:] if calls[live.marker.nonce] > 1 and not live.sealed
    ]
    if not doubtful:
        return outcome, []
    certain = elect([live for live in claimants if live not in doubtful])
    return replace(certain, conflict=certain.conflict or outcome.conflict), doubtful


def by_age(live: Live) -> tuple[int, datetime, str]:
    """Order requests of a job from the oldest to the newest."""
    return (live.marker.generation, live.request.created or _UNDATED, live.id)


def _carries_key(job: Job, marker: Marker | None) -> bool:
    return (
        marker is not None
        and marker.retired is None
        and marker.job in job.names
        and (marker.generation, marker.digest) == (job.generation, job.digest)
    )


def spec_changes(job: Job, live: Live) -> tuple[FieldChange, ...]:
    """Return how the declared spec really differs from a request."""
    return changed_from(job, live.spec)


def changed_from(job: Job, spec: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return how the declared spec really differs from the echo of any request."""
    return changed_fields(job.spec, spec)


def explained(job: Job, live: Live) -> tuple[FieldChange, ...]:
    """Return the real differences, and after them those that do not count, each with its reason."""
    real = spec_changes(job, live) or _copy_changes(job, live)
    return (*real, *suppressed_fields(job.spec, live.spec))


def _copy_changes(job: Job, live: Live) -> tuple[FieldChange, ...]:
    """Return the local copy as what differs where nothing else does; which one it was, no request tells."""
    if job.local_copy is None or not is_of_other_copy(job, live.marker.digest, ()):
        return ()
    after = f"sha256:{job.local_copy.sha256}"
    return (FieldChange("/localCopy", Kind.CHANGED, "unknown", after),)


def _same_spec(job: Job, live: Live, ledger: Ledger) -> bool:
    if live.marker.digest == job.digest:
        return True
    return not _of_other_copy(job, live, ledger) and not spec_changes(job, live)


def _of_other_copy(job: Job, live: Live, ledger: Ledger) -> bool:
    """Say whether a request, if its body is the declared one, was made with other areas or may have been."""
    if job.local_copy is None:
        return False
    return is_of_other_copy(job, live.marker.digest, ledger.record(job).entries)


def _strangers(job: Job, lives: tuple[Live, ...], ledger: Ledger) -> frozenset[str]:
    """Return the nonces of requests that the ledger may hold lines of from before the job named a local copy."""
    return frozenset(live.marker.nonce for live in lives if _of_other_copy(job, live, ledger))


def is_altered(job: Job, live: Live, ledger: Ledger) -> bool:
    """Say whether an unproven request with the job's digest has another body than the digest was made of.

    Members that only the echo has do not count: a service may fill in what we have never heard of.
    """
    if live.sealed or live.id in ledger.created_ids:
        return False
    return any(field.kind is not Kind.REMOVED for field in spec_changes(job, live))


def _overtaken(job: Job, past: tuple[Live, ...], record: Record, ledger: Ledger) -> bool:
    """Say whether another spec ran, in this generation, after the key had had its turn."""
    mine = [
        live
        for live in past
        if live.marker.generation == job.generation and live.marker.digest == job.digest
    ]
    rivals = [
        live for live in past if live.marker.generation == job.generation and live not in mine
    ]
    idle = {live.id for live in past if live.phase in UNPAID}
    turns = {Event.INTENT, Event.CREATED, Event.START}
    turn = max((entry.at for entry in record.entries if entry.event in turns), default=None)
    if turn is not None and any(
        entry.event is Event.START
        and entry.generation == job.generation
        and entry not in record.entries
        and entry.at > turn
        and entry.request_id not in idle
        for entry in ledger.of_job(job)
    ):
        return True
    return any(
        rival.phase in COUNTS_AS_STARTED and by_age(rival) > by_age(own)
        for own in mine
        for rival in rivals
    )


def _spent(job: Job, record: Record, ledger: Ledger, listed: frozenset[str]) -> tuple[Entry, ...]:
    """Return a line for each request that other specs of the job are known to be paid with.

    What the list still shows is judged by what it shows. A start counts until its end is known, which tells the cost.
    """
    past = [
        entry
        for entry in ledger.of_job(job)
        if entry not in record.entries and entry.request_id not in listed
    ]
    ends = [entry for entry in past if entry.event is Event.FINAL]
    ended = {(entry.request_id, entry.attempt) for entry in ends}
    begun = [
        entry
        for entry in past
        if entry.event is Event.START and (entry.request_id, entry.attempt) not in ended
    ]
    # An end that does not tell its cost counts, if it is one that work leads to.
    paid = [
        entry
        for entry in ends
        if (entry.cost_pu or 0) > 0 or (entry.cost_pu is None and entry.status == "DONE")
    ]
    costly = [*paid, *begun]
    return tuple({entry.request_id: entry for entry in costly}.values())
