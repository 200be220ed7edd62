"""Whether what asks for a person does so with a reason: what must have happened for each gate and each attention."""

from __future__ import annotations

from collections.abc import Iterator

from shbatch_sync.errors import ShbatchError
from shbatch_sync.plan import Action, Change, Gate, Reason
from tests.campaign.declared import job_of
from tests.campaign.play import Played
from tests.campaign.watch import root
from tests.campaign.world import World


def unwarranted(played: Played) -> Iterator[str]:
    """A person is asked only where something happened that a person has to judge."""
    if played.after is None or isinstance(played.last, ShbatchError) or played.last is None:
        return
    for job, why in {**played.last.failures, **played.last.held}.items():
        yield f"a clean apply fails or holds {job}: {why}"
    for change in played.after.plan.changes:
        if change.withheld is not None and not _gate(played, change, change.withheld.gate):
            yield f"{change.job} is withheld for nothing: {change.withheld}"
        if change.action is Action.ATTENTION and not _call(played, change):
            yield f"{change.job} asks for attention for nothing: {change.reason}: {change.detail}"


def _edits(world: World) -> list[str]:
    return [edit for stage in world.schedule.stages for edit in stage.edits]


def _meddled(world: World, job: str) -> bool:
    """Say whether people did anything to a job's requests, or made one like them."""
    marks = world.watch.marks
    touched = [marks[id_].job for id_ in (*world.struck, *world.started_by_hand) if id_ in marks]
    touched += [mark.job for mark in world.copies.values()]
    places = {
        world.foreign[id_]["request"]["output"]["delivery"]["s3"]["url"]
        for id_ in world.twins
        if id_ in world.foreign
    }
    like = any(
        job_of(one).spec["output"]["delivery"]["s3"]["url"] in places
        for one in world.schedule.manifests
        if one.name == job
    )
    return like or root(job) in {root(name) for name in touched}


def _gate(played: Played, change: Change, gate: Gate) -> bool:
    world = played.world
    edits = _edits(world)
    renamed = any("rename" in edit or "remove" in edit or "previous" in edit for edit in edits)
    match gate:
        case Gate.RECREATE:
            # A name that was dropped before its marker could be rewritten leaves a start without its request.
            return world.forgot or renamed or _meddled(world, change.job)
        case Gate.TWIN:
            return renamed or world.schedule.mixed or _meddled(world, change.job)
        case Gate.REPLACE:
            return any("spec" in edit or "revert" in edit for edit in edits)
        case Gate.COST:
            return bool(world.schedule.extras.prices)
        case _:
            return False


def _call(played: Played, change: Change) -> bool:
    world = played.world
    match change.reason:
        case Reason.STOPPED | Reason.FAILED:
            return _stopped(world, change)
        case Reason.ATTEMPTS_USED:
            return world.blows >= 1
        case Reason.REVERTED:
            return any("revert" in edit for edit in _edits(world)) or world.schedule.mixed
        case Reason.DAMAGED:
            return change.request_id in world.struck
        case Reason.COPY:
            # Where nothing tells which of two the marker was made for, neither is touched, and either may be named.
            own = world.watch.marks.get(change.request_id or "")
            nonces = {mark.nonce for mark in world.copies.values()}
            return change.request_id in world.copies or (own is not None and own.nonce in nonces)
        case Reason.PAID_TWICE:
            return _meddled(world, change.job)
        case Reason.ADOPT:
            return world.forgot or _cannot_adopt(world, change.job)
        case reason:
            return reason is not Reason.GENERATION_LOWER


def _stopped(world: World, change: Change) -> bool:
    if world.forgot or change.request_id is not None:
        return world.forgot or change.request_id in world.stopped
    # Only the ledger tells of it, since a person took the marker away.
    marks = world.watch.marks
    jobs = {root(marks[id_].job) for id_ in world.stopped if id_ in marks and id_ in world.struck}
    return root(change.job) in jobs


def _cannot_adopt(world: World, job: str) -> bool:
    """Say whether the request that a job is to take over is none that it could have taken."""
    declared = next(one for one in world.schedule.manifests if one.name == job)
    hand = next(one for one in world.schedule.extras.hands if one.place == declared.place)
    id_ = world.hands[hand.place]
    taken = world.watch.marks.get(id_)
    if id_ in world.struck or id_ in world.copies:
        return True  # a person wrote on it
    if taken is not None:
        # Under a name that the manifest does not say it had, it is another job's.
        return taken.job not in job_of(declared).names
    return hand.state in {"missing", "FAILED"} or hand.version != declared.version
