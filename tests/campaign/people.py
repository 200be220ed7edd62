"""What people do to descriptions and requests, by hand."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from shbatch_sync import marker as markers
from shbatch_sync.emulator.lifecycle import start
from shbatch_sync.emulator.options import DEFAULT_ACCOUNT
from shbatch_sync.emulator.refusal import Refusal
from shbatch_sync.marker import Marker

if TYPE_CHECKING:
    from tests.campaign.world import World

KINDS = frozenset(
    {"marker gone", "marker damaged", "marker copied", "marker pasted", "made by hand", "person starts"}
)  # fmt: skip
STARTABLE = frozenset({"CREATED", "ANALYSIS_DONE", "STOPPED"})


def visit(world: World, kind: str, dice: random.Random) -> str | None:
    """Do one thing; return the id that it was done to, or None where there was nothing to do it to."""
    tasks = world.observe()
    mine = [task for id_, task in tasks.items() if id_ in world.watch.marks]
    marked = [task for task in mine if isinstance(markers.parse(text_of(task)), Marker)]
    match kind:
        case "made by hand":
            return _make(world, dice)
        case "person starts":
            still = [id_ for id_, task in tasks.items() if task["status"] in STARTABLE]
            return start_by_hand(world, dice.choice(still)) if still else None
        case _ if not marked:
            return None
        case "marker copied":
            return _copy(world, dice.choice(marked), dice)
        case "marker pasted":
            return _paste(world, dice.choice(marked), list(tasks.values()), dice)
    task = dice.choice(marked)
    words = markers.human_text(text_of(task))
    broken = words if kind == "marker gone" else _broken(text_of(task), dice)
    world.service.describe(task["id"], broken or None)
    world.struck[task["id"]] = kind
    return str(task["id"])


def text_of(task: dict[str, Any]) -> str:
    """Return a task's description."""
    return task["request"].get("description") or ""


def _broken(text: str, dice: random.Random) -> str:
    """Damage a marker as an editor, a limit or a slip of the hand does."""
    at = text.index("[shbatch-sync")
    cut = dice.randrange(at + 14, len(text) - 1)
    other = "b" if text[cut] != "b" else "c"
    ways = (text[:cut], f"{text[:cut]}{other}{text[cut + 1 :]}", text[:-1], f"{text} {text[at:]}")
    return dice.choice(ways)


def _make(world: World, dice: random.Random) -> str | None:
    """Make what a job declares, without a marker, as somebody does who does not know of us."""
    if not world.schedule.manifests:
        return None
    declared = dice.choice(world.schedule.manifests)
    return world.put(declared.place, declared.version)


def start_by_hand(world: World, id_: str) -> str | None:
    """Start a request, if the service takes it."""
    try:
        world.back.act(DEFAULT_ACCOUNT, id_, start)
    except Refusal:
        return None
    world.started_by_hand.add(id_)
    if world.service.task(id_)["costPU"] == 0:
        world.paid_by_hand.add(id_)
    return id_


def _copy(world: World, task: dict[str, Any], dice: random.Random) -> str:
    """Make another request with a description of ours: the same body only where a seal tells them apart."""
    mark = markers.parse(text_of(task))
    assert isinstance(mark, Marker)
    same = mark.seal is not None and dice.random() < 0.5
    places = [one.place for one in world.schedule.manifests if one.name == mark.job]
    place = places[0] if same and places else f"copy{len(world.foreign)}"
    id_ = world.put(place, 1 if same else 9, text_of(task))
    world.copies[id_] = mark
    return id_


def _paste(
    world: World, task: dict[str, Any], tasks: list[dict[str, Any]], dice: random.Random
) -> str | None:
    """Put a description of ours onto a request that it was not made for, ours or not."""
    mark = markers.parse(text_of(task))
    assert isinstance(mark, Marker)
    others = [one for one in tasks if _job_of(world, one["id"]) != mark.job]
    if not others:
        return None
    id_ = str(dice.choice(others)["id"])
    world.service.describe(id_, text_of(task))
    if id_ in world.foreign:
        world.foreign[id_] = world.service.task(id_)
    else:
        world.struck[id_] = "marker pasted"
    world.copies[id_] = mark
    return id_


def _job_of(world: World, id_: str) -> str | None:
    mark = world.watch.marks.get(id_)
    return mark.job if mark is not None else None
