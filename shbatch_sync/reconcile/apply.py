"""Rounds: list, settle, plan, act, until nothing is left that this run may do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from shbatch_sync.errors import ApiError, TargetRefusedError
from shbatch_sync.plan import Action, Change, Plan, Reason
from shbatch_sync.reconcile.absence import judged
from shbatch_sync.reconcile.acting import act_on_job
from shbatch_sync.reconcile.creating import create_all
from shbatch_sync.reconcile.looking import look
from shbatch_sync.reconcile.refusal import refusals
from shbatch_sync.reconcile.result import MAKING, ApplyResult, Outcome
from shbatch_sync.reconcile.round import Round
from shbatch_sync.reconcile.run import Run
from shbatch_sync.reconcile.settling import ready_to_create, unsettled_jobs
from shbatch_sync.reconcile.strangers import undisturbed, yielding

# What goes on by itself, so that waiting for it makes sense; the other waits hang on one of these.
_PASSING = frozenset(
    {
        Reason.ANALYSING,
        Reason.STARTING,
        Reason.PROCESSING,
        Reason.STOPPING,
        Reason.TOO_SOON,
        Reason.MAX_RUNNING,
        Reason.UNKNOWN_STATE,
    }
)
# Seconds without a list after which a run gives up.
OUTAGE = 600.0


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
            _rest(run)
        following = _look_again(run)
        if following is None:
            return _result(run, current)
        current = following


def _rest(run: Run) -> None:
    """Pause until the next list, which is begun as soon as what is new may be judged by it."""
    settled = run.seconds_to_settle
    if settled is not None:
        run.settling(settled)
    run.pause(run.options.poll if settled is None else min(settled, run.options.poll))


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


def _carry_out(run: Run, current: Round) -> bool:
    changes = [change for change in _open_changes(run, current) if change.effective]
    changes = list(judged(run, current.inventory, changes))
    changes = list(undisturbed(run, current.inventory, changes))
    changes = list(_agreed_to(run, changes))
    creates = [
        change
        for change in changes
        if change.action in MAKING and ready_to_create(run, current, change)
    ]
    _refuse(run, changes)
    run.later.clear()
    made = create_all(run, creates)
    # A job whose request is only being made has nothing yet to act on: its next steps are of the next round.
    making = {change.job for change in changes if change.action in MAKING}
    unsettled = unsettled_jobs(run, current)
    rest = [
        change
        for change in changes
        if change.action not in MAKING
        and change.live is not None
        and (change.action is Action.STOP or change.job not in making | unsettled)
    ]
    return _act(run, rest) or made


def _agreed_to(run: Run, changes: Iterable[Change]) -> Iterator[Change]:
    """Leave out starts that a person who was asked has not been shown."""
    for change in changes:
        unseen = run.agreed is not None and change.job not in run.agreed
        if change.action is Action.START and unseen:
            detail = "its start was not in the plan that was agreed to; apply again"
            run.note(change, Outcome.HELD, change.request_id, detail)
        else:
            yield change


def _open_changes(run: Run, current: Round) -> list[Change]:
    """Return what this run may still do something about, or wait for."""
    alone = run.failures.keys() | run.held.keys()
    return [
        change
        for change in (*current.plan.changes, *yielding(run, current.inventory))
        if change.job not in alone
        # A text that the service stores in other words is written once; after that it says nothing new.
        and not (
            change.reason is Reason.DESCRIPTION_CHANGED
            and (change.request_id or "", change.text) in run.calls.stubborn
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


def _refuse(run: Run, changes: Sequence[Change]) -> None:
    """Refuse to change anything where nothing would remember it, or where what is remembered is not all."""
    reason = next(refusals(run, changes), None)
    if changes and reason is not None:
        raise TargetRefusedError(reason)


def _worth_waiting(run: Run, current: Round) -> bool:
    """Say whether time alone brings this run on."""
    changes = _open_changes(run, current)
    if any(change.effective and change.job not in run.later for change in changes):
        return True
    if run.options.wait and any(change.effective for change in changes):
        return True
    waits = {change.reason for change in changes if change.action is Action.WAIT} & _PASSING
    if waits == {Reason.MAX_RUNNING} and not current.inventory.running:
        return False  # the place is kept for a job that has failed in this run
    return run.options.wait and bool(waits)


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
