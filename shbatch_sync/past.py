"""What the ledger's lines add up to: one row a request, with how long it took and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shbatch_sync.ledger import Entry, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One request as the ledger remembers it.

    Attributes:
        job: Name of the job.
        generation: The job's generation.
        attempt: The last try or resume that is known.
        request_id: The service's id; None where a create call was never answered.
        begun: The first line's instant.
        state: The last end that was seen, else how far it got.
        took: From its first start to its last end; None where either is not known.
        cost_pu: Processing units at its last end; None before it.
    """

    job: str
    generation: int
    attempt: int
    request_id: str | None
    begun: datetime
    state: str
    took: timedelta | None
    cost_pu: float | None


def past_requests(entries: Sequence[Entry]) -> list[Past]:
    """Return one row for each request, oldest first; a refused or lost create call has one of its own."""
    answered = {entry.nonce: entry.request_id for entry in entries if entry.event is Event.CREATED}
    groups: dict[tuple[str, str | None], list[Entry]] = {}
    for entry in entries:
        which = entry.request_id or answered.get(entry.nonce) or entry.nonce
        groups.setdefault((entry.job, which), []).append(entry)
    return sorted((_past(group) for group in groups.values()), key=lambda row: row.begun)


def _past(group: Sequence[Entry]) -> Past:
    ordered = sorted(group, key=lambda entry: entry.at)
    last = ordered[-1]
    final = next((entry for entry in reversed(ordered) if entry.event is Event.FINAL), None)
    start = next((entry for entry in ordered if entry.event is Event.START), None)
    return Past(
        job=last.job,
        generation=last.generation,
        attempt=max(entry.attempt for entry in ordered),
        request_id=next((entry.request_id for entry in ordered if entry.request_id), None),
        begun=ordered[0].at,
        state=_state(ordered, final),
        took=final.at - start.at
        if final is not None and start is not None and final.at > start.at
        else None,
        cost_pu=final.cost_pu if final is not None else None,
    )


_PROGRESS = (
    (Event.STOP, "stopping"),
    (Event.START, "started"),
    (Event.ADOPTED, "adopted"),
    (Event.SEALED, "created"),
    (Event.CREATED, "created"),
    (Event.RETIRED, "retired"),
)


def _state(ordered: Sequence[Entry], final: Entry | None) -> str:
    if final is not None and final.status is not None:
        return final.status.lower()
    events = {entry.event for entry in ordered}
    if Event.RETIRED in events and Event.CREATED not in events:
        return "refused"
    return next((word for event, word in _PROGRESS if event in events), "no answer")
