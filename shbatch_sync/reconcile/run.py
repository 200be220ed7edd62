"""What one apply is given, and what it knows that no list can tell it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from shbatch_sync.clock import Clock, SystemClock
from shbatch_sync.cost.price import Estimate
from shbatch_sync.errors import ShbatchError
from shbatch_sync.job import Job
from shbatch_sync.ledger import Entry, Event
from shbatch_sync.marker import Commit, Marker
from shbatch_sync.plan import Action, Change, Plan, Policy, Reason
from shbatch_sync.reconcile.result import Outcome, Step
from shbatch_sync.store.ledger import LedgerStore

if TYPE_CHECKING:
    from shbatch_sync.api.client import BatchProcessClient

MAX_NAP = 0.25
# Seconds that a step is tried again for: a stop while the service takes a start in, a request it does not find yet.
PATIENCE = 600.0
_LAG_FACTOR = 2
# Seconds after which a read was still seen to know nothing of a write.
READS_LAG = 100.0
_AGAIN = frozenset({Reason.NEW_TRY, Reason.RESUME, Reason.FORGOTTEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How an apply goes about it.

    Attributes:
        wait: Go on until nothing can progress without a person.
        timeout: Seconds after which it ends whatever is left; None for no end.
        poll: Seconds between two lists while waiting.
        settle: Seconds an unsealed request is left alone before it is judged: at least the lag of the list.
        parallelism: Calls at once.
        fail_fast: Stop at the first job that fails.
        must_have_ledger: Refuse to create where no ledger was begun, and where the list knows more than it.
    """

    wait: bool = False
    timeout: float | None = None
    poll: float = 30.0
    settle: float = 120.0
    parallelism: int = 4
    fail_fast: bool = False
    must_have_ledger: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an apply works on.

    Attributes:
        project: Ownership scope.
        target: Name of the target.
        account: Pinned account id; None takes the ledger's, else the first that is seen.
        commit: Commit of the manifests.
        selected: Jobs to act on; None for all.
        estimates: Job name → price.
        elsewhere: Names of jobs that are declared on other targets.
    """

    project: str
    target: str
    account: str | None = None
    commit: Commit | None = None
    selected: frozenset[str] | None = None
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()


class Interrupt:
    """Set by a signal: the call in flight is finished, no other one is begun."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask for an end."""
        self._event.set()

    @property
    def requested(self) -> bool:
        """Whether an end was asked for."""
        return self._event.is_set()


@dataclass(kw_only=True)
class Run:
    """One apply: what it works with, and what it has learnt.

    Attributes:
        client: The service.
        ledger: Where steps are written down.
        jobs: Everything declared on the target.
        policy: What may be done.
        scope: What it works on.
        options: How it goes about it.
        env: Where credentials of the jobs are read from.
        in_history: Says whether the checkout's history has a commit.
        report: Told of every step.
        watch: Told of every round's plan.
        account: The account, once it is known.
        made: Request id → job, of requests that this run made and no list has shown yet.
        missed: Request id → seconds after its create call that a list still missed it.
        lags: The same, of requests that a list has shown since.
        longest_lag: The longest that the ledger knows, in seconds.
        first_seen: Request id of an unsealed claimant → when it was first seen or made.
        unanswered: Job name → when a create call without an answer ended.
        refused: (request id or job, action) → when it was first refused.
        known: Ids of requests of ours that the first list showed; later ones are another run's.
        accepted: (request id, action, try) → when the service took it.
        written: (request id, description) of what was written and may not show yet.
        stubborn: (request id, text) of descriptions that the service stores in other words.
        restarted: Jobs that were run again in this run.
        renewed: Jobs whose create was refused for its token once.
        failures: Job name → what went wrong.
        held: Job name → why it was left alone.
        later: Jobs whose next step the service will take, but not soon: only a waiting run stays for them.
        creating: False once the service has said that nothing more may be created.
        proven: Whether the first create of this run, the canary, came back as it was sent.
        spent: Request id → high estimate, of what was started.
        strays: Old sealed requests of ours that the ledger had no line of when this run began.
        outage: Why the account could not be listed any more.
    """

    client: BatchProcessClient
    ledger: LedgerStore
    jobs: Sequence[Job]
    policy: Policy
    scope: Scope
    options: Options = field(default_factory=Options)
    env: Mapping[str, str] = field(default_factory=dict)
    in_history: Callable[[str], bool] = lambda _: True
    report: Callable[[Step], None] = lambda _: None
    watch: Callable[[Plan], None] = lambda _: None
    clock: Clock = field(default_factory=SystemClock)
    interrupt: Interrupt = field(default_factory=Interrupt)
    account: str | None = None
    made: dict[str, str] = field(default_factory=dict)
    missed: dict[str, float] = field(default_factory=dict)
    lags: dict[str, float] = field(default_factory=dict)
    longest_lag: float = 0.0
    first_seen: dict[str, float] = field(default_factory=dict)
    unanswered: dict[str, float] = field(default_factory=dict)
    refused: dict[tuple[str, Action], float] = field(default_factory=dict)
    known: frozenset[str] | None = None
    accepted: dict[tuple[str, Action, int], float] = field(default_factory=dict)
    written: set[tuple[str, str]] = field(default_factory=set)
    stubborn: set[tuple[str, str | None]] = field(default_factory=set)
    restarted: set[str] = field(default_factory=set)
    renewed: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    later: set[str] = field(default_factory=set)
    creating: bool = True
    proven: bool = False
    spent: dict[str, float] = field(default_factory=dict)
    strays: tuple[str, ...] | None = None
    outage: str | None = None
    steps: list[Step] = field(default_factory=list)
    began: float = field(init=False)
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.began = self.clock.monotonic()

    @property
    def halted(self) -> bool:
        """Whether no further step may be begun."""
        return (
            self.interrupt.requested
            or self.out_of_time
            or (self.options.fail_fast and bool(self.failures))
        )

    @property
    def out_of_time(self) -> bool:
        """Whether the timeout has passed."""
        limit = self.options.timeout
        return limit is not None and self.clock.monotonic() - self.began >= limit

    @property
    def patience(self) -> float:
        """Seconds that something is tried or waited for before it is given up."""
        return max(PATIENCE, 3 * self.settle)

    @property
    def settle(self) -> float:
        """Seconds that a new request is left alone: as asked, but never below twice the longest lag seen."""
        return max(self.options.settle, _LAG_FACTOR * max([self.longest_lag, *self.lags.values()]))

    def now(self) -> datetime:
        """Return the service's time where it told us, else the machine's."""
        return self.client.service_time() or self.clock.now()

    def pause(self, seconds: float) -> None:
        """Wait, but not past the timeout nor past an interrupt."""
        end = self.clock.monotonic() + seconds
        while not self.interrupt.requested and not self.out_of_time:
            left = end - self.clock.monotonic()
            if left <= 0:
                return
            self.clock.sleep(min(left, MAX_NAP))

    def note(
        self, change: Change, outcome: Outcome, request_id: str | None = None, detail: str = ""
    ) -> None:
        """Keep a step and tell of it; a job that failed is left alone for the rest of the run."""
        step = Step(change.job, change.action, outcome, request_id, detail, change.reason)
        with self._mutex:
            if outcome is Outcome.FAILED:
                self.failures[change.job] = detail
            elif outcome is Outcome.HELD:
                self.held[change.job] = detail
            self.steps.append(step)
            self.report(step)

    def patient(self, subject: str, action: Action, limit: float | None = None) -> bool:
        """Say whether a step that was refused is still to be tried again; `limit` is in seconds."""
        now = self.clock.monotonic()
        limit = self.patience if limit is None else limit
        return now - self.refused.setdefault((subject, action), now) < limit

    def accept(self, change: Change) -> None:
        """Remember that the service took an action."""
        self.accepted[_call_of(change)] = self.clock.monotonic()
        self.ran_again(change)
        self.refused.pop((change.request_id or "", change.action), None)

    def ran_again(self, change: Change) -> None:
        """Remember that a job was run again, so that one request to do so is not taken for several."""
        if change.reason in _AGAIN:
            self.restarted.add(change.job)

    def lately_accepted(self, change: Change) -> bool:
        """Say whether this run has had the same action accepted so lately that no read need show it yet."""
        at = self.accepted.get(_call_of(change))
        return at is not None and self.clock.monotonic() - at < max(READS_LAG, self.settle)

    def write(
        self,
        event: Event,
        marker: Marker,
        request_id: str | None = None,
        *,
        norm_digest: str | None = None,
        status: str | None = None,
        cost_pu: float | None = None,
        lag: float | None = None,
    ) -> None:
        """Append one line to the ledger.

        Raises:
            LedgerError: It is not safely written; the step it stands for must not be taken.
        """
        if not self.options.must_have_ledger:
            self.ledger.begin()
        self.ledger.append(
            Entry(
                at=self.now(),
                event=event,
                target=self.scope.target,
                account=self.account,
                project=self.scope.project,
                job=marker.job,
                generation=marker.generation,
                digest=marker.digest,
                norm_digest=norm_digest,
                attempt=marker.attempt,
                nonce=marker.nonce,
                request_id=request_id,
                status=status,
                cost_pu=cost_pu,
                lag=lag,
                commit=self.scope.commit.sha if self.scope.commit else None,
            )
        )


class MangledError(ShbatchError):
    """The service does not keep descriptions to the letter: markers would not survive, so nothing is started."""


def _call_of(change: Change) -> tuple[str, Action, int]:
    attempt = (
        change.marker.attempt if change.marker else change.live.marker.attempt if change.live else 1
    )
    return (change.request_id or "", change.action, attempt)
