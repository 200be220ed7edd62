"""Twins: requests that do a job's work already and are not known as its own.

Whoever makes or starts one beside them pays twice for the same files, so it is a question to a person first.
"""

from __future__ import annotations

from shbatch_sync import gates
from shbatch_sync.case import Case
from shbatch_sync.inventory import Live, Suspect, delivery_url
from shbatch_sync.phase import AT_REST, COUNTS_AS_STARTED, UNPAID, phase_of
from shbatch_sync.plan import Withheld
from shbatch_sync.rename import digests_under, moulds, work
from shbatch_sync.scene import Scene
from shbatch_sync.witness import witness

_OR_ALLOW = ", or --allow twin"
_PASTED = "take the marker out of its description, it counts for another request"


def twin(case: Case, scene: Scene) -> Withheld | None:
    """Look for a request that does the same work under another name, or none."""
    seen = scene.inventory
    suspects = [*seen.lookalikes, *seen.damaged, *seen.copies, *scene.orphans]
    found = _alike(case, suspects)
    if found is not None:
        return gates.twin(_words(found), scene.policy, _lift(case, scene, found))
    name = scene.ledger.twin(case.job.norm_digest, scene.declared) if scene.ledger.entries else None
    if name is None:
        return _twin_renamed(case, scene)
    lift = _take_name(case, name) + _OR_ALLOW
    return gates.twin(f"job {name}, which the ledger knows as run", scene.policy, lift)


def _twin_renamed(case: Case, scene: Scene) -> Withheld | None:
    """Look for a request that does the same work under another name, which is part of where it delivers."""
    cut = moulds(case.job.spec, case.job.name)
    if not cut:
        return None
    done = work(case.job.spec)
    for mould in cut:
        suspect = scene.moulds.get((mould, done))
        if suspect is not None and suspect.job is not None:
            place = suspect.job.join(mould)
            return _renamed(case, scene, suspect.job, place, _words(suspect))
    for place, norm_digest in digests_under(case.job, scene.ran.near(case.job.name)):
        name = scene.ledger.twin(norm_digest, scene.declared)
        if name is not None:
            what = f"job {name}, which the ledger knows as run"
            return _renamed(case, scene, name, place, what)
    return None


def _renamed(case: Case, scene: Scene, name: str, place: str, what: str) -> Withheld | None:
    lift = f"{_take_name(case, name)} and deliver to {place} as before{_OR_ALLOW}"
    return gates.twin(f"{what}, but for its name in the delivery url", scene.policy, lift)


def twin_beside(case: Case, scene: Scene, live: Live) -> Withheld | None:
    """Look for a request that does the same work and is not known as the job's, before `live` is started beside it.

    It may be the one that won: somebody took its marker out or wrote another one's over it, and another run has
    started it, or is about to. Where `live` was started before, only one that is at work counts: what lies at rest
    beside it was seen before its start.
    """
    seen = scene.inventory
    suspects = [*seen.lookalikes, *seen.damaged, *seen.wanted.values()]
    unmarked = [suspect for suspect in suspects if suspect.marker is None]
    # Under another name, too: a checkout in which the job is called otherwise may have started it meanwhile.
    begun = [one for one in scene.orphans if phase_of(one.request) in COUNTS_AS_STARTED]
    rivals = [
        suspect
        for suspect in (*unmarked, *begun, *_overwritten(case, scene))
        if live.phase in UNPAID or phase_of(suspect.request) not in AT_REST
    ]
    found = _alike(case, rivals)
    if found is None:
        return None
    if found in seen.copies:
        mend = _PASTED
    elif found in begun:
        mend = _take_name(case, found.job)
    else:
        mend = "write its marker back with `shbatch-sync repair`"
    stop = "" if phase_of(found.request) in AT_REST else ", or stop it"
    return gates.twin(_words(found), scene.policy, f"{mend}{stop}{_OR_ALLOW}")


def spoilt_twin(case: Case, scene: Scene) -> Withheld | None:
    """Look for a request of ours that does the same work and whose marker somebody spoilt, before a new try."""
    found = _alike(case, [*scene.inventory.damaged, *_overwritten(case, scene)])
    if found is None:
        return None
    return gates.twin(_words(found), scene.policy, _lift(case, scene, found))


def _overwritten(case: Case, scene: Scene) -> list[Suspect]:
    """Return the key's own requests under another one's marker: what the ledger has lines of, and is a copy now."""
    ours = {entry.request_id for entry in case.record.entries if entry.marks}
    return [one for one in scene.inventory.copies if one.request.request_id in ours]


def _words(suspect: Suspect) -> str:
    return f"request {suspect.request.request_id} ({suspect.why})"


def _lift(case: Case, scene: Scene, suspect: Suspect) -> str:
    """Say what to write so that the request becomes the job's, instead of a second one."""
    if suspect in scene.orphans:
        return _take_name(case, suspect.job) + _OR_ALLOW
    if suspect in scene.inventory.copies:
        return _PASTED
    if suspect not in scene.inventory.lookalikes:
        return "`shbatch-sync repair` mends its marker"  # nobody wants a second one beside his own
    if suspect.marker is not None:  # of another project, which goes on with it
        return f"deliver somewhere else{_OR_ALLOW}"
    return f"write adopt: {suspect.request.request_id} in {case.job.origin}{_OR_ALLOW}"


def _take_name(case: Case, name: str | None) -> str:
    return f"write previousNames: [{name}] in {case.job.origin}"


def _alike(case: Case, suspects: list[Suspect]) -> Suspect | None:
    """Return the first of the suspects that does the job's work, or None."""
    url = delivery_url(case.job.spec)
    near = [suspect for suspect in suspects if delivery_url(suspect.request.request) == url]
    wanted = witness(case.job.spec) if near else None
    return next(
        (suspect for suspect in near if witness(suspect.request.request) == wanted),
        None,
    )
