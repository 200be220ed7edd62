"""The world as it is when a saved plan is to be applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shbatch_sync.case import Case, read_case
from shbatch_sync.inventory import Inventory, Live
from shbatch_sync.job import Job
from shbatch_sync.ledger import Ledger
from shbatch_sync.plan import Action, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What was found when the plan was made again.

    Attributes:
        plan: The plan of now.
        jobs: Declared on the target, by name.
        inventory: The list.
        ledger: What is remembered.
    """

    plan: Plan
    jobs: Mapping[str, Job]
    inventory: Inventory
    ledger: Ledger

    def case(self, job: str) -> Case:
        """Return what is known of a declared job."""
        return read_case(self.jobs[job], self.inventory, self.ledger)

    def live(self, request_id: str) -> Live | None:
        """Return a request of ours, whatever job it is of and whether it still counts."""
        return next(
            (
                live
                for lives in self.inventory.owned.values()
                for live in lives
                if live.id == request_id
            ),
            None,
        )

    def waits(self, job: str) -> bool:
        """Say whether nothing but time stands before a job's next step."""
        changes = (change for change in self.plan.changes if change.job == job)
        return any(change.action is Action.WAIT for change in changes)
