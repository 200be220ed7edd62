"""What must hold at the end of every schedule, whatever happened in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from shbatch_sync.errors import ShbatchError
from shbatch_sync.job import DeclaredState
from shbatch_sync.ledger import Event
from shbatch_sync.marker import Marker
from shbatch_sync.plan import Action, Change, Gate, Reason
from tests.campaign.play import Played
from tests.campaign.schedule import Declared
from tests.campaign.world import Seen, job_of

ACTIVE = frozenset({"ANALYSING", "PROCESSING"})


def judge(played: Played) -> None:
    """Add what is wrong to the violations."""
    if played.violations:
        return
    tasks = played.world.observe()
    for oracle in (_reached, _foreign, _recorded):
        played.violations += oracle(played, tasks)
    for over in (_paid_once, _made_once, _quiet, _warranted):
        played.violations += over(played)


def _paid_once(played: Played) -> Iterator[str]:
    """Each key is paid once; a second time only as a new try after a failure."""
    keys: dict[tuple[str, int, str], list[tuple[str, Seen]]] = defaultdict(list)
    for id_, seen in played.world.seen.items():
        if seen.paid and seen.marker is not None:
            mark = seen.marker
            # A rename buys nothing again, said or not; only an older checkout knows nothing of it.
            name = mark.job if played.world.schedule.mixed else mark.job.rstrip("xy")
            keys[name, mark.generation, mark.digest].append((id_, seen))
    for key, paid in keys.items():
        paid.sort(key=lambda item: item[1].created)
        unjustified = [id_[:8] for id_, seen in paid[:-1] if seen.ended != "FAILED"]
        if unjustified:
            yield f"paid twice: {key}: {', '.join(f'{id_[:8]} {seen.ended}' for id_, seen in paid)}"
    yield from _replaced(played)


def _replaced(played: Played) -> Iterator[str]:
    """Another spec of the same generation is paid for only where a replace was allowed."""
    schedule = played.world.schedule
    if Gate.REPLACE in schedule.allow or schedule.mixed:
        return
    specs: dict[tuple[str, int], set[str]] = defaultdict(set)
    for seen in played.world.seen.values():
        if seen.paid and seen.marker is not None:
            # A rename that was not said makes another job.
            specs[seen.marker.job.rstrip("y"), seen.marker.generation].add(seen.marker.digest)
    for (job, generation), digests in specs.items():
        if len(digests) > 1:
            yield f"{len(digests)} specs of {job} r{generation} were paid for, and no replace was allowed"


def _made_once(played: Played) -> Iterator[str]:
    """No apply makes a second request of a key when the first was answered, but as a new try."""
    world = played.world
    made: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for apply, id_ in world.created:
        mark = world.seen[id_].marker
        # An older checkout may have retired the first meanwhile.
        if mark is not None and not world.forgot and not world.schedule.mixed:
            key = (mark.job, str(mark.generation), mark.digest, str(mark.attempt))
            made[apply, *key].append(id_[:8])
    for (apply, *_), ids in made.items():
        if len(ids) > 1:
            yield f"{apply} made {len(ids)} requests of one key: {ids}"


def _reached(played: Played, tasks: dict[str, Any]) -> Iterator[str]:
    """Every declared job is where it was declared to be, or the last apply says why not."""
    if isinstance(played.last, ShbatchError) or played.last is None or played.after is None:
        yield f"the last apply was refused: {played.last}"
        return
    plan = played.after.plan
    told = {
        change.job
        for change in plan.changes
        if change.action is Action.ATTENTION or change.withheld
    }
    told |= played.last.failures.keys() | played.last.held.keys()
    waiting = {change.job for change in plan.changes if change.action is Action.WAIT}
    for declared in played.world.schedule.manifests:
        if declared.name in told:
            continue
        wrong = _wrong(played, declared, tasks)
        if wrong:
            yield f"{declared.name} {wrong}, and nobody says so{' (waits)' if declared.name in waiting else ''}"
    if int(played.last.exit_code) == 0 and told:
        yield f"exit 0, but something is to be told of {sorted(told)}"


def _wrong(played: Played, declared: Declared, tasks: dict[str, Any]) -> str | None:
    job = job_of(declared)
    seen = played.world.seen
    mine = {
        id_: one
        for id_, one in seen.items()
        if one.marker is not None and one.marker.job in job.names
    }
    key = {
        id_: one for id_, one in mine.items()
        if (one.marker.generation, one.marker.digest) == (job.generation, job.digest)
    }  # fmt: skip
    active = [id_[:8] for id_ in mine if id_ in tasks and _active(tasks[id_])]
    if declared.state is DeclaredState.STOPPED:
        return f"is to be stopped and has {active} active" if active else None
    alive = [tasks[id_] for id_ in key if id_ in tasks and key[id_].marker.retired is None]
    # The ledger may know it under a name between, which no manifest says any more.
    same = (one for one in seen.values() if one.ended == "DONE" and one.marker is not None)
    done = [
        one
        for one in same
        if _key(one.marker) == (declared.name.rstrip("xy"), job.generation, job.digest)
    ]
    if declared.state is DeclaredState.STARTED:
        return None if done else "is to be started and is not DONE"
    passed = [
        id_ for id_, one in key.items() if one.ended is not None
    ]  # a milestone that was reached counts
    if not alive and not passed:
        return f"is to be {declared.state} and has no request"
    return None


def _key(mark: Marker) -> tuple[str, int, str]:
    return (mark.job.rstrip("xy"), mark.generation, mark.digest)


def _active(task: dict[str, Any]) -> bool:
    starting = task["userAction"] == "START" and task["status"] in {"CREATED", "ANALYSIS_DONE"}
    return task["status"] in ACTIVE or starting


def _foreign(played: Played, tasks: dict[str, Any]) -> Iterator[str]:
    for id_, before in played.world.foreign.items():
        if tasks.get(id_) != before:
            yield f"foreign request {id_} was changed: {tasks.get(id_)}"


def _recorded(played: Played, tasks: dict[str, Any]) -> Iterator[str]:
    """The ledger knows every start and every end."""
    world = played.world
    lines = world.sheet.read()
    known = {(line.request_id, line.event) for line in lines}
    finals = {(line.request_id, line.status) for line in lines if line.event is Event.FINAL}
    lost = any(stage.lost_lines for stage in world.schedule.stages)
    for id_, task in tasks.items():
        seen = world.seen.get(id_)
        if id_ in world.foreign or seen is None or seen.marker is None:
            continue
        if task["userAction"] == "START" and (id_, Event.START) not in known and not lost:
            yield f"{id_[:8]} was started and the ledger does not know"
        if seen.ended is not None and (id_, seen.ended) not in finals:
            yield f"{id_[:8]} ended {seen.ended} and the ledger does not know"
    for id_, status in finals:
        if id_ in tasks and status == "DONE" and tasks[id_]["status"] != "DONE":
            yield f"the ledger says that {id_[:8]} is DONE, but it is {tasks[id_]['status']}"


def _quiet(played: Played) -> Iterator[str]:
    """The next plan changes nothing."""
    if played.after is None or isinstance(played.last, ShbatchError) or played.last is None:
        return
    left_alone = played.last.failures.keys() | played.last.held.keys()
    for change in played.after.plan.changes:
        if change.effective:
            why = "left alone by the last apply" if change.job in left_alone else "for no reason"
            yield f"not quiet: {change.action} {change.job} ({change.reason}) is still to do, {why}"


_NEVER = frozenset({Reason.PAID_TWICE, Reason.DAMAGED, Reason.COPY, Reason.GENERATION_LOWER})


def _warranted(played: Played) -> Iterator[str]:
    """A person is asked only where something happened that a person has to judge."""
    if played.after is None or isinstance(played.last, ShbatchError) or played.last is None:
        return
    for job, why in {**played.last.failures, **played.last.held}.items():
        yield f"a clean apply fails or holds {job}: {why}"
    for change in played.after.plan.changes:
        if change.withheld is not None and not _gate_warranted(played, change.withheld.gate):
            yield f"{change.job} is withheld for nothing: {change.withheld}"
        if change.action is Action.ATTENTION and not _call_warranted(played, change):
            yield f"{change.job} asks for attention for nothing: {change.reason}: {change.detail}"


def _gate_warranted(played: Played, gate: Gate) -> bool:
    edits = [edit for stage in played.world.schedule.stages for edit in stage.edits]
    match gate:
        case Gate.RECREATE:
            return played.world.forgot
        case Gate.TWIN:
            return (
                any("rename" in edit or "remove" in edit for edit in edits)
                or played.world.schedule.mixed
            )
        case Gate.REPLACE:
            return any("spec" in edit or "revert" in edit for edit in edits)
        case _:
            return False


def _call_warranted(played: Played, change: Change) -> bool:
    world = played.world
    edits = [edit for stage in world.schedule.stages for edit in stage.edits]
    match change.reason:
        case Reason.STOPPED | Reason.FAILED:
            return change.request_id in world.stopped or world.forgot
        case Reason.ATTEMPTS_USED:
            return world.blows >= 1
        case Reason.REVERTED:
            return any("revert" in edit for edit in edits) or world.schedule.mixed
        case reason:
            return reason not in _NEVER
