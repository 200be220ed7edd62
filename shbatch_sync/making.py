"""Nothing of a job's key is live: whether a request is made, and what stands against it."""

from __future__ import annotations

from dataclasses import replace

from shbatch_sync import gates, restart
from shbatch_sync.case import Case, by_age, explained
from shbatch_sync.inventory import Live, delivery_url
from shbatch_sync.job import DeclaredState, Job, RestartPolicy
from shbatch_sync.ledger_line import Entry, Event
from shbatch_sync.marker import Marker
from shbatch_sync.phase import (
    COUNTS_AS_RUNNING,
    UNPAID,
    Phase,
)
from shbatch_sync.plan import Action, Change, Facts, Gate, Reason, Withheld
from shbatch_sync.rename import digests_under, work
from shbatch_sync.request import BatchUserAction
from shbatch_sync.scene import Scene, attention, change_of, waiting
from shbatch_sync.twins import twin

_NONCE_TO_COME = "aaaaaaaa"  # the real one is drawn for each create call


def bring_about(case: Case, scene: Scene) -> list[Change]:
    """Decide on a job of which no request is live."""
    if case.overtaken:
        return [_reverted(case)]
    if case.record.done is not None:
        return []
    if case.copies:
        return [copied(case)]
    if case.record.ended_or_paid:
        return _paid_before(case, scene)
    return make(case, scene, attempt=max(1, case.record.attempt))


def make(
    case: Case, scene: Scene, *, attempt: int, reason: Reason = Reason.MISSING
) -> list[Change]:
    """Create a request for the key, in place of an older one if there is any, and go on with it as declared."""
    if blocked := unknown_state(case):
        return blocked
    old = max(case.others, key=by_age, default=None)
    if old is None:
        made = change_of(case, Action.CREATE, reason)
    else:
        raised = case.job.generation > old.marker.generation
        why = Reason.GENERATION_RAISED if raised else Reason.SPEC_CHANGED
        made = replace(
            change_of(case, Action.REPLACE, why, live=old), fields=explained(case.job, old)
        )
    changes = [carrying(made, case.job, scene.facts, attempt, old), *next_step(case, scene)]
    return withhold(changes, twin(case, scene) or replace_gate(case, scene))


def unknown_state(case: Case) -> list[Change]:
    """Return the wait for another request of the job whose state nobody knows, which may be a paid one; or nothing."""
    return [waiting(case, live) for live in case.others if live.phase is Phase.UNKNOWN][:1]


def carrying(change: Change, job: Job, facts: Facts, attempt: int, old: Live | None) -> Change:
    """Give a create the marker and the text that its request is born with."""
    theirs = old.text if old is not None else ""
    text = theirs if job.description is None else job.description.strip()
    return replace(change, marker=born_marker(job, facts, attempt), text=text)


def born_marker(job: Job, facts: Facts, attempt: int) -> Marker:
    """Return the marker of a new request of the job; its nonce is still to be drawn."""
    return Marker(
        project=facts.project,
        job=job.name,
        generation=job.generation,
        digest=job.digest,
        nonce=_NONCE_TO_COME,
        attempt=attempt,
        commit=facts.commit,
        protected=job.protect,
    )


def next_step(case: Case, scene: Scene) -> list[Change]:
    """Return what follows a create."""
    match case.job.state:
        case DeclaredState.ANALYSED:
            return [change_of(case, Action.ANALYSE, Reason.DECLARED)]
        case DeclaredState.STARTED:
            start = change_of(case, Action.START, Reason.DECLARED)
            return [replace(start, estimate=scene.price(case.job))]
        case _:
            return []


def withhold(changes: list[Change], held: Withheld | None) -> list[Change]:
    """Put a gate in front of changes, if there is one."""
    return [replace(change, withheld=held) for change in changes] if held is not None else changes


def replace_gate(case: Case, scene: Scene) -> Withheld | None:
    """Replacing what was paid for needs a raised generation: a comment edited in a script must not buy it again."""
    if not _gave_way(case):
        if case.record.paid is not None:
            return None  # it was meant when this spec was started
        if case.outcome is not None and case.outcome.winner.phase not in UNPAID:
            return None
    paid = [old for old in case.others if _may_be_paid(old)]
    generations = [
        *(old.marker.generation for old in paid),
        *(entry.generation for entry in case.spent),
    ]
    if not generations or case.job.generation > max(generations):
        return None
    return gates.replacing(paid, case.spent, case.job, scene.policy, keep=_place_before(case))


def _place_before(case: Case) -> str | None:
    """Return where the job delivered under an earlier name, if nothing but that name in the place makes it another spec."""
    digests = {entry.norm_digest for entry in case.spent}
    places = {delivery_url(old.spec): old for old in case.others}
    for place, norm_digest in digests_under(case.job, case.job.previous_names):
        old = places.get(place)
        if norm_digest in digests or (old is not None and work(old.spec) == work(case.job.spec)):
            return place
    return None


def _gave_way(case: Case) -> bool:
    """Say whether we stopped the job's request before it cost anything, as where another run had started another spec.

    That it was started once is then no reason to pay for it beside the other one. Where nothing else was started
    after it, it was stopped because that was declared, and goes on without another word.
    """
    live = case.outcome.winner if case.outcome is not None else None
    if live is None or live.phase is not Phase.STOPPED or live.request.cost_PU != 0:
        return False
    return restart.stopped_by_us(live, case.record) and _overtook(case, live)


def _overtook(case: Case, live: Live) -> bool:
    """Say whether another spec of the job was started after a request."""
    begun = max(case.record.words(live.id, Event.START), default=None)
    rivals = [old for old in (*case.others, *case.retired) if _may_be_paid(old)]
    asked = [old.request.user_action_updated or old.request.created for old in rivals]
    return any(
        begun is None or at is None or at > begun
        for at in (*(entry.at for entry in case.spent), *asked)
    )


def _may_be_paid(live: Live) -> bool:
    """Say whether a request has cost something, or may have: one that was started and does not tell its cost counts."""
    untold = live.request.cost_PU is None and (
        live.phase is Phase.DONE or live.request.user_action is BatchUserAction.START
    )
    return live.cost_pu > 0 or live.phase in COUNTS_AS_RUNNING or untold


def _paid_before(case: Case, scene: Scene) -> list[Change]:
    """The ledger knows that this key was started or ended, and the service knows nothing of it any more."""
    final = None if case.missing_start else case.record.final
    if final is not None and final.status == "FAILED":
        return _failed_before(case, final, scene)
    if case.job.state is not DeclaredState.STARTED:
        return []
    if final is not None and not _may_go_on(case, final, scene):
        detail = f"STOPPED, {_gone(final, scene)}; to pay again, apply --restart {case.job.name} --allow recreate"
        return [attention(case, Reason.STOPPED, detail)]
    changes = make(case, scene, attempt=case.record.attempt + 1, reason=Reason.FORGOTTEN)
    if any(change.withheld and change.withheld.gate is Gate.TWIN for change in changes):
        return changes  # it is listed, under a name that no manifest declares
    return withhold(changes, gates.recreate(case.record, scene.policy))


def _may_go_on(case: Case, final: Entry, scene: Scene) -> bool:
    """Say whether a stop that only the ledger knows is one that the job would go on from: ours, or any."""
    ours = final.request_id is not None and bool(case.record.words(final.request_id, Event.STOP))
    always = case.job.restart_policy is RestartPolicy.ALWAYS
    return ours or always or case.job.name in scene.policy.restart


def _gone(final: Entry, scene: Scene) -> str:
    """Say why a request of which the ledger knows the end does not count as live."""
    unproven = (*scene.inventory.damaged, *scene.inventory.copies)
    if any(suspect.request.request_id == final.request_id for suspect in unproven):
        return "and its marker is gone"
    return "and the service has forgotten it"


def _failed_before(case: Case, final: Entry, scene: Scene) -> list[Change]:
    verdict = restart.after_failure(case.job, case.record.attempt, scene.policy)
    if case.job.state is not DeclaredState.STARTED:
        return [attention(case, Reason.FAILED, f"FAILED, {_gone(final, scene)}")]
    if verdict.refusal is not None:
        return [
            attention(case, verdict.reason, f"FAILED, {_gone(final, scene)}; {verdict.refusal}")
        ]
    return make(case, scene, attempt=verdict.attempt, reason=Reason.NEW_TRY)


def _reverted(case: Case) -> Change:
    detail = (
        "this spec had its turn before another one ran, whose files may lie in its place; "
        f"declare generation {case.job.generation + 1} to run it again"
    )
    return attention(case, Reason.REVERTED, detail)


def copied(case: Case) -> Change:
    """Return what a person has to do about a copy of the job's marker: nothing is created while it stands."""
    copy = case.copies[0]
    detail = (
        f"{copy.why}; nothing is created while request {copy.request.request_id} says it is this job: "
        "take the marker out of its description"
    )
    return replace(attention(case, Reason.COPY, detail), request_id=copy.request.request_id)
