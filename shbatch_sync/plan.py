"""A plan: what would be done, and why; a value that is computed, shown, compared and carried out.

Actions drive what is done. Reasons and details are for people only and never branched on when applying.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shbatch_sync.cost.calibration import below_minimum
from shbatch_sync.cost.price import Estimate
from shbatch_sync.diff import FieldChange
from shbatch_sync.inventory import Live
from shbatch_sync.job import DeclaredState, Job, Origin
from shbatch_sync.marker import Commit, Marker


class Action(StrEnum):
    """The closed list of what a change can do."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    ANALYSE = "analyse"
    START = "start"
    STOP = "stop"
    ADOPT = "adopt"
    ATTENTION = "attention"
    WAIT = "wait"


# What a change of these does is nothing: a person has to, or time.
PASSIVE = frozenset({Action.ATTENTION, Action.WAIT})


class Reason(StrEnum):
    """Why a change is in the plan; for people and for machines that report, not for those that act."""

    # create and replace
    MISSING = "missing"
    NEW_TRY = "new_try"
    FORGOTTEN = "forgotten"
    SPEC_CHANGED = "spec_changed"
    GENERATION_RAISED = "generation_raised"
    ADOPT = "adopt"
    # update
    DESCRIPTION_CHANGED = "description_changed"
    UNSEALED = "unsealed"
    COSMETIC = "cosmetic"
    PROTECT_CHANGED = "protect_changed"
    STOPPED_BY_US = "stopped_by_us"
    RENAMED = "renamed"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    # analyse, start, stop
    DECLARED = "declared"
    RESUME = "resume"
    ORPHAN = "orphan"
    STARTED_TWICE = "started_twice"
    # wait
    ANALYSING = "analysing"
    STARTING = "starting"
    PROCESSING = "processing"
    STOPPING = "stopping"
    UNKNOWN_STATE = "unknown_state"
    DEFERRED = "deferred"
    DEPENDS_ON = "depends_on"
    MAX_RUNNING = "max_running"
    OLD_ACTIVE = "old_active"
    TOO_SOON = "too_soon"
    # attention
    FAILED = "failed"
    STOPPED = "stopped"
    ATTEMPTS_USED = "attempts_used"
    GENERATION_LOWER = "generation_lower"
    REVERTED = "reverted"
    DAMAGED = "damaged"
    COPY = "copy"
    PAID_TWICE = "paid_twice"


class Gate(StrEnum):
    """What can hold a change back; each is lifted by `--allow` with its name, but for protect."""

    REPLACE = "replace"
    STOP = "stop"
    COST = "cost"
    MANY = "many"
    TWIN = "twin"
    RECREATE = "recreate"
    STALE = "stale"
    PROTECT = "protect"


ALLOWABLE = frozenset(Gate) - {Gate.PROTECT}


# What a start may wait for within one apply.
LATER = frozenset(
    {
        Reason.ANALYSING,
        Reason.DEPENDS_ON,
        Reason.MAX_RUNNING,
        Reason.OLD_ACTIVE,
        Reason.TOO_SOON,
    }
)


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why a change is shown and not done.

    Attributes:
        gate: Which rule holds it back.
        number: What was measured, for people: `4,210 PU spent`.
        limit: What it was measured against.
        lift: What the user can do to have it done.
    """

    gate: Gate
    number: str
    limit: str
    lift: str

    def __str__(self) -> str:
        return f"withheld ({self.gate}): {self.number}, limit {self.limit}; {self.lift}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing to do, or to wait for, or to look at.

    Attributes:
        job: Name of the job.
        action: What is done.
        reason: Why.
        detail: The same in words, with what to do next where a person has to.
        request_id: The request it is done to; with `replace` the one that is replaced, with `create` none.
        origin: Where the job is declared; None for an orphan.
        fields: What differs: with `replace` the spec, with `update` the description.
        estimate: What a start would cost.
        withheld: The gate that holds it back, if one does.
        declared: The job, where there is one.
        live: The request it is about, as listed.
        marker: The marker to write, with `create`, `replace`, `update` and a resuming `start`.
        text: The people's text to write around it.
    """

    job: str
    action: Action
    reason: Reason
    detail: str = ""
    request_id: str | None = None
    origin: Origin | None = None
    fields: tuple[FieldChange, ...] = ()
    estimate: Estimate | None = None
    withheld: Withheld | None = None
    declared: Job | None = None
    live: Live | None = None
    marker: Marker | None = None
    text: str | None = None

    @property
    def effective(self) -> bool:
        """Whether applying would call the service for it."""
        return self.action not in PASSIVE and self.withheld is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a plan may do.

    Attributes:
        prune: Stop requests of jobs that are declared no more.
        allow: Gates that the user lifted.
        restart: Names of jobs that the user asked to run again though their policy does not.
        max_start_pu: Do not start when the plan's starts together may cost more than this, in PU.
        monthly_pu: Do not start when this month's costs and the plan's starts together may exceed this, in PU.
        max_running: No more requests of ours than this in processing at once.
        many_share: Largest share of jobs that may be replaced or stopped without asking.
        many_from: The share counts from this many declared jobs on.
    """

    prune: bool = False
    allow: frozenset[Gate] = frozenset()
    restart: frozenset[str] = frozenset()
    max_start_pu: float | None = None
    monthly_pu: float | None = None
    max_running: int | None = None
    many_share: float = 0.30
    many_from: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a plan is told of the world beside the two sides.

    Attributes:
        project: Ownership scope.
        target: Name of the target.
        now: The instant of planning, by the service's clock where it is known.
        account: `domainAccountId`, where it is known.
        commit: Commit of the manifests, where they stand in git.
        estimates: Job name → what a start would cost; a job that is missing has no estimate.
        selected: Names of the jobs to act on; None for all. Never narrows what is declared.
        strange_commits: Commits, later than `commit`, that requests were made from and this checkout's history lacks.
        elsewhere: Names of the project's jobs that are declared on other targets: no orphans, whatever account those are.
        spent_pu: High estimates of what this invocation has started already.
    """

    project: str
    target: str
    now: datetime
    account: str | None = None
    commit: Commit | None = None
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    selected: frozenset[str] | None = None
    strange_commits: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    spent_pu: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be done on one target.

    Attributes:
        facts: What it was computed with.
        changes: Ordered by job, within a job in the order of doing.
        in_sync: How many selected jobs need nothing at all.
        orphans: How many requests of undeclared jobs lie at rest.
        warnings: What a person may want to know and nobody acts on.
    """

    facts: Facts
    changes: tuple[Change, ...] = ()
    in_sync: int = 0
    orphans: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def has_changes(self) -> bool:
        """Whether applying would do something, or a person has to."""
        return any(change.effective or change.action is Action.ATTENTION for change in self.changes)

    def count(self, action: Action) -> int:
        """Count the changes of an action that are not withheld."""
        return sum(change.action is action and change.withheld is None for change in self.changes)

    @property
    def withheld(self) -> int:
        """How many jobs a gate holds back."""
        return len({change.job for change in self.changes if change.withheld is not None})

    @property
    def remarks(self) -> tuple[str, ...]:
        """All that a person may want to know: the warnings, and what the prices of the starts say together.

        A plan that was read back has all of it among its warnings: what this rests on is not saved.
        """
        starts = (change.estimate for change in self.changes if change.action is Action.START)
        small = below_minimum(price for price in starts if price is not None)
        return self.warnings if small is None else (*self.warnings, small)

    @property
    def later(self) -> tuple[Change, ...]:
        """The starts that wait for others, and go in a later round without asking anybody again."""
        return tuple(
            change
            for change in self.changes
            if change.action is Action.WAIT and change.reason in LATER and _is_to_start(change)
        )

    @property
    def estimate(self) -> Counter[str]:
        """Sums over all starts, later ones too: `pu`, `low`, `high`, and `unknown`, the number without a price."""
        now = (
            change
            for change in self.changes
            if change.action is Action.START and change.withheld is None
        )
        total: Counter[str] = Counter()
        for change in (*now, *self.later):
            price = change.estimate
            if price is None or price.pu is None:
                total["unknown"] += 1
            else:
                total.update({"pu": price.pu, "low": price.low, "high": price.high or 0})
        return total


def _is_to_start(change: Change) -> bool:
    """Say whether a wait is for a start; one that was read back knows its price, and not its job."""
    if change.declared is None:
        return change.estimate is not None
    return change.declared.state is DeclaredState.STARTED
