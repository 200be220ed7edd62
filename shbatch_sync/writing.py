"""What a description should say: the seal, the text that we own, the digest, the protection."""

from __future__ import annotations

from dataclasses import replace

from shbatch_sync.case import Case
from shbatch_sync.diff import FieldChange, Kind, suppressed_fields
from shbatch_sync.inventory import Live
from shbatch_sync.job import DeclaredState
from shbatch_sync.marker import Marker, Retired, same_text
from shbatch_sync.phase import WRITABLE, Phase
from shbatch_sync.plan import Action, Change, Reason
from shbatch_sync.restart import stopped_by_us
from shbatch_sync.scene import change_of


def wanted_marker(case: Case, live: Live) -> Marker:
    """Return the marker that a request of the job's key should carry."""
    ours = live.phase is Phase.STOPPED and stopped_by_us(live, case.record)
    return replace(
        live.marker.sealed_for(live.id),
        job=case.job.name,
        digest=case.job.digest,
        protected=case.job.protect,
        stopped=live.marker.stopped or ours,
    )


def wanted_text(case: Case, live: Live) -> str:
    """Return the text that should stand around it: the manifest's if it has one, else the people's."""
    return live.text if case.job.description is None else case.job.description.strip()


def write(case: Case, live: Live) -> list[Change]:
    """Bring a request's description up to date, or wait until it can be."""
    mark, text = wanted_marker(case, live), wanted_text(case, live)
    reason = _reason(live, mark, text)
    # Nobody promises that a failed request can be written to, and nothing depends on it. That we stopped it need not
    # be noted on a request that is about to go on.
    resumes = reason is Reason.STOPPED_BY_US and case.job.state is DeclaredState.STARTED
    if reason is None or resumes or live.phase is Phase.FAILED:
        return []
    if live.phase not in WRITABLE:
        detail = "its description can be changed when it is at rest"
        return [change_of(case, Action.WAIT, Reason.DEFERRED, detail, live)]
    fields = suppressed_fields(case.job.spec, live.spec) if reason is Reason.COSMETIC else ()
    if reason is Reason.DESCRIPTION_CHANGED:
        fields = (FieldChange("/description", Kind.CHANGED, live.text, text),)
    change = change_of(case, Action.UPDATE, reason, live=live)
    return [replace(change, fields=fields, marker=mark, text=text)]


def retire(case: Case, live: Live, kind: Retired) -> Change:
    """Say on a request that it counts no more."""
    reason = Reason.DUPLICATE if kind is Retired.DUPLICATE else Reason.SUPERSEDED
    change = change_of(case, Action.UPDATE, reason, live=live)
    return replace(change, marker=replace(live.marker, retired=kind), text=live.text)


def _reason(live: Live, mark: Marker, text: str) -> Reason | None:
    if not same_text(text, live.text):
        return Reason.DESCRIPTION_CHANGED
    if not live.sealed:
        return Reason.UNSEALED
    if mark.job != live.marker.job:
        return Reason.RENAMED
    if mark.digest != live.marker.digest:
        return Reason.COSMETIC
    if mark.protected != live.marker.protected:
        return Reason.PROTECT_CHANGED
    return Reason.STOPPED_BY_US if mark.stopped != live.marker.stopped else None
