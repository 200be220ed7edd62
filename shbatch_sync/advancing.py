"""A request of a job's key is live: how it goes on, and what happens to those beside it."""

from __future__ import annotations

from dataclasses import replace

from shbatch_sync import gates, restart
from shbatch_sync.case import Case
from shbatch_sync.election import Outcome
from shbatch_sync.inventory import Live
from shbatch_sync.job import DeclaredState
from shbatch_sync.ledger_line import Entry
from shbatch_sync.making import (
    carrying,
    copied,
    next_step,
    replace_gate,
    unknown_state,
    withhold,
)
from shbatch_sync.marker import Retired
from shbatch_sync.phase import ACTIVE, BUSY, WRITABLE, Phase
from shbatch_sync.plan import Action, Change, Reason
from shbatch_sync.scene import Scene, attention, change_of, waiting
from shbatch_sync.twins import spoilt_twin, twin_beside
from shbatch_sync.writing import retire, wanted_marker, wanted_text, write


def carry_on(case: Case, outcome: Outcome, scene: Scene) -> list[Change]:
    """Decide on a job whose request is live, in the order in which things are done."""
    winner = outcome.winner
    if outcome.conflict:
        return [_conflict(case, outcome)]
    surplus = [
        change_of(
            case, Action.STOP, Reason.STARTED_TWICE, f"{winner.id} is older and goes on", live
        )
        for live in outcome.surplus
    ]
    held = replace_gate(case, scene)
    ahead = [*_stop_old(case, scene), *_advance(case, scene, winner), *_retire_old(case, scene)]
    return [
        *surplus,
        *write(case, winner),
        *_retire_losers(case, outcome),
        *(
            withhold([change], held)[0] if change.action in _SPENDING else change
            for change in ahead
        ),
    ]


_SPENDING = frozenset({Action.CREATE, Action.START, Action.STOP, Action.UPDATE})


def _conflict(case: Case, outcome: Outcome) -> Change:
    ids = ", ".join(live.id for live in outcome.conflict)
    detail = f"several requests of this job are or were paid for, none is touched: {ids}; stop what is surplus"
    return attention(case, Reason.PAID_TWICE, detail, outcome.winner)


def done_before(case: Case, outcome: Outcome, done: Entry) -> list[Change]:
    """The ledger knows the key as done: what is left of it beside the request that did it is never started."""
    if outcome.conflict:
        return [_conflict(case, outcome)]
    spare = [live for live in outcome.claimants if live.id != done.request_id]
    return [change for live in spare for change in _put_away(case, live, done)]


def _put_away(case: Case, live: Live, done: Entry) -> list[Change]:
    if live.phase is Phase.STARTING:
        detail = f"{done.request_id} has done the job already"
        return [change_of(case, Action.STOP, Reason.STARTED_TWICE, detail, live)]
    if live.phase is Phase.PROCESSING:
        detail = f"it is paid for beside {done.request_id}, which has done the job; stop it if it is not wanted"
        return [attention(case, Reason.PAID_TWICE, detail, live)]
    if live.phase in WRITABLE:
        return [retire(case, live, Retired.DUPLICATE)]
    return [waiting(case, live)] if live.phase in BUSY else []


def stop_all(case: Case) -> list[Change]:
    """A job that is declared stopped: everything of it that is active."""
    claimants = case.outcome.claimants if case.outcome is not None else ()
    changes = []
    for live in (*case.others, *claimants):
        if live.phase in ACTIVE:
            detail = "as soon as the service accepts it" if live.phase is Phase.STARTING else ""
            changes.append(change_of(case, Action.STOP, Reason.DECLARED, detail, live))
        elif live.phase in BUSY:
            changes.append(waiting(case, live))
    return [*changes, *(write(case, case.outcome.winner) if case.outcome is not None else [])]


def stop_retired(case: Case) -> list[Change]:
    """Stop what counts no more and was started all the same, by a run that did not know, before it costs anything."""
    return [
        change_of(case, Action.STOP, Reason.SUPERSEDED, STARTED_RETIRED, live)
        for live in case.retired
        if started_retired(live)
    ]


STARTED_RETIRED = "it was started after it had been retired"


def started_retired(live: Live) -> bool:
    """Say whether a request counts no more and is about to cost something; without a seal it may be a copy."""
    return live.marker.retired is not None and live.sealed and live.phase is Phase.STARTING


# --- the request that counts ---------------------------------------------------------------------------------


def _advance(case: Case, scene: Scene, live: Live) -> list[Change]:
    """One cell of the table: what is declared × where the request stands."""
    if live.phase in {Phase.STOPPING, Phase.UNKNOWN}:
        return [waiting(case, live)]
    match case.job.state:
        case DeclaredState.STARTED:
            return _towards_done(case, scene, live)
        case DeclaredState.ANALYSED if live.phase is Phase.CREATED:
            return [change_of(case, Action.ANALYSE, Reason.DECLARED, live=live)]
        case DeclaredState.ANALYSED if live.phase is Phase.ANALYSING:
            return [waiting(case, live)]
        case _ if live.phase is Phase.FAILED:
            return [attention(case, Reason.FAILED, restart.failure_text(live), live)]
        case _:
            return []


def _towards_done(case: Case, scene: Scene, live: Live) -> list[Change]:
    match live.phase:
        case Phase.CREATED | Phase.ANALYSIS_DONE:
            return [_first_start(case, scene, live)]
        case Phase.ANALYSING:
            detail = "the service analyses it, then it is started"
            return [replace(waiting(case, live), detail=detail, estimate=scene.price(case.job))]
        case Phase.STARTING | Phase.PROCESSING:
            return [waiting(case, live)]
        case Phase.FAILED:
            return _after_failure(case, scene, live)
        case Phase.STOPPED:
            return [_after_stop(case, scene, live)]
        case _:
            return []


def _first_start(case: Case, scene: Scene, live: Live) -> Change:
    """Start a request, unless the ledger knows the end of another one of this try, which the service has forgotten.

    Then this is what a second run left behind, and starting it is what starting the key again would be.
    """
    end = case.record.end_of_other(case.listed, live.marker.attempt)
    if end is None:
        return _start(case, scene, live)
    if end.status != "FAILED":
        change, held = _start(case, scene, live), gates.recreate(case.record, scene.policy)
        return replace(change, withheld=held or change.withheld)
    verdict = restart.after_failure(case.job, end.attempt, scene.policy)
    if verdict.refusal is not None:
        return attention(
            case,
            verdict.reason,
            f"{end.request_id} FAILED and is forgotten; {verdict.refusal}",
            live,
        )
    change = _start(case, scene, live, Reason.NEW_TRY)
    counted = replace(wanted_marker(case, live), attempt=verdict.attempt)
    return (
        replace(change, marker=counted, text=wanted_text(case, live))
        if change.action is Action.START
        else change
    )


def _start(case: Case, scene: Scene, live: Live, reason: Reason = Reason.DECLARED) -> Change:
    estimate = scene.price(case.job)
    if busy := [old for old in (*case.others, *case.retired) if old.phase in BUSY]:
        detail = f"{busy[0].id} must be at rest first"
        change = change_of(case, Action.WAIT, Reason.OLD_ACTIVE, detail, live)
        return replace(change, estimate=estimate)
    change = replace(change_of(case, Action.START, reason, live=live), estimate=estimate)
    held = gates.recreate(case.record, scene.policy) if case.missing_start else None
    return replace(change, withheld=held or twin_beside(case, scene, live))


def _after_failure(case: Case, scene: Scene, live: Live) -> list[Change]:
    verdict = restart.after_failure(case.job, live.marker.attempt, scene.policy)
    if verdict.refusal is not None:
        detail = f"{restart.failure_text(live)}; {verdict.refusal}"
        return [attention(case, verdict.reason, detail, live)]
    if case.copies:
        return [copied(case)]
    if blocked := unknown_state(case):
        return blocked
    made = change_of(
        case, Action.CREATE, Reason.NEW_TRY, f"try {verdict.attempt} after {live.id} failed"
    )
    changes = [
        carrying(made, case.job, scene.facts, verdict.attempt, live),
        *next_step(case, scene),
    ]
    held = gates.recreate(case.record, scene.policy) if case.missing_start else None
    return withhold(changes, held or spoilt_twin(case, scene))


def _after_stop(case: Case, scene: Scene, live: Live) -> Change:
    verdict = restart.after_stop(case.job, live, case.record, scene.policy, scene.facts.now)
    if verdict.refusal is not None:
        action = Action.WAIT if verdict.reason is Reason.TOO_SOON else Action.ATTENTION
        change = change_of(case, action, verdict.reason, verdict.refusal, live)
        return replace(change, estimate=scene.price(case.job)) if action is Action.WAIT else change
    change = _start(case, scene, live, Reason.RESUME)
    # The count of tries is written before the start, together with whatever else the description lacks.
    resumed = replace(wanted_marker(case, live), attempt=verdict.attempt, stopped=False)
    return (
        replace(change, marker=resumed, text=wanted_text(case, live))
        if change.action is Action.START
        else change
    )


# --- those beside it -----------------------------------------------------------------------------------------


def _retire_losers(case: Case, outcome: Outcome) -> list[Change]:
    return [
        retire(case, live, Retired.DUPLICATE) for live in outcome.losers if live.phase in WRITABLE
    ]


def _stop_old(case: Case, scene: Scene) -> list[Change]:
    """Stop what the declared spec replaces."""
    return [
        change_of(case, Action.STOP, Reason.SUPERSEDED, "replaced by the declared spec", old)
        if old.phase in ACTIVE and _is_ours(old, scene)
        else waiting(case, old)
        for old in case.others
        if old.phase in BUSY
    ]


def _retire_old(case: Case, scene: Scene) -> list[Change]:
    """Retire what was replaced; comes last, after whatever the new request still needs."""
    return [
        retire(case, old, Retired.OLD)
        for old in case.others
        if old.phase in WRITABLE and _is_ours(old, scene)
    ]


def _is_ours(old: Live, scene: Scene) -> bool:
    """Say whether a request of another spec proves to be ours: by its seal, or by a line of the ledger.

    Its body tells nothing, for nobody declares it any more, so another one may be a copy on somebody else's request.
    """
    return old.sealed or old.marker.nonce in scene.ledger.drawn
