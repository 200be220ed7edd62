"""A scene: what all decisions about a plan look at, and how they write down what they find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from shbatch_sync.case import Case
from shbatch_sync.cost.price import Estimate
from shbatch_sync.inventory import Inventory, Live, Suspect
from shbatch_sync.job import Job
from shbatch_sync.ledger import Ledger
from shbatch_sync.phase import UNPAID, Phase, phase_of
from shbatch_sync.plan import Action, Change, Facts, Policy, Reason
from shbatch_sync.rename import Mould, Names, moulds, work


@dataclass(frozen=True)
class Scene:
    """What is the same for every job of a plan.

    Attributes:
        inventory: The list.
        ledger: What is remembered.
        policy: What may be done.
        facts: What is told of the world.
        declared: Names of all declared jobs.
    """

    inventory: Inventory
    ledger: Ledger
    policy: Policy
    facts: Facts
    declared: frozenset[str]

    def undeclared(self) -> Iterator[tuple[str, tuple[Live, ...]]]:
        """Yield the jobs that requests of ours belong to and no manifest declares, with those that still count."""
        for job, lives in self.inventory.owned.items():
            if job not in self.declared:
                yield job, tuple(live for live in lives if live.marker.retired is None)

    @cached_property
    def orphans(self) -> list[Suspect]:
        """What counts and is of no declared job."""
        return [
            Suspect(live.request, f"job {job}, not declared any more", job)
            for job, lives in self.undeclared()
            for live in lives
        ]

    @cached_property
    def moulds(self) -> dict[tuple[Mould, str], Suspect]:
        """Orphans that cost something, or may have, by what they compute and where, with their own name cut out of that."""
        found: dict[tuple[Mould, str], Suspect] = {}
        for suspect in self.orphans:
            body = suspect.request.request
            cut = moulds(body, suspect.job or "")
            if cut and phase_of(suspect.request) not in UNPAID:
                done = work(body)
                found |= {(mould, done): suspect for mould in cut}
        return found

    @cached_property
    def ran(self) -> Names:
        """Undeclared jobs that the ledger knows to have cost something, or to have ended."""
        return Names(self.ledger.ran(self.declared))

    def price(self, job: Job) -> Estimate | None:
        """Return what a start of a job would cost, if it is known."""
        return self.facts.estimates.get(job.name)


def change_of(
    case: Case, action: Action, reason: Reason, detail: str = "", live: Live | None = None
) -> Change:
    """Return a change of a declared job."""
    return Change(
        job=case.job.name,
        action=action,
        reason=reason,
        detail=detail,
        request_id=live.id if live is not None else None,
        origin=case.job.origin,
        declared=case.job,
        live=live,
    )


def attention(case: Case, reason: Reason, detail: str, live: Live | None = None) -> Change:
    """Return a change that a person has to make."""
    return change_of(case, Action.ATTENTION, reason, detail, live)


_WAITING = {
    Phase.ANALYSING: (Reason.ANALYSING, "the service analyses it"),
    Phase.STARTING: (Reason.STARTING, "started, not yet processing"),
    Phase.PROCESSING: (Reason.PROCESSING, "processing"),
    Phase.STOPPING: (Reason.STOPPING, "stopping"),
}


def waiting(case: Case, live: Live) -> Change:
    """Return a change that time makes."""
    unknown = (
        Reason.UNKNOWN_STATE,
        f"state {live.request.status.value} is not known to this version",
    )
    reason, detail = _WAITING.get(live.phase, unknown)
    if live.phase is Phase.PROCESSING:
        detail = f"processing, {live.request.completion_percentage or 0:.0f} %"
    return change_of(case, Action.WAIT, reason, detail, live)
