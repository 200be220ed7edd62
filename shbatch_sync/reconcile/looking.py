"""Looking: list the account, learn from what it shows, and plan."""

from __future__ import annotations

from dataclasses import replace

from shbatch_sync.decision import decide
from shbatch_sync.errors import TargetRefusedError
from shbatch_sync.inventory import Inventory
from shbatch_sync.ledger import Ledger
from shbatch_sync.ownership import survey
from shbatch_sync.phase import UNPAID
from shbatch_sync.plan import Facts, Policy
from shbatch_sync.reconcile.absence import whole_list
from shbatch_sync.reconcile.creating import other_account
from shbatch_sync.reconcile.memory import Memory
from shbatch_sync.reconcile.recording import record_names, record_sights, strays
from shbatch_sync.reconcile.refusal import refusals
from shbatch_sync.reconcile.round import Round
from shbatch_sync.reconcile.run import Run


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
    # Read before the list, for what it has to show, and after it, for what others have written meanwhile.
    memory = _memory(run)
    inventory = survey(run.jobs, whole_list(run, memory), memory, _facts(run))
    _settle_account(run, inventory, memory)
    memory = _memory(run)
    if run.strays is None:
        run.strays = strays(run, inventory, memory)
    if record and (run.ledger.exists() or not run.options.must_have_ledger):
        memory = _memory(run) if record_sights(run, inventory, memory) else memory
        memory = _memory(run) if record_names(run, memory) else memory
    _see(run, inventory, begun)
    run.lag.recorded = memory.longest_lag
    facts = replace(
        _facts(run),
        strange_commits=_strange_commits(run, inventory),
        spent_pu=_spent(run, inventory),
    )
    run.outage = None
    plan = decide(run.jobs, inventory, memory, _policy(run), facts)
    warnings = (*plan.warnings, *refusals(run, plan.changes))
    plan = replace(plan, warnings=warnings) if warnings else plan
    return Round(begun, inventory, memory, plan)


def _memory(run: Run) -> Ledger:
    """Read the ledger; what it says is sorted anew only where it says something new."""
    scope = run.scope
    lines, account = run.ledger.read(), run.account or scope.account
    if run.memory is None or run.memory.lines is not lines or run.memory.account != account:
        ledger = Ledger.of(lines, project=scope.project, target=scope.target, account=account)
        names = {name for job in run.jobs for name in job.names}
        ledger = ledger.among(scope.elsewhere | names)
        run.memory = Memory(lines, account, ledger)
    return run.memory.ledger


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
    )


def _spent(run: Run, inventory: Inventory) -> float:
    """Return what this run's starts may cost; one that did not arrive costs nothing, and is planned again."""
    idle = {live.id for lives in inventory.owned.values() for live in lives if live.phase in UNPAID}
    return sum(price for id_, price in run.spent.items() if id_ not in idle)


def _policy(run: Run) -> Policy:
    """Return what may be done now: what a person asked to run again is run again once, not until it works."""
    return replace(run.policy, restart=run.policy.restart - run.calls.restarted)


def _settle_account(run: Run, inventory: Inventory, memory: Ledger) -> None:
    pinned = run.account or run.scope.account or memory.account
    strange = sorted(inventory.accounts - {pinned}) if pinned else []
    if pinned and strange:
        raise TargetRefusedError(other_account(run, pinned, strange[0]))
    run.account = pinned or next(iter(sorted(inventory.accounts)), None)


def _see(run: Run, inventory: Inventory, begun: float) -> None:
    """Learn from a list; what is waited for no longer has failed."""
    given_up = run.lag.see(inventory, begun, run.clock.monotonic())
    for request_id, job in given_up.items():
        run.failures[job] = (
            f"request {request_id} was made, but no list shows it; look for it before applying again"
        )
    run.sightings.see(inventory, run.now())


def _strange_commits(run: Run, inventory: Inventory) -> frozenset[str]:
    """Return the commits, later than ours, that requests were made from and our history does not have."""
    here = run.scope.commit
    if here is None:
        return frozenset()
    commits = {live.marker.commit for lives in inventory.owned.values() for live in lives}
    later = {commit.sha for commit in commits if commit is not None and commit.time > here.time}
    return frozenset(sha for sha in later if not run.in_history(sha))
