"""What must hold at the end of every schedule, whatever happened in it; `watch` judges what we do meanwhile."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from shbatch_sync import marker as markers
from shbatch_sync.errors import LedgerError, ShbatchError
from shbatch_sync.job import DeclaredState
from shbatch_sync.ledger_line import Event
from shbatch_sync.marker import Marker
from shbatch_sync.plan import Action, Gate
from tests.campaign.declared import job_of
from tests.campaign.ledger import NOT_BEGUN
from tests.campaign.people import text_of
from tests.campaign.play import Played
from tests.campaign.schedule import Declared
from tests.campaign.warrant import unwarranted
from tests.campaign.watch import Tasks, at_work, key_of, key_of_job, root
from tests.campaign.world import Seen, World


def judge(played: Played) -> None:
    """Add what is wrong to the violations."""
    if played.violations:
        return
    tasks = played.world.observe()
    played.violations += dict.fromkeys(played.world.watch.wrong)
    for oracle in (_reached, _foreign, _recorded, _said):
        played.violations += oracle(played, tasks)
    for over in (_paid_once, _made_once, _quiet, _refused, unwarranted):
        played.violations += over(played)


def _paid_once(played: Played) -> Iterator[str]:
    """Each key is paid once; a second time only as a new try after a failure."""
    world = played.world
    keys: dict[tuple[str, int, str], list[tuple[str, Seen]]] = defaultdict(list)
    for id_, seen in world.seen.items():
        # What a person started was not paid for by us; what was adopted counts, whoever started it.
        by_us = _by_us(world, id_) or id_ in world.watch.wanted
        if seen.paid and seen.marker is not None and by_us:
            mark = seen.marker
            # A rename buys nothing again, said or not; only an older checkout knows nothing of it.
            name = mark.job if world.schedule.mixed else root(mark.job)
            keys[name, mark.generation, mark.digest].append((id_, seen))
    for key, paid in keys.items():
        paid.sort(key=lambda item: item[1].created)
        if any(seen.ended != "FAILED" for _, seen in paid[:-1]):
            yield f"paid twice: {key}: {', '.join(f'{id_[:8]} {seen.ended}' for id_, seen in paid)}"
    yield from _replaced(played)


def _by_us(world: World, id_: str) -> bool:
    """Say whether a request that cost something was paid for by a start of ours."""
    return id_ in world.watch.begun and id_ not in world.paid_by_hand


def _replaced(played: Played) -> Iterator[str]:
    """Another spec of the same generation is paid for only where a replace was allowed."""
    world = played.world
    if Gate.REPLACE in world.schedule.allow or world.schedule.mixed:
        return
    specs: dict[tuple[str, int], set[str]] = defaultdict(set)
    lost = world.lost
    for id_, seen in world.seen.items():
        if lost and id_ in world.struck:
            continue  # neither the request nor the ledger tells any more that it was paid for this job
        if seen.paid and seen.marker is not None and _by_us(world, id_):
            name = _name_told(world, seen.marker.job)
            specs[name, seen.marker.generation].add(seen.marker.digest)
    for (job, generation), digests in specs.items():
        if len(digests) > 1:
            yield f"{len(digests)} specs of {job} r{generation} were paid for, and no replace was allowed"


def _name_told(world: World, name: str) -> str:
    """Return the name that a job had first, as far as applies were told: else a rename makes another job."""
    while name.endswith("y") and {(name, name[:-1]), (name[:-1], name)} & world.renames:
        name = name[:-1]
    return name


def _made_once(played: Played) -> Iterator[str]:
    """No apply makes a second request of a key when the first was answered, but as a new try."""
    world = played.world
    made: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for apply, id_ in world.created:
        mark = world.watch.origins.get(id_)
        # An older checkout may have retired the first meanwhile.
        if mark is not None and not world.forgot and not world.schedule.mixed:
            key = (mark.job, str(mark.generation), mark.digest, str(mark.attempt))
            made[apply, *key].append(id_[:8])
    for (apply, *_), ids in made.items():
        if len(ids) > 1:
            yield f"{apply} made {len(ids)} requests of one key: {ids}"


def _refused(played: Played) -> Iterator[str]:
    """Where there is no ledger, an apply says so before it begins to make anything."""
    # An adoption is only found out by the line that it cannot write.
    for error in played.refusals if not played.world.schedule.extras.hands else ():
        if isinstance(error, LedgerError) and NOT_BEGUN in str(error):
            yield "an apply wanted to make something without a ledger"


# --- where every job ends ----------------------------------------------------------------------------------------


def _reached(played: Played, tasks: Tasks) -> Iterator[str]:
    """Every declared job is where it was declared to be, or the last apply says why not."""
    if isinstance(played.last, ShbatchError) or played.last is None or played.after is None:
        yield f"the last apply was refused: {played.last}"
        return
    told = _told(played)
    excused = told | _after_others(played, told)
    waiting = {change.job for change in played.after.plan.changes if change.action is Action.WAIT}
    for declared in played.world.schedule.manifests:
        if declared.name in excused:
            continue
        wrong = _wrong(played, declared, tasks)
        if wrong:
            yield f"{declared.name} {wrong}, and nobody says so{' (waits)' if declared.name in waiting else ''}"
    if int(played.last.exit_code) == 0 and told:
        yield f"exit 0, but something is to be told of {sorted(told)}"


def _told(played: Played) -> set[str]:
    """Return the jobs of which the last plan says that they need a person."""
    assert played.after is not None
    assert not isinstance(played.last, ShbatchError | None)
    told = {*played.last.failures, *played.last.held}
    for change in played.after.plan.changes:
        if change.action is Action.ATTENTION or change.withheld:
            told.add(change.job)
            # A damaged marker is told of by its request; the job that it was of is the one that we wrote on it.
            mark = played.world.watch.marks.get(change.request_id or "")
            told |= {
                one.name
                for one in played.world.schedule.manifests
                if mark and mark.job in job_of(one).names
            }
    return told


def _after_others(played: Played, told: set[str]) -> set[str]:
    """Return the jobs that wait for one that needs a person, or that is never to be started."""
    manifests = played.world.schedule.manifests
    stuck = told | {one.name for one in manifests if one.state is not DeclaredState.STARTED}
    places = {one.name: one.place for one in manifests}
    found: set[str] = set()
    for _ in manifests:
        blocked = {places[name] for name in stuck | found if name in places}
        found |= {one.name for one in manifests if blocked & set(one.depends)}
    return found


def _wrong(played: Played, declared: Declared, tasks: Tasks) -> str | None:
    job, seen = job_of(declared), played.world.seen
    mine = {
        id_: one
        for id_, one in seen.items()
        if one.marker is not None and one.marker.job in job.names
    }
    key = {
        id_: one
        for id_, one in mine.items()
        if (one.marker.generation, one.marker.digest) == (job.generation, job.digest)
    }
    active = [id_[:8] for id_ in mine if id_ in tasks and _active(tasks[id_])]
    if declared.state is DeclaredState.STOPPED:
        return f"is to be stopped and has {active} active" if active else None
    alive = [id_ for id_ in key if id_ in tasks and key[id_].marker.retired is None]
    # The ledger may know it under a name between, which no manifest says any more.
    same = [one for one in seen.values() if one.marker and key_of(one.marker) == key_of_job(job)]
    done = any(one.ended == "DONE" for one in same)
    if declared.state is DeclaredState.STARTED:
        return None if done else "is to be started and is not DONE"
    # A milestone that was reached counts.
    if not alive and not any(one.ended is not None for one in same):
        return f"is to be {declared.state} and has no request"
    return None


def _active(task: dict[str, object]) -> bool:
    return task["status"] == "ANALYSING" or at_work(task)


# --- what is remembered and said -------------------------------------------------------------------------------


def _foreign(played: Played, tasks: Tasks) -> Iterator[str]:
    """What is not ours stays as it was made; what its owner starts moves on by itself."""
    for id_, before in played.world.foreign.items():
        task = tasks.get(id_)
        if id_ in played.world.hands.values() and task is None:
            continue  # an id that nobody ever had
        if id_ in played.world.started_by_hand and task is not None:
            task = {**before, "request": task["request"]}
        if task != before:
            yield f"foreign request {id_} was changed: {task}"


def _recorded(played: Played, tasks: Tasks) -> Iterator[str]:
    """The ledger knows every start and every end."""
    world = played.world
    lines = world.sheet.read()
    known = {(line.request_id, line.event) for line in lines}
    named = {line.request_id for line in lines}
    finals = {(line.request_id, line.status) for line in lines if line.event is Event.FINAL}
    lost = world.lost
    carried = Counter(mark.nonce for task in tasks.values() if (mark := seen_marker(task)))
    for id_, task in tasks.items():
        seen = world.seen.get(id_)
        if id_ in world.foreign or seen is None or seen.marker is None:
            continue
        ours = id_ in world.watch.begun and task["userAction"] == "START"
        if ours and (id_, Event.START) not in known and not lost:
            yield f"{id_[:8]} was started and the ledger does not know"
        # Whose end it is, nobody can tell where a person took the marker away or pasted it over another one, or where it
        # never was sealed and no line names it: that might as well be a copy.
        mark = seen_marker(task)
        own = mark is not None and mark == world.watch.marks.get(id_) and carried[mark.nonce] == 1
        proven = own and (mark.seal is not None or id_ in named)
        if proven and mark.retired is not None and id_ in world.started_by_hand:
            continue  # a person has run what counts no more, and knows it
        if seen.ended is not None and (id_, seen.ended) not in finals and proven:
            yield f"{id_[:8]} ended {seen.ended} and the ledger does not know"
    for id_, status in finals:
        if id_ in tasks and status == "DONE" and tasks[id_]["status"] != "DONE":
            yield f"the ledger says that {id_[:8]} is DONE, but it is {tasks[id_]['status']}"


def seen_marker(task: dict[str, object]) -> Marker | None:
    """Return the marker that a request proves to be its own, or None."""
    mark = markers.parse(text_of(task))
    sound = isinstance(mark, Marker) and mark.seal in {None, markers.seal_of(str(task["id"]))}
    return mark if sound else None


def _said(played: Played, tasks: Tasks) -> Iterator[str]:
    """Whatever a person did to a marker of ours is told, as long as it stands like that and the ledger knows the request."""
    if played.after is None:
        return
    plan, world = played.after.plan, played.world
    named = {change.request_id for change in plan.changes if change.action is Action.ATTENTION}
    words = " ".join((*plan.warnings, *(change.detail for change in plan.changes)))
    # Taking one over, and that it was at work then, is written down before its marker is.
    before = {Event.ADOPTED, Event.START}
    known = {line.request_id for line in world.sheet.read() if line.event not in before}
    for id_, what in world.struck.items():
        if id_ in tasks and id_ in known and seen_marker(tasks[id_]) is None:
            world.watch.judged["markers told of"] += 1
            if id_ not in named and id_ not in words:
                yield f"{id_[:8]}: {what}, and nobody says so"
    for id_, mark in world.copies.items():
        sealed = mark.seal is not None and id_ in tasks and seen_marker(tasks[id_]) is None
        if sealed and isinstance(markers.parse(text_of(tasks[id_])), Marker):
            world.watch.judged["copies told of"] += 1
            if id_ not in named and id_ not in words:
                yield f"{id_[:8]} carries the marker of {mark.job}, and nobody says so"


def _quiet(played: Played) -> Iterator[str]:
    """The next plan changes nothing."""
    if played.after is None or isinstance(played.last, ShbatchError) or played.last is None:
        return
    left_alone = played.last.failures.keys() | played.last.held.keys()
    for change in played.after.plan.changes:
        if change.effective:
            why = "left alone by the last apply" if change.job in left_alone else "for no reason"
            yield f"not quiet: {change.action} {change.job} ({change.reason}) is still to do, {why}"
