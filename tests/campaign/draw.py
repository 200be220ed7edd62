"""Drawing a schedule from its seed: a third are plain, the others have more to them.

What is added is drawn apart from the plain part, and laid over it by the places that jobs deliver to, which stay
the same through edits and renames.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from tests.campaign.dice import Dice
from tests.campaign.plain import plain
from tests.campaign.schedule import Declared, Fate, Hand, Schedule, Stage

# With those for which no kind is drawn, a third are plain.
PLAIN_SHARE = 0.25
PEOPLE = (
    "marker gone", "marker gone", "marker damaged", "marker damaged", "marker copied", "marker pasted",
    "made by hand", "person starts",
)  # fmt: skip


def draw(seed: int, dice: Dice, *, hasty: bool = False) -> Schedule:
    """Draw a schedule; a hasty one is plain and settles for less than the lists lag."""
    schedule = plain(seed, dice, hasty=hasty)
    chance = dice.of("kinds")
    if hasty or chance.random() < PLAIN_SHARE:
        return schedule
    for kind, (share, added) in _KINDS.items():
        if chance.random() < share and dice.strikes(f"kind {kind}", "of schedule"):
            schedule = added(schedule, dice.of(f"kind {kind}"), dice)
            kinds = (*schedule.extras.kinds, kind)
            schedule = replace(schedule, extras=replace(schedule.extras, kinds=kinds))
    return schedule


def _people(schedule: Schedule, chance: random.Random, dice: Dice) -> Schedule:
    stages = tuple(
        _visited(stage, number, chance, dice) for number, stage in enumerate(schedule.stages)
    )
    extras = replace(schedule.extras, people=True, repair=chance.random() < 0.4)
    return replace(schedule, stages=stages, extras=extras)


def _visited(stage: Stage, number: int, chance: random.Random, dice: Dice) -> Stage:
    acts = [
        Fate(f"s{number}p{n}", chance.choice(PEOPLE), chance.uniform(0.0, 1500.0))
        for n in range(chance.choice((0, 1, 1, 2)))
    ]
    struck = [
        act
        for act in acts
        if dice.strikes(f"person {act.name}", f"{act.kind} at {act.after:.0f} s")
    ]
    return replace(stage, fates=(*stage.fates, *struck))


def _adopt(schedule: Schedule, chance: random.Random, _: Dice) -> Schedule:
    places = _first_places(schedule)
    chosen = chance.sample(places, chance.randint(1, len(places)))
    states = ("CREATED", "CREATED", "DONE", "PROCESSING", "FAILED", "missing")
    hands = tuple(
        Hand(place, chance.choice((1, 1, 1, 7)), chance.choice(states)) for place in chosen
    )
    dressed = _dressed(schedule, lambda one: replace(one, adopt=one.place in chosen))
    return replace(dressed, extras=replace(schedule.extras, hands=hands))


def _stale(schedule: Schedule, chance: random.Random, _: Dice) -> Schedule:
    weather = replace(schedule.weather, stale=chance.choice((5.0, 30.0, 90.0)))
    return replace(schedule, weather=weather, settle=120.0)


def _queue(schedule: Schedule, chance: random.Random, dice: Dice) -> Schedule:
    """A chain or a fan of jobs, and room for few of them; half of the time nothing else interferes."""
    schedule = _more_jobs(schedule, chance, dice)
    places = _first_places(schedule)
    chain = chance.random() < 0.5
    depends = {
        place: (places[number - 1],) if chain else (places[0],)
        for number, place in enumerate(places)
        if number and chance.random() < 0.6
    }
    limit = chance.choice((None, 1, 1, 2))
    dressed = _dressed(schedule, lambda one: replace(one, depends=depends.get(one.place, ())))
    extras = replace(schedule.extras, max_running=limit, alone=chance.random() < 0.6)
    if not extras.alone:
        return replace(dressed, extras=extras)
    stages = tuple(replace(stage, applies=stage.applies[:1]) for stage in dressed.stages)
    weather = replace(schedule.weather, late=0.0)
    return replace(dressed, extras=extras, stages=stages, weather=weather)


def _cost(schedule: Schedule, chance: random.Random, dice: Dice) -> Schedule:
    schedule = _more_jobs(schedule, chance, dice)
    prices = {
        place: chance.choice((100.0, 100.0, 150.0, 400.0, None)) for place in _all_places(schedule)
    }
    limits = {place: chance.choice((None, None, 120.0, 400.0)) for place in prices}
    dressed = _dressed(schedule, lambda one: replace(one, max_pu=limits[one.place]))
    total = chance.choice((None, 100.0, 250.0, 450.0))
    extras = replace(schedule.extras, prices=tuple(prices.items()), max_start_pu=total)
    return replace(dressed, extras=extras)


def _threads(schedule: Schedule, chance: random.Random, dice: Dice) -> Schedule:
    schedule = _more_jobs(schedule, chance, dice)
    return replace(schedule, extras=replace(schedule.extras, parallelism=chance.randint(2, 4)))


def _ledger(schedule: Schedule, chance: random.Random, _: Dice) -> Schedule:
    extras = replace(
        schedule.extras,
        must_have_ledger=chance.random() < 0.6,
        begun=chance.random() < 0.8,
        objects=chance.random() < 0.5,
    )
    weather = replace(schedule.weather, unwritable=chance.choice((0.0, 0.02, 0.1)))
    return replace(schedule, extras=extras, weather=weather)


_KINDS: dict[str, tuple[float, Callable[[Schedule, random.Random, Dice], Schedule]]] = {
    "queue": (0.25, _queue),
    "cost": (0.2, _cost),
    "threads": (0.25, _threads),
    "adopt": (0.25, _adopt),
    "stale": (0.25, _stale),
    "people": (0.45, _people),
    "ledger": (0.25, _ledger),
}


def _more_jobs(schedule: Schedule, chance: random.Random, dice: Dice) -> Schedule:
    """Declare more jobs from the beginning on, so that there is something to choose between."""
    taken = _all_places(schedule)
    names = [f"m{n}" for n in range(chance.randint(0, 2)) if f"m{n}" not in taken]
    more = tuple(Declared(name=name, place=name) for name in names)
    if not more or not dice.strikes(f"more {' '.join(names)}", "jobs"):
        return schedule
    return _edited(schedule, lambda manifests: (*manifests, *more))


def _dressed(schedule: Schedule, dress: Callable[[Declared], Declared]) -> Schedule:
    """Change every manifest of every checkout alike."""
    return _edited(schedule, lambda manifests: tuple(dress(one) for one in manifests))


def _edited(
    schedule: Schedule, edit: Callable[[tuple[Declared, ...]], tuple[Declared, ...]]
) -> Schedule:
    stages = tuple(
        replace(
            stage,
            applies=tuple(
                replace(apply, manifests=edit(apply.manifests)) for apply in stage.applies
            ),
        )
        for stage in schedule.stages
    )
    return replace(schedule, stages=stages, manifests=edit(schedule.manifests))


def _first_places(schedule: Schedule) -> list[str]:
    return [one.place for one in schedule.stages[0].applies[0].manifests]


def _all_places(schedule: Schedule) -> list[str]:
    checkouts = [apply.manifests for stage in schedule.stages for apply in stage.applies]
    return sorted(
        {one.place for manifests in (*checkouts, schedule.manifests) for one in manifests}
    )
