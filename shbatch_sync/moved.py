"""What has moved since a plan was saved: the planned changes held against those that would be made now.

They have to be the same in both directions. Two things make a difference that is none. Jobs go on: waits come and
go, and what a wait announced becomes possible. And an apply of the same file may have ended half way: its own
steps are done, and what follows from them (sealing what was created, retiring what was replaced) was agreed to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shbatch_sync.inventory import Live
from shbatch_sync.ledger_line import Event
from shbatch_sync.now import Now
from shbatch_sync.phase import AT_REST, COUNTS_AS_STARTED, Phase
from shbatch_sync.plan import PASSIVE, Action, Change, Plan, Reason
from shbatch_sync.planfile import change_to_json

Entry = Mapping[str, Any]

_MAKING = frozenset({Action.CREATE.value, Action.REPLACE.value})
_IDLE = frozenset(action.value for action in PASSIVE)
# What a person has changed since, which no create brings about.
_EDITS = frozenset({Reason.DESCRIPTION_CHANGED, Reason.PROTECT_CHANGED})
# What a wait in the plan says will be done when it is over.
_ANNOUNCED = {
    Action.START: frozenset(
        {
            Reason.ANALYSING.value,
            Reason.DEPENDS_ON.value,
            Reason.MAX_RUNNING.value,
            Reason.OLD_ACTIVE.value,
            Reason.TOO_SOON.value,
        }
    ),
    Action.UPDATE: frozenset({Reason.DEFERRED.value}),
}


def moved(saved: Sequence[Entry], now: Now) -> list[str]:
    """Return what has moved, one line each; nothing if what was agreed to is what would be done.

    Args:
        saved: `changes` of the saved plan.
        now: The world as it is.
    """
    planned = {_key(entry): entry for entry in saved if entry["action"] not in _IDLE}
    changes = {_key(one): (one, change) for one, change in _entries(now.plan)}
    return [*_unplanned(changes, planned, saved, now), *_undone(planned, changes, now)]


def _entries(plan: Plan) -> Iterator[tuple[Entry, Change]]:
    # Through JSON, because the saved side came through it: a tuple would differ from its list.
    for change in plan.changes:
        if change.action not in PASSIVE:
            yield json.loads(json.dumps(change_to_json(change))), change


def _key(entry: Entry) -> tuple[str, str, str | None]:
    return (entry["job"], entry["action"], entry["requestId"])


def _words(entry: Entry) -> str:
    which = f" request {entry['requestId']}" if entry["requestId"] else ""
    return f"{entry['job']}: {entry['action']}{which}"


# --- what would be done now ----------------------------------------------------------------------------------


def _unplanned(
    changes: Mapping[Any, tuple[Entry, Change]],
    planned: Mapping[Any, Entry],
    saved: Sequence[Entry],
    now: Now,
) -> Iterator[str]:
    for key, (entry, change) in changes.items():
        if key in planned:
            difference = _difference(planned[key], entry)
            if difference:
                yield f"{_words(entry)}: {difference}"
            continue
        agreed = [one for one in saved if _agreed(one, entry) and not _still_stands(one, now)]
        if not _follows(entry, change, agreed):
            yield f"{_words(entry)} was not planned{_place(entry)}"


def _agreed(one: Entry, entry: Entry) -> bool:
    """Say whether a planned change of the same job counts for one of now: not if a gate held only the planned one."""
    return one["job"] == entry["job"] and _gate(one) in {None, _gate(entry)}


def _still_stands(one: Entry, now: Now) -> bool:
    """Say whether a planned wait for other jobs would still be one by what was planned: they are not all done."""
    if one["reason"] != Reason.DEPENDS_ON.value:
        return False
    names = one["detail"].removeprefix("after ").split(", ")
    return not all(name in now.jobs and now.case(name).done for name in names)


def _gate(entry: Entry) -> str | None:
    held: Mapping[str, str] = entry["withheld"] or {}
    return held.get("gate")


def _difference(before: Entry, after: Entry) -> str:
    """Return how two changes of the same kind differ in what was agreed to; estimates and places are not part of it."""
    if before["digest"] != after["digest"] or before["generation"] != after["generation"]:
        return f"{_declared(after)} another request now"
    if before["try"] != after["try"]:
        return f"try {before['try']} was planned, it would be try {after['try']}"
    if _gate(before) != _gate(after):
        return f"held back by {_gate(before) or 'no gate'} when planned, by {_gate(after) or 'none'} now"
    fields = _fields(before, after)
    return f"{fields}: not what was planned" if fields else ""


def _fields(before: Entry, after: Entry) -> str:
    """Name the fields that differ otherwise than planned; what only looks different depends on the service's echo."""
    old, new = (
        {field["path"]: field for field in entry["fields"] if not field["reason"]}
        for entry in (before, after)
    )
    return ", ".join(
        path for path in sorted(old.keys() | new.keys()) if old.get(path) != new.get(path)
    )


def _declared(entry: Entry) -> str:
    return f"{entry['file']}:{entry['line']} declares" if entry["file"] else "the manifest declares"


def _place(entry: Entry) -> str:
    return f" ({entry['file']}:{entry['line']})" if entry["file"] else ""


def _follows(entry: Entry, change: Change, agreed: Sequence[Entry]) -> bool:
    """Say whether a change comes of others that were agreed to."""
    mine = [one for one in agreed if _same_request(one, entry)]
    made = next((one for one in mine if one["action"] in _MAKING), None)
    match change.action:
        case Action.START | Action.ANALYSE:
            meant = any(one["action"] == entry["action"] for one in mine)
            announced = any(_announces(one, change.action) for one in mine)
            return (_made_by(made, change) and (meant or announced)) or _announced(
                entry, change, mine
            )
        case Action.UPDATE:
            stopped = any(
                _key(one) == (*_key(entry)[:1], "stop", entry["requestId"]) for one in agreed
            )
            of_making = made is not None and change.reason not in _EDITS
            return of_making or stopped or _announced(entry, change, mine)
        case Action.STOP:
            return made is not None and made["requestId"] == entry["requestId"]
        case _:
            return False


def _same_request(one: Entry, other: Entry) -> bool:
    return all(one[key] == other[key] for key in ("digest", "generation"))


def _made_by(made: Entry | None, change: Change) -> bool:
    """Say whether a request is the one that a planned create was to make, of the same try."""
    live = change.live
    return made is not None and live is not None and live.marker.attempt == made["try"]


def _announces(entry: Entry, action: Action) -> bool:
    return entry["action"] == Action.WAIT and entry["reason"] in _ANNOUNCED.get(action, ())


def _announced(entry: Entry, change: Change, mine: Sequence[Entry]) -> bool:
    """Say whether a wait of the plan named the request that is acted on now."""
    return any(
        one["requestId"] == entry["requestId"] and _announces(one, change.action) for one in mine
    )


# --- what was planned ----------------------------------------------------------------------------------------


def _undone(planned: Mapping[Any, Entry], changes: Mapping[Any, Any], now: Now) -> Iterator[str]:
    for key, entry in planned.items():
        if key in changes or _still_to_do(entry, changes):
            continue
        why = _otherwise_declared(entry, now) or _not_done(entry, now)
        if why:
            yield f"{_words(entry)} was planned, {why}"


def _still_to_do(entry: Entry, changes: Mapping[Any, Any]) -> bool:
    """Say whether a step that was planned for a request to come is to be done to the one that came."""
    job, action, request_id = _key(entry)
    return request_id is None and any(key[:2] == (job, action) for key in changes)


def _otherwise_declared(entry: Entry, now: Now) -> str:
    job = now.jobs.get(entry["job"])
    if job is None:
        return "but no manifest declares the job any more" if entry["state"] is not None else ""
    if entry["state"] is None:
        return f"but {job.origin} declares the job now"
    declared = (job.digest, job.generation)
    if declared != (entry["digest"], entry["generation"]):
        return f"but {job.origin} declares another request now"
    return f"but {job.origin} declares {job.state} now" if job.state != entry["state"] else ""


def _not_done(entry: Entry, now: Now) -> str:
    """Return why a planned step that would not be done now is not done either; nothing if it is."""
    if _done(entry, now):
        return ""
    request_id = entry["requestId"]
    live = now.live(request_id) if request_id else None
    if live is None:
        return "and it is neither to be done now nor done"
    return f"but the request is {live.phase} now"


def _done(entry: Entry, now: Now) -> bool:
    match entry["action"]:
        case Action.CREATE | Action.REPLACE:
            return _made(entry, now)
        case Action.START:
            return _started(entry, now) or now.waits(entry["job"])
        case Action.ANALYSE:
            live = _subject(entry, now)
            return live is not None and live.phase is not Phase.CREATED
        case Action.STOP:
            live = now.live(entry["requestId"])
            return live is None or live.phase in AT_REST | {Phase.STOPPING}
        case _:
            live = now.live(entry["requestId"])
            return live is not None and _reads(live, entry)


def _made(entry: Entry, now: Now) -> bool:
    case = now.case(entry["job"])
    claimants = case.outcome.claimants if case.outcome is not None else ()
    remembered = case.record.done is not None or case.record.attempt >= entry["try"]
    return remembered or any(live.marker.attempt >= entry["try"] for live in claimants)


def _started(entry: Entry, now: Now) -> bool:
    """Say whether a request was started; one that ended otherwise than DONE counts only if we started it."""
    case = now.case(entry["job"])
    live = _subject(entry, now)
    if case.record.done is not None or live is None:
        return case.record.done is not None
    ended = live.phase in {Phase.FAILED, Phase.STOPPED}
    ours = bool(case.record.words(live.id, Event.START))
    return live.phase in COUNTS_AS_STARTED and (ours or not ended)


def _subject(entry: Entry, now: Now) -> Live | None:
    """Return the request that a planned step is about: the one it names, or the one that was to be created."""
    if entry["requestId"]:
        return now.live(entry["requestId"])
    outcome = now.case(entry["job"]).outcome
    return outcome.winner if outcome is not None else None


def _reads(live: Live, entry: Entry) -> bool:
    """Say whether a description says already what it was to say."""
    texts = [field["after"] for field in entry["fields"] if field["path"] == "/description"]
    return not texts or texts[0] == live.text
