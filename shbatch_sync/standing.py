"""Where each job stands: one row a job, out of a plan's two sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shbatch_sync.case import Case, read_case
from shbatch_sync.inventory import Inventory, Live, delivery_url
from shbatch_sync.job import Job
from shbatch_sync.ledger import Ledger
from shbatch_sync.plan import PASSIVE, Action, Change, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One row of `status`.

    Attributes:
        job: Name of the job.
        declared: State it is to reach; None for an orphan.
        state: Where it stands, in words; `done earlier` where only the ledger knows.
        request_id: The request that counts.
        status: The service's own status.
        user_action: The service's own last action.
        progress: Percentage.
        cost_pu: Processing units charged.
        error: The service's error text.
        stop_reason: Why it stopped.
        updated: When the request last changed.
        results: Folder or template that it delivers to, with its id put in.
        next: What happens next, or what a person has to do.
    """

    job: str
    declared: str | None
    state: str
    request_id: str | None = None
    status: str | None = None
    user_action: str | None = None
    progress: float | None = None
    cost_pu: float | None = None
    error: str | None = None
    stop_reason: str | None = None
    updated: datetime | None = None
    results: str | None = None
    next: str = ""


def standings(
    jobs: Sequence[Job], inventory: Inventory, ledger: Ledger, plan: Plan
) -> list[Standing]:
    """Return where every job stands, and every orphan that is not retired, by name."""
    rows = [_of_job(read_case(job, inventory, ledger), plan) for job in jobs]
    declared = {name for job in jobs for name in job.names}
    for name, lives in inventory.owned.items():
        if name not in declared:
            rows += [
                _of_live(name, None, live, _next(plan, name))
                for live in lives
                if live.marker.retired is None
            ]
    chosen = plan.facts.selected
    return sorted(
        (row for row in rows if chosen is None or row.job in chosen), key=lambda row: row.job
    )


def _of_job(case: Case, plan: Plan) -> Standing:
    job = case.job
    upcoming = _next(plan, job.name)
    if case.outcome is not None:
        return _of_live(job.name, job.state.value, case.outcome.winner, upcoming)
    if case.others:
        # Declared anew and not made yet: what there is, is what was declared before.
        return _of_live(job.name, job.state.value, case.others[-1], upcoming)
    end = case.record.done or case.record.final
    if end is not None:
        return Standing(
            job=job.name,
            declared=job.state.value,
            state=f"{(end.status or 'ended').lower()} earlier",
            request_id=end.request_id,
            progress=100.0 if end is case.record.done else None,
            cost_pu=end.cost_pu,
            updated=end.at,
            next=upcoming,
        )
    return Standing(job=job.name, declared=job.state.value, state="none", next=upcoming)


def _of_live(name: str, declared: str | None, live: Live, upcoming: str) -> Standing:
    request = live.request
    return Standing(
        job=name,
        declared=declared,
        state=live.phase.value,
        request_id=live.id,
        status=request.status.value,
        user_action=request.user_action.value if request.user_action else None,
        progress=request.completion_percentage,
        cost_pu=request.cost_PU,
        error=request.error,
        stop_reason=request.stopped_status_reason.value if request.stopped_status_reason else None,
        updated=request.last_updated,
        results=_results(live),
        next=upcoming or ("no manifest declares it" if declared is None else ""),
    )


def _results(live: Live) -> str | None:
    url = delivery_url(live.spec)
    if url is None:
        return None
    if "<" not in url:
        # A plain place stands for a folder of the request's own (Batch V2 docs, path templates).
        return f"{url.rstrip('/')}/{live.id}/"
    return url.replace("<requestId>", live.id)


def _next(plan: Plan, job: str) -> str:
    changes = [change for change in plan.changes if change.job == job]
    acting = [
        change.action.value
        for change in changes
        if change.action not in PASSIVE and not change.withheld
    ]
    if acting:
        return ", ".join(dict.fromkeys(acting))
    held = [
        f"withheld ({change.withheld.gate}); {change.withheld.lift}"
        for change in changes
        if change.withheld
    ]
    return next(iter(held), next((_passive(change) for change in changes), ""))


def _passive(change: Change) -> str:
    return f"{'!' if change.action is Action.ATTENTION else 'wait:'} {change.detail}"
