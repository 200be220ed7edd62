"""Taking over a request that somebody made by hand: only as it is, and never beside a new one."""

from __future__ import annotations

from dataclasses import replace

from shbatch_sync.case import Case, changed_from
from shbatch_sync.inventory import Live, Suspect
from shbatch_sync.ledger import Ledger
from shbatch_sync.making import born_marker
from shbatch_sync.marker import without_remains
from shbatch_sync.phase import WRITABLE, Phase, phase_of
from shbatch_sync.plan import Action, Change, Reason
from shbatch_sync.scene import Scene, attention, change_of, waiting


def wants_to_adopt(case: Case, ledger: Ledger) -> bool:
    """Say whether the job still has to take over the request it names; once that is done, `adopt` says nothing more."""
    wanted = case.job.adopt
    marked = {entry.request_id for entry in ledger.of_job(case.job) if entry.marks}
    if wanted is None or wanted in case.listed | marked:
        return False
    return not case.record.costs_of_other(wanted)


def take_over(case: Case, scene: Scene) -> list[Change]:
    """Mark the request that the job names as its own, if it is what the job declares.

    A create is never the answer: whoever names an id wants that request, and a second one would be paid again.
    """
    wanted = case.adoptable
    if wanted is None:
        detail = f"request {case.job.adopt} is not listed on this account, or belongs to another job of this project"
        return [attention(case, Reason.ADOPT, detail)]
    if wanted.marker is not None:
        return [_refused(case, wanted, f"{wanted.why}; release it there first")]
    fields = changed_from(case.job, wanted.request.request)
    if fields:
        detail = "it is not what the manifest declares; change the manifest to what the request is"
        return [replace(_refused(case, wanted, detail), fields=fields)]
    return [_adopt(case, wanted, scene)]


def _refused(case: Case, wanted: Suspect, detail: str) -> Change:
    change = attention(case, Reason.ADOPT, detail)
    return replace(change, request_id=wanted.request.request_id)


def _adopt(case: Case, wanted: Suspect, scene: Scene) -> Change:
    mark = born_marker(case.job, scene.facts, attempt=1).sealed_for(wanted.request.request_id)
    phase = phase_of(wanted.request)
    live = Live(wanted.request, mark, phase)
    if phase is Phase.FAILED:
        return _refused(
            case, wanted, "it has FAILED, so there is nothing to take over; leave `adopt` out"
        )
    if phase not in WRITABLE:
        return replace(waiting(case, live), detail=f"{phase}; it can be marked when it is at rest")
    own = case.job.description
    text = own.strip() if own is not None else without_remains(wanted.request.description)
    return replace(change_of(case, Action.ADOPT, Reason.ADOPT, live=live), marker=mark, text=text)
