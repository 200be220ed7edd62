"""Rounds: list, settle, plan, act, until nothing is left that this run may do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from shbatch_sync.decision import decide, survey
from shbatch_sync.digest import digest
from shbatch_sync.errors import ApiError, RequestNotFoundError, TargetRefusedError
from shbatch_sync.inventory import Inventory, Live
from shbatch_sync.ledger import Entry, Event, Ledger
from shbatch_sync.normalize import normalize
from shbatch_sync.phase import COUNTS_AS_STARTED, Phase
from shbatch_sync.plan import Action, Change, Facts, Plan, Policy, Reason
from shbatch_sync.reconcile.acting import act_on_job
from shbatch_sync.reconcile.creating import create_all, other_account
from shbatch_sync.reconcile.result import ApplyResult, Outcome
from shbatch_sync.reconcile.run import Run
from shbatch_sync.restart import start_was_refused

_MAKING = frozenset({Action.CREATE, Action.REPLACE})
_ENDS = {Phase.DONE: "DONE", Phase.FAILED: "FAILED", Phase.STOPPED: "STOPPED"}
# What goes on by itself, so that waiting for it makes sense; the other waits hang on one of these.
_PASSING = frozenset(
    {
        Reason.ANALYSING,
        Reason.STARTING,
        Reason.PROCESSING,
        Reason.STOPPING,
        Reason.TOO_SOON,
        Reason.UNKNOWN_STATE,
    }
)
_LEDGER_AGE = timedelta(days=1)
# Seconds without a list after which a run gives up.
OUTAGE = 600.0


@dataclass(frozen=True, slots=True)
class Round:
    """One list, and what was decided over it.

    Attributes:
        begun: When the list was begun, by the monotonic clock.
        inventory: What it showed of us.
        ledger: What was remembered at the time.
        plan: What to do.
    """

    begun: float
    inventory: Inventory
    ledger: Ledger
    plan: Plan


def apply_plan(run: Run, first: Round | None = None) -> ApplyResult:
    """Bring one target to what is declared, as far as gates and the service allow.

    Whatever fails, and however many run at once: each job is paid once, none is lost, and running it again
    goes on where this one ended.

    Args:
        run: What to work on.
        first: A round that was looked at just now; None looks.

    Raises:
        ApiError: The account could not be listed.
        LedgerError: A step could not be written down; it was not taken.
        MangledError: The service does not keep descriptions to the letter.
        TargetRefusedError: Another account than pinned, or no ledger to remember creates in.
    """
    current = first or look(run)
    run.known = current.inventory.ids if run.known is None else run.known
    while True:
        run.watch(current.plan)
        progressed = _carry_out(run, current)
        if run.halted or not (progressed or _worth_waiting(run, current)):
            return _result(run, (_look_again(run) or current) if progressed else current)
        if not progressed:
            run.pause(run.options.poll)
        following = _look_again(run)
        if following is None:
            return _result(run, current)
        current = following


def _look_again(run: Run) -> Round | None:
    """List once more; an outage of the service in the middle of a long run does not end it, but for a long one."""
    begun = run.clock.monotonic()
    while True:
        try:
            return look(run)
        except ApiError as error:
            run.outage = str(error)
        if run.halted or run.clock.monotonic() - begun > OUTAGE:
            return None
        run.pause(run.options.poll)


def look(run: Run, *, record: bool = True) -> Round:
    """List the account and plan.

    Args:
        run: What to look at.
        record: Whether ends that are seen for the first time are written down; a plan writes nothing.

    Raises:
        ApiError: The account could not be listed.
        TargetRefusedError: The requests belong to another account than the target's.
    """
    begun = run.clock.monotonic()
    memory = _memory(run)
    inventory = survey(run.jobs, run.client.iter_requests(sort="created"), memory, _facts(run))
    _settle_account(run, inventory, memory)
    memory = _memory(run)
    if run.strays is None:
        run.strays = _strays(run, inventory, memory)
    if record and (run.ledger.exists() or not run.options.must_have_ledger):
        _record_ends(run, inventory, memory)
        _carry_names_over(run, memory)
        memory = _memory(run)
    _see(run, inventory, begun)
    run.longest_lag = memory.longest_lag
    facts = replace(_facts(run), strange_commits=_strange_commits(run, inventory))
    run.outage = None
    return Round(begun, inventory, memory, decide(run.jobs, inventory, memory, _policy(run), facts))


def _memory(run: Run) -> Ledger:
    scope = run.scope
    return Ledger.of(
        run.ledger.read(),
        project=scope.project,
        target=scope.target,
        account=run.account or scope.account,
    )


def _facts(run: Run) -> Facts:
    scope = run.scope
    return Facts(
        project=scope.project,
        target=scope.target,
        now=run.now(),
        account=run.account,
        commit=scope.commit,
        estimates=scope.estimates,
        elsewhere=scope.elsewhere,
        selected=scope.selected,
        spent_pu=sum(run.spent.values()),
    )


def _policy(run: Run) -> Policy:
    """Return what may be done now: what a person asked to run again is run again once, not until it works."""
    return replace(run.policy, restart=run.policy.restart - run.restarted)


def _settle_account(run: Run, inventory: Inventory, memory: Ledger) -> None:
    pinned = run.account or run.scope.account or memory.account
    strange = sorted(inventory.accounts - {pinned}) if pinned else []
    if pinned and strange:
        raise TargetRefusedError(other_account(run.scope.target, pinned, strange[0]))
    run.account = pinned or next(iter(sorted(inventory.accounts)), None)


def _record_ends(run: Run, inventory: Inventory, memory: Ledger) -> None:
    jobs = {name: job for job in run.jobs for name in job.names}
    for name, lives in inventory.owned.items():
        for live in lives:
            status = _ENDS.get(live.phase)
            known = (name, live.id, status, live.marker.attempt) in memory.finals
            if status is None or known or _resumed_in_vain(live, memory):
                continue
            job = jobs.get(name)
            same = job is not None and job.digest == live.marker.digest
            norm_digest = (
                job.norm_digest if job is not None and same else digest(normalize(live.spec))
            )
            run.write(
                Event.FINAL,
                live.marker,
                live.id,
                norm_digest=norm_digest,
                status=status,
                cost_pu=live.request.cost_PU,
            )


def _resumed_in_vain(live: Live, memory: Ledger) -> bool:
    """A refused resume has its number on the request already, but the stop that is seen is the one before."""
    return live.phase is Phase.STOPPED and start_was_refused(live, memory.of_request(live.id))


def _carry_names_over(run: Run, memory: Ledger) -> None:
    """Write what is known of a renamed job under its new name, so that it holds when `previousNames` is gone."""
    lines = [line for job in run.jobs if job.previous_names for line in memory.renamed(job)]
    if lines:
        run.ledger.append(*lines)


def _see(run: Run, inventory: Inventory, begun: float) -> None:
    """Learn from a list: which requests of this run it shows, how long it missed them, what is new to us."""
    now = run.clock.monotonic()
    for request_id in list(run.made):
        if request_id in inventory.ids:
            del run.made[request_id]
            if request_id in run.missed:
                run.lags[request_id] = run.missed[request_id]
        else:
            _miss(run, request_id, begun, now)
    for lives in inventory.owned.values():
        for live in lives:
            if not live.sealed and live.marker.retired is None:
                run.first_seen.setdefault(live.id, now)


def _miss(run: Run, request_id: str, begun: float, now: float) -> None:
    made = run.first_seen[request_id]
    if now - made > run.patience:
        # The service may have dropped it; waiting for it any longer would hold up every other job.
        job = run.made.pop(request_id)
        run.failures[job] = (
            f"request {request_id} was made, but no list shows it; look for it before applying again"
        )
    elif begun > made:
        run.missed[request_id] = begun - made


def _strange_commits(run: Run, inventory: Inventory) -> frozenset[str]:
    """Return the commits, later than ours, that requests were made from and our history does not have."""
    here = run.scope.commit
    if here is None:
        return frozenset()
    commits = {live.marker.commit for lives in inventory.owned.values() for live in lives}
    later = {commit.sha for commit in commits if commit is not None and commit.time > here.time}
    return frozenset(sha for sha in later if not run.in_history(sha))


# --- acting on a round ---------------------------------------------------------------------------------------


def _carry_out(run: Run, current: Round) -> bool:
    changes = [change for change in _open_changes(run, current) if change.effective]
    changes = list(_undisturbed(run, current, changes))
    creates = [
        change for change in changes if change.action in _MAKING and _ready(run, current, change)
    ]
    if creates:
        _demand_ledger(run)
    run.later.clear()
    made = create_all(run, creates)
    # A job whose request is only being made has nothing yet to act on: its next steps are of the next round.
    making = {change.job for change in changes if change.action in _MAKING}
    unsettled = _unsettled(run, current)
    rest = [
        change
        for change in changes
        if change.action not in _MAKING
        and change.live is not None
        and (change.action is Action.STOP or change.job not in making | unsettled)
    ]
    return _act(run, rest) or made


def _open_changes(run: Run, current: Round) -> list[Change]:
    """Return what this run may still do something about, or wait for."""
    alone = run.failures.keys() | run.held.keys()
    return [
        change
        for change in current.plan.changes
        if change.job not in alone
        # A text that the service stores in other words is written once; after that it says nothing new.
        and not (
            change.reason is Reason.DESCRIPTION_CHANGED
            and (change.request_id or "", change.text) in run.stubborn
        )
    ]


def _act(run: Run, changes: Iterable[Change]) -> bool:
    before = sum(step.outcome is Outcome.DONE for step in run.steps)
    with ThreadPoolExecutor(max_workers=run.options.parallelism) as pool:
        futures = [
            pool.submit(act_on_job, run, list(steps))
            for _, steps in groupby(changes, key=lambda change: change.job)
        ]
        for future in futures:
            future.result()
    return sum(step.outcome is Outcome.DONE for step in run.steps) > before


def _ready(run: Run, current: Round, change: Change) -> bool:
    """Say whether a create may be made now; one that waits too long for the list to show it is given up."""
    if _may_create(run, current, change):
        return True
    if change.job not in run.made.values() and not run.patient(change.job, change.action):
        detail = "an earlier create of it may have answered, but no list shows it; look for it before applying again"
        run.note(change, Outcome.FAILED, detail=detail)
    return False


def _may_create(run: Run, current: Round, change: Change) -> bool:
    """Say whether no create call of this key, ours or another run's, may still be about to show in the list."""
    job = change.declared
    ended = run.unanswered.get(change.job)
    if job is None or change.job in run.made.values():
        return False
    if ended is not None and current.begun < ended + run.settle:
        return False
    record = current.ledger.record(job)
    young = run.now() - timedelta(seconds=run.settle)
    if ended is None and any(entry.at > young for entry in record.unanswered()):
        return False
    return not any(
        _still_there(run, entry, young) for entry in record.created(current.inventory.ids)
    )


def _still_there(run: Run, entry: Entry, young: datetime) -> bool:
    """Say whether a request that was made and is not listed exists all the same; the service may have forgotten it."""
    if entry.at > young or entry.request_id is None:
        return True
    try:
        run.client.get_request(entry.request_id)
    except RequestNotFoundError:
        return False
    except ApiError:
        return True  # nobody knows, so nothing is made; the next round asks again
    return True


def _unsettled(run: Run, current: Round) -> set[str]:
    """Names of jobs with a claimant that may have a rival which no list shows yet."""
    unlisted = run.made.keys() - current.inventory.ids
    present = {name: job.name for job in run.jobs for name in job.names}
    jobs = set()
    for name, lives in current.inventory.owned.items():
        for live in lives:
            seen = run.first_seen.get(live.id)
            if seen is None or live.sealed or live.marker.retired is not None:
                continue
            if unlisted or current.begun < seen + run.settle:
                jobs.add(present.get(name, name))
    return jobs


def _undisturbed(run: Run, current: Round, changes: Sequence[Change]) -> Iterable[Change]:
    """Leave out jobs for which another run has made a request of another spec since this one first looked."""
    for change in changes:
        stranger = _stranger(run, current.inventory, change)
        if stranger is None:
            yield change
        elif change.job not in run.held:
            detail = f"another run made request {stranger} for another spec meanwhile; plan again"
            run.note(change, Outcome.HELD, stranger, detail)


def _stranger(run: Run, inventory: Inventory, change: Change) -> str | None:
    job = change.declared
    if job is None or run.known is None:
        return None
    for live in inventory.of_job(job):
        ours = (live.marker.generation, live.marker.digest) == (job.generation, job.digest)
        if not ours and live.id not in run.known:
            return live.id
    return None


def _demand_ledger(run: Run) -> None:
    """Refuse to create where nothing would remember it."""
    if not run.options.must_have_ledger:
        return
    target = run.scope.target
    if not run.ledger.exists():
        message = (
            f"target {target} has no ledger ({run.ledger.place}), so nothing would remember what was paid for; "
            f"begin one with `shbatch-sync init --target {target}` and commit it, or set `ledger: none`"
        )
        raise TargetRefusedError(message)
    if run.strays:
        message = (
            f"request {run.strays[0]} is ours and older than a day, but the ledger ({run.ledger.place}) has no line "
            f"of it: was the ledger of an earlier run not saved? `shbatch-sync status --target {target} --record` "
            "takes such requests in"
        )
        raise TargetRefusedError(message)


def _strays(run: Run, inventory: Inventory, memory: Ledger) -> tuple[str, ...]:
    old = run.now() - _LEDGER_AGE
    return tuple(
        live.id
        for live in _sealed(inventory)
        if live.id not in memory.ids
        and live.request.created is not None
        and live.request.created < old
    )


def _sealed(inventory: Inventory) -> Iterable[Live]:
    return (live for lives in inventory.owned.values() for live in lives if live.sealed)


# --- ending --------------------------------------------------------------------------------------------------


def _worth_waiting(run: Run, current: Round) -> bool:
    """Say whether time alone brings this run on."""
    changes = _open_changes(run, current)
    if any(change.effective and change.job not in run.later for change in changes):
        return True
    if run.options.wait and any(change.effective for change in changes):
        return True
    waits = {change.reason for change in changes if change.action is Action.WAIT}
    return run.options.wait and bool(waits & _PASSING)


def _result(run: Run, last: Round) -> ApplyResult:
    return ApplyResult(
        plan=last.plan,
        steps=tuple(run.steps),
        failures=dict(run.failures),
        held=dict(run.held),
        timed_out=run.out_of_time and _left(last.plan),
        outage=run.outage,
        interrupted=run.interrupt.requested,
    )


def _left(plan: Plan) -> bool:
    return any(change.effective or change.action is Action.WAIT for change in plan.changes)


def take_in(run: Run, current: Round) -> int:
    """Write down requests of ours that the ledger has no line of; return how many.

    For a ledger that was lost, or never saved by the run that made them.

    Raises:
        LedgerError: The lines could not be written.
    """
    missing = [live for live in _sealed(current.inventory) if live.id not in current.ledger.ids]
    for live in missing:
        run.write(Event.ADOPTED, live.marker, live.id, norm_digest=digest(normalize(live.spec)))
        if live.phase in COUNTS_AS_STARTED:
            run.write(Event.START, live.marker, live.id, norm_digest=digest(normalize(live.spec)))
    return len(missing)
