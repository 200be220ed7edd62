"""What one apply is given, and what it knows that no list can tell it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shbatch_sync.clock import Clock, SystemClock
from shbatch_sync.inventory import Live
from shbatch_sync.job import Job
from shbatch_sync.ledger_line import Entry, Event
from shbatch_sync.marker import Marker
from shbatch_sync.phase import COUNTS_AS_STARTED
from shbatch_sync.plan import Action, Change, Plan, Policy
from shbatch_sync.reconcile.calls import Calls
from shbatch_sync.reconcile.interrupt import Interrupt
from shbatch_sync.reconcile.lag import Lag
from shbatch_sync.reconcile.memory import Memory
from shbatch_sync.reconcile.options import Options
from shbatch_sync.reconcile.result import Outcome, Step
from shbatch_sync.reconcile.scope import Scope
from shbatch_sync.reconcile.sightings import Sightings
from shbatch_sync.store.ledger import LedgerStore

if TYPE_CHECKING:
    from shbatch_sync.api.client import BatchProcessClient

MAX_NAP = 0.25


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
        settling: Told how many seconds are left until what is new may be judged.
        account: The account, once it is known.
        lag: How late the list shows new requests.
        calls: What was asked of the service.
        sightings: What lists should show.
        agreed: Jobs that a person has agreed to start; None where nobody had to be asked.
        known: Ids of requests of ours that the first list showed; later ones are another run's.
        failures: Job name → what went wrong.
        held: Job name → why it was left alone.
        later: Jobs whose next step the service will take, but not soon: only a waiting run stays for them.
        creating: False once the service has said that nothing more may be created.
        proven: Whether the first create of this run, the canary, came back as it was sent.
        spent: Request id → high estimate, of what was started.
        strays: Old sealed requests of ours that the ledger had no line of when this run began.
        memory: The ledger as it was read last.
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
    settling: Callable[[float], None] = lambda _: None
    clock: Clock = field(default_factory=SystemClock)
    interrupt: Interrupt = field(default_factory=Interrupt)
    account: str | None = None
    known: frozenset[str] | None = None
    agreed: frozenset[str] | None = None
    failures: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    later: set[str] = field(default_factory=set)
    creating: bool = True
    proven: bool = False
    spent: dict[str, float] = field(default_factory=dict)
    strays: tuple[str, ...] | None = None
    memory: Memory | None = None
    outage: str | None = None
    steps: list[Step] = field(default_factory=list)
    sightings: Sightings = field(default_factory=Sightings)
    lag: Lag = field(init=False)
    calls: Calls = field(init=False)
    began: float = field(init=False)
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.lag = Lag(self.options.settle)
        self.calls = Calls(self.clock, self.lag)
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
    def seconds_to_settle(self) -> float | None:
        """Seconds until a list may judge all that is new; None where nothing new is waited for."""
        new = (*self.lag.first_seen.values(), *self.calls.unanswered.values())
        left = [at + self.lag.settle - self.clock.monotonic() for at in new]
        return max((seconds for seconds in left if seconds > 0), default=None)

    def agree(self, plan: Plan | None) -> None:
        """Let this run start what a person has been shown, now or later, and nothing else; its time begins here.

        Args:
            plan: What was shown and agreed to; None where there was nothing to ask about.
        """
        starts = [one for one in plan.changes if one.action is Action.START] if plan else []
        self.agreed = frozenset(one.job for one in (*starts, *(plan.later if plan else ())))
        self.began = self.clock.monotonic()

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

    def write_adopted(self, live: Live, marker: Marker, norm_digest: str | None) -> None:
        """Write down that a request is ours from now on, and that it was started, if that was before.

        Args:
            live: The request.
            marker: What it carries, or is about to.
            norm_digest: Of its body.

        Raises:
            LedgerError: It is not safely written.
        """
        self.write(Event.ADOPTED, marker, live.id, norm_digest=norm_digest)
        if live.phase in COUNTS_AS_STARTED:
            # When is not known; but before it was at rest, so that this is no start that was refused since.
            self.write(
                Event.START, marker, live.id, norm_digest=norm_digest, at=live.request.created
            )

    def write(
        self, event: Event, marker: Marker, request_id: str | None = None, **members: Any
    ) -> None:
        """Append one line to the ledger.

        Args:
            event: What happened, or is about to.
            marker: Of the request that it is about.
            request_id: The request, where it is known.
            members: Others of `Entry`; `at` only if it did not happen just now.

        Raises:
            LedgerError: It is not safely written; the step it stands for must not be taken.
        """
        if not self.options.must_have_ledger:
            self.ledger.begin()
        self.ledger.append(
            Entry(
                at=members.pop("at", None) or self.now(),
                event=event,
                target=self.scope.target,
                account=self.account,
                project=self.scope.project,
                job=marker.job,
                generation=marker.generation,
                digest=marker.digest,
                attempt=marker.attempt,
                nonce=marker.nonce,
                request_id=request_id,
                commit=self.scope.commit.sha if self.scope.commit else None,
                **members,
            )
        )
