"""What the ledger's lines add up to: one row a request, with how long it took, what it cost and was expected to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shbatch_sync.cost.price import Estimate
from shbatch_sync.job import Job
from shbatch_sync.ledger_line import Entry, Event


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
        took: Sum over its tries, each from its first start to its end; None where no try has both.
        cost_pu: Processing units at its last end; None before it.
        digest: Fingerprint of its spec.
        norm_digest: Fingerprint of the normalised spec, where a line has it.
        estimate: What its spec is expected to cost; None where no job declares that spec any more.
    """

    job: str
    generation: int
    attempt: int
    request_id: str | None
    begun: datetime
    state: str
    took: timedelta | None
    cost_pu: float | None
    digest: str
    norm_digest: str | None = None
    estimate: Estimate | None = None

    @property
    def ratio(self) -> float | None:
        """Its cost over its estimate; None where one of them says nothing.

        What was resumed or tried again tells at its last end only a part of what it cost, and where every file was
        there already it costs nothing.
        """
        if self.estimate is None or not self.estimate.pu or not self.cost_pu:
            return None
        return self.cost_pu / self.estimate.pu if self.state == DONE and self.attempt == 1 else None


DONE = "done"


@dataclass(frozen=True, slots=True)
class Sums:
    """What several requests add up to.

    Attributes:
        requests: How many there were.
        ended: How many of them have an end that is known.
        took: How long those took whose times are known.
        cost_pu: Processing units of those that ended.
    """

    requests: int
    ended: int
    took: timedelta
    cost_pu: float


def sum_up(rows: Iterable[Past]) -> Sums:
    """Return what requests add up to."""
    rows = list(rows)
    costs = [row.cost_pu for row in rows if row.cost_pu is not None]
    took = sum((row.took for row in rows if row.took is not None), timedelta())
    return Sums(len(rows), len(costs), took, sum(costs, 0.0))


def by_job(rows: Iterable[Past]) -> dict[str, list[Past]]:
    """Return the requests of each job, by its name."""
    jobs: dict[str, list[Past]] = {}
    for row in rows:
        jobs.setdefault(row.job, []).append(row)
    return dict(sorted(jobs.items()))


def estimated(
    rows: Sequence[Past], jobs: Iterable[Job], prices: Mapping[str, Estimate]
) -> list[Past]:
    """Return the rows, those that have cost something with the estimate of the job that declares the same spec today.

    Args:
        rows: Of one target.
        jobs: Declared on it.
        prices: Job → estimate; asked only for jobs with such a row.
    """
    by_name = {name: job for job in jobs for name in job.names}
    return [
        replace(row, estimate=prices[job.name])
        if row.cost_pu and (job := by_name.get(row.job)) is not None and _same_spec(row, job)
        else row
        for row in rows
    ]


def _same_spec(row: Past, job: Job) -> bool:
    return row.digest == job.digest or row.norm_digest == job.norm_digest


def past_requests(entries: Sequence[Entry]) -> list[Past]:
    """Return one row for each request, oldest first; a refused or lost create call has one of its own.

    A job that was renamed meanwhile is one row still, under its last name.
    """
    return sorted((_past(group) for group in _by_request(entries)), key=lambda row: row.begun)


def entries_of(entries: Sequence[Entry], wanted: Callable[[str], bool]) -> list[Entry]:
    """Return the lines, in their order, of the requests whose job ever had a name that is `wanted`."""
    kept = {
        id(entry)
        for group in _by_request(entries)
        if any(wanted(entry.job) for entry in group)
        for entry in group
    }
    return [entry for entry in entries if id(entry) in kept]


def _by_request(entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
    # Any line with both tells which request a call made: where its answer was lost, there is no `created`.
    answered = {entry.nonce: entry.request_id for entry in entries if entry.request_id}
    groups: dict[str | None, list[Entry]] = {}
    for entry in entries:
        which = entry.request_id or (entry.nonce and answered.get(entry.nonce)) or entry.nonce
        groups.setdefault(which, []).append(entry)
    return groups.values()


def _past(group: Sequence[Entry]) -> Past:
    ordered = sorted(group, key=lambda entry: entry.at)
    last = ordered[-1]
    final = next((entry for entry in reversed(ordered) if entry.event is Event.FINAL), None)
    return Past(
        job=last.job,
        generation=last.generation,
        attempt=max(entry.attempt for entry in ordered),
        request_id=next((entry.request_id for entry in ordered if entry.request_id), None),
        begun=ordered[0].at,
        state=_state(ordered, final),
        took=_took(ordered),
        cost_pu=final.cost_pu if final is not None else None,
        digest=last.digest,
        norm_digest=next((entry.norm_digest for entry in ordered if entry.norm_digest), None),
    )


def _took(ordered: Sequence[Entry]) -> timedelta | None:
    starts: dict[int, datetime] = {}
    spans: dict[int, timedelta] = {}
    for entry in ordered:
        if entry.event is Event.START:
            starts.setdefault(entry.attempt, entry.at)
        elif entry.event is Event.FINAL and entry.at > starts.get(entry.attempt, entry.at):
            spans[entry.attempt] = entry.at - starts[entry.attempt]
    return sum(spans.values(), timedelta()) if spans else None


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
