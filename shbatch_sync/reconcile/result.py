"""What an apply did: steps as they are taken, and the sum of them at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from shbatch_sync.errors import ExitCode
from shbatch_sync.plan import Action, Plan, Reason

MAKING = frozenset({Action.CREATE, Action.REPLACE})


class Outcome(StrEnum):
    """How a step went."""

    DONE = "done"
    ALREADY = "already"
    WAITING = "waiting"
    FAILED = "failed"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an apply.

    Attributes:
        job: Name of the job.
        action: What was tried.
        outcome: How it went.
        request_id: The request it was about, where there is one.
        detail: For people: why it waits or failed, and what to do.
        reason: Why the plan had it.
    """

    job: str
    action: Action
    outcome: Outcome
    request_id: str | None = None
    detail: str = ""
    reason: Reason | None = None

    @property
    def sealing(self) -> bool:
        """Whether it is the second half of a create, which people need not hear of."""
        return self.outcome is Outcome.DONE and self.reason is Reason.UNSEALED


def count_done(steps: Sequence[Step]) -> Counter[Action]:
    """Return how often each action was done; a create and its seal count as one, also where its answer was lost."""
    done = Counter(
        step.action for step in steps if step.outcome is Outcome.DONE and not step.sealing
    )
    made = {step.job: step for step in steps if step.action in MAKING}
    for step in steps:
        if step.sealing and step.job not in made:
            done[Action.UPDATE] += 1  # what an earlier run left unsealed
        elif step.sealing and made[step.job].outcome is Outcome.WAITING:
            done[made[step.job].action] += 1
    return done


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """What an apply did.

    Attributes:
        plan: What the last round found; what it lists is what is left.
        steps: All that was done, tried or waited for, in order.
        failures: Job name → what went wrong with it.
        held: Job name → why it was left alone though the plan would have acted.
        timed_out: Whether the time ran out.
        interrupted: Whether a person or the machine asked to stop.
        outage: Why the account could not be listed to the end, if that is what ended it.
    """

    plan: Plan
    steps: tuple[Step, ...] = ()
    failures: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    timed_out: bool = False
    interrupted: bool = False
    outage: str | None = None

    @property
    def done(self) -> Counter[Action]:
        """How often each action was done."""
        return count_done(self.steps)

    @property
    def unfinished(self) -> int:
        """How many jobs are left with something to do that nothing stands against, as where the time ran out."""
        left = {change.job for change in self.plan.changes if change.effective}
        return len(left - self.failures.keys() - self.held.keys())

    @property
    def exit_code(self) -> ExitCode:
        """What the program ends with: the worst of 1 > 4 > 3, and 130 where it was interrupted."""
        attention = any(change.action is Action.ATTENTION for change in self.plan.changes)
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.failures or self.outage:
            return ExitCode.ERROR
        if attention or self.timed_out:
            return ExitCode.ATTENTION
        if self.plan.withheld or self.held:
            return ExitCode.WITHHELD
        return ExitCode.OK
