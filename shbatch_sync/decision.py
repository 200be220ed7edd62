"""The decision: declared and live in, a plan out. Pure: no clock, no network, no log; same input, same plan.

| declared | none            | CREATED | ANALYSING        | ANALYSIS_DONE | starting | PROCESSING | DONE | FAILED    | STOPPED  |
|----------|-----------------|---------|------------------|---------------|----------|------------|------|-----------|----------|
| created  | create          | –       | –                | –             | –        | –          | –    | attention | –        |
| analysed | create, analyse | analyse | wait             | –             | –        | –          | –    | attention | –        |
| started  | create, start   | start   | wait, then start | start         | wait     | wait       | –    | restart?  | restart? |
| stopped  | –               | –       | stop             | –             | stop     | stop       | –    | –         | –        |

The columns are the phases of `phase.py`: pairs of status and user action. Whatever is declared, a request that is
stopping or in a state that we do not know is waited for. Gates are a filter over what is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shbatch_sync import gates
from shbatch_sync.adopting import take_over, wants_to_adopt
from shbatch_sync.advancing import (
    STARTED_RETIRED,
    carry_on,
    done_before,
    started_retired,
    stop_all,
    stop_retired,
)
from shbatch_sync.case import Case, read_case
from shbatch_sync.handover import as_starts, handed_over, heirs
from shbatch_sync.inventory import Inventory, Live
from shbatch_sync.job import DeclaredState, Job
from shbatch_sync.ledger import Ledger
from shbatch_sync.making import bring_about
from shbatch_sync.ownership import survey
from shbatch_sync.phase import ACTIVE, BUSY, Phase
from shbatch_sync.plan import PASSIVE, Action, Change, Facts, Plan, Policy, Reason
from shbatch_sync.request import BatchProcessRequest
from shbatch_sync.scene import Scene, attention


def build_plan(
    desired: Sequence[Job],
    live: Iterable[BatchProcessRequest],
    ledger: Ledger,
    policy: Policy,
    facts: Facts,
) -> Plan:
    """Decide what has to happen so that `live` becomes `desired`.

    Args:
        desired: All jobs of the project on this target, selected or not.
        live: All requests of the account.
        ledger: What is remembered of this project on this account.
        policy: What the plan may do.
        facts: What it is told of the world.
    """
    return decide(desired, survey(desired, live, ledger, facts), ledger, policy, facts)


def decide(
    desired: Sequence[Job], inventory: Inventory, ledger: Ledger, policy: Policy, facts: Facts
) -> Plan:
    """Decide, over a list that has been sorted already."""
    jobs = sorted(desired, key=lambda job: job.name)
    if len({job.name for job in jobs}) < len(jobs):
        message = "two jobs of one target have the same name"
        raise ValueError(message)
    declared = facts.elsewhere | {name for job in jobs for name in job.names}
    ledger = ledger.among(declared)
    scene = Scene(inventory, ledger, policy, facts, declared)
    cases = [read_case(job, inventory, ledger) for job in jobs]
    decided = [change for case in cases for change in _fenced(case, scene)]
    decided += [*_retired_strays(scene, cases), *_orphans(scene)]
    # What is not selected is not done, so it takes no place in a queue and no share of a limit.
    decided = [
        change for change in decided if facts.selected is None or change.job in facts.selected
    ]
    waiting = heirs(decided)
    decided = gates.hold_back(
        as_starts(decided),
        policy,
        facts,
        declared=len(jobs),
        month_pu=ledger.spent_since(_month(facts.now)),
    )
    done = frozenset(case.job.name for case in cases if case.done)
    decided = gates.queue(decided, policy, done=done, running=inventory.running)
    decided = handed_over(decided, waiting)
    decided += _damaged(scene)
    touched = {change.job for change in decided}
    selected = [job.name for job in jobs if facts.selected is None or job.name in facts.selected]
    return Plan(
        facts=facts,
        changes=tuple(
            change for change in decided if facts.selected is None or change.job in facts.selected
        ),
        in_sync=sum(name not in touched for name in selected),
        orphans=_resting_orphans(scene) if facts.selected is None else 0,
        warnings=tuple(_copy_warnings(scene, cases, decided)),
    )


def _month(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _decide_job(case: Case, scene: Scene) -> list[Change]:
    job, outcome, done = case.job, case.outcome, case.record.done
    if case.recorded_generation > job.generation:
        return [_lower_generation(case)]
    if outcome is None and wants_to_adopt(case, scene.ledger):
        return take_over(case, scene)
    if job.state is DeclaredState.STOPPED:
        return stop_all(case)
    if outcome is None:
        return bring_about(case, scene)
    if done is not None and outcome.winner.phase is not Phase.DONE:
        return done_before(case, outcome, done)
    return carry_on(case, outcome, scene)


def _fenced(case: Case, scene: Scene) -> list[Change]:
    """Decide on a job, and hold it all back where a newer commit than this checkout's is at work on it."""
    changes = _decide_job(case, scene)
    claimants = case.outcome.claimants if case.outcome is not None else ()
    held = (gates.stale(live, scene.facts, scene.policy) for live in (*claimants, *case.others))
    fence = next((withheld for withheld in held if withheld is not None), None)
    if fence is not None:
        changes = [
            change if change.action in PASSIVE else replace(change, withheld=fence)
            for change in changes
        ]
    return [*stop_retired(case), *changes]


def _lower_generation(case: Case) -> Change:
    known = case.recorded_generation
    detail = f"generation {case.job.generation} is lower than {known}, which has been used; declare {known} or more"
    return attention(case, Reason.GENERATION_LOWER, detail)


def _damaged(scene: Scene) -> list[Change]:
    return [
        Change(
            job=suspect.job or "(unknown)",
            action=Action.ATTENTION,
            reason=Reason.DAMAGED,
            detail=f"{suspect.why}; it is neither changed nor replaced until `shbatch-sync repair` mends it",
            request_id=suspect.request.request_id,
        )
        for suspect in scene.inventory.damaged
    ]


def _copy_warnings(scene: Scene, cases: Sequence[Case], decided: Sequence[Change]) -> Iterator[str]:
    """Warn of every copy that no attention speaks of already."""
    named = {change.request_id for change in decided if change.reason is Reason.COPY}
    altered = [copy for case in cases for copy in case.copies]
    copies = {copy.request.request_id: copy for copy in (*scene.inventory.copies, *altered)}
    for request_id, copy in sorted(copies.items()):
        if request_id not in named:
            yield f"request {request_id} carries the marker of job {copy.job}: {copy.why}; it is left alone"


# --- orphans -------------------------------------------------------------------------------------------------


def _orphans(scene: Scene) -> list[Change]:
    return [
        _orphan(job, live, scene)
        for job, lives in scene.undeclared()
        for live in lives
        if live.phase in BUSY
    ]


def _retired_strays(scene: Scene, cases: Sequence[Case]) -> Iterator[Change]:
    """Stop what counts no more and was started all the same, where no job of this target declares it."""
    declared = {name for case in cases for name in case.job.names}
    for job, lives in scene.inventory.owned.items():
        for live in lives if job not in declared else ():
            if started_retired(live):
                change = Change(job=job, action=Action.STOP, reason=Reason.SUPERSEDED, live=live)
                yield replace(change, detail=STARTED_RETIRED, request_id=live.id)


def _orphan(job: str, live: Live, scene: Scene) -> Change:
    change = Change(
        job=job, action=Action.STOP, reason=Reason.ORPHAN, request_id=live.id, live=live
    )
    if live.phase in ACTIVE and scene.policy.prune:
        # Its manifest may be missing only because this checkout is older than it.
        return replace(change, withheld=gates.stale(live, scene.facts, scene.policy))
    if live.phase is Phase.STOPPING:
        detail = "no manifest declares it any more"
        return replace(change, action=Action.WAIT, reason=Reason.STOPPING, detail=detail)
    detail = f"{live.phase}, and no manifest declares it any more"
    detail += "; --prune stops it" if live.phase in ACTIVE else ""
    return replace(change, action=Action.WAIT, detail=detail)


def _resting_orphans(scene: Scene) -> int:
    return sum(live.phase not in BUSY for _, lives in scene.undeclared() for live in lives)
