"""Drawing a plain schedule from its seed: edits, applies, fates and weather."""

from __future__ import annotations

import random
from dataclasses import replace

from shbatch_sync.job import DeclaredState, RestartPolicy
from shbatch_sync.plan import Gate
from tests.campaign.dice import Dice
from tests.campaign.schedule import DAY, HOUR, Apply, Declared, Fate, Schedule, Stage, Weather

EDITS = (
    "spec", "revert", "generation", "generation and spec", "remove", "rename", "rename and say so",
    "rename back", "previous names dropped", "description", "state", "restart policy", "add",
)  # fmt: skip
FATES = ("OUT_OF_PU", "UNHEALTHY", "fail", "person stops", "forget", "person writes", "foreign")


def plain(seed: int, dice: Dice, *, hasty: bool = False) -> Schedule:
    """Draw a plain schedule; a hasty one settles for less than the lists lag."""
    chance = dice.of("schedule")
    manifests = tuple(_declared(chance, f"j{n}") for n in range(chance.choice((1, 1, 2, 3))))
    forgetful = chance.random() < 0.35
    past, stages, mixed = [manifests], [], False
    for number in range(chance.choice((1, 2, 2, 3, 4))):
        edits: tuple[str, ...] = ()
        if number and not (hasty and number):
            manifests, edits = _edited(chance, dice, manifests, number)
            past.append(manifests)
        stage = _stage(chance, dice, past, number, edits, forgetful, hasty)
        mixed = mixed or len({apply.manifests for apply in stage.applies}) > 1
        stages.append(stage)
    lag = chance.choice((0.0, 0.0, 5.0, 60.0, 100.0)) if not hasty else 100.0
    weather = Weather(
        faults=chance.choice((0.0, 0.02, 0.1, 0.3)) if not hasty else 0.05,
        crashes=chance.choice((0.0, 0.0, 0.01, 0.05) if not hasty else (0.0,)),
        slow=chance.choice((0.0, 0.02, 0.1)),
        late=chance.choice((0.0, 0.0, 0.1, 0.3)),
        lag=lag,
        get_lag=chance.choice((0.0, 0.0, min(lag, 20.0), lag)),
    )
    return Schedule(
        seed=seed,
        stages=tuple(stages),
        weather=weather,
        settle=10.0 if hasty else 120.0 if lag else chance.choice((20.0, 120.0)),
        allow=frozenset(chance.choice(([], [], [Gate.REPLACE], [Gate.REPLACE, Gate.STOP]))),
        page_size=chance.choice((1, 2, 3, 100)),
        puts=chance.choice(("request", "task", "none")),
        start_in_analysing=chance.random() < 0.5,
        put_in_analysing=chance.random() < 0.5,
        foreign=chance.choice((0, 1, 3)),
        mixed=mixed,
        commits=len(past) if chance.random() < 0.5 else 0,
        analysis=1.0 if hasty else chance.choice((1.0, 40.0, 40.0, 300.0)),
        manifests=manifests,
    )


def _declared(chance: random.Random, name: str) -> Declared:
    return Declared(
        name=name,
        place=name,
        state=DeclaredState(chance.choice(("started",) * 6 + ("created", "analysed", "stopped"))),
        restart=RestartPolicy(chance.choice(("Never", "Never", "OnFailure", "Always"))),
        description=chance.choice((None, None, "May")),
    )


def _stage(
    chance: random.Random, dice: Dice, past: list[tuple[Declared, ...]], number: int,
    edits: tuple[str, ...], forgetful: bool, hasty: bool,
) -> Stage:  # fmt: skip
    spread = chance.choice((0.0, 5.0, 60.0, 300.0) if not hasty else (0.0, 5.0))
    applies = []
    for which in range(chance.choice((1, 1, 2, 2, 3) if not hasty else (2, 3))):
        old = len(past) > 1 and chance.random() < 0.15
        apply = Apply(
            name=f"s{number}{'abc'[which]}",
            after=chance.uniform(0.0, spread),
            manifests=past[-2] if old else past[-1],
            commit=len(past) - 1 - old,
            wait=chance.random() < 0.7,
            timeout=chance.choice((None, None, None, 90.0, 600.0)),
            prune=chance.random() < 0.3,
            poll=chance.choice((30.0, 60.0, 120.0)),
        )
        if which == 0 or dice.strikes(f"apply {apply.name}", f"after {apply.after:.0f} s"):
            applies.append(apply)
    kinds = [kind for kind in FATES if kind != "forget"] + ["forget"] * 4 * forgetful
    fates = [
        Fate(f"s{number}f{n}", chance.choice(kinds), chance.uniform(0.0, 1200.0))
        for n in range(chance.choice((0, 0, 1, 2, 3)))
    ]
    loses = chance.random() < 0.2 and not forgetful
    separate = chance.random() < 0.3 and not forgetful
    lost = chance.randint(1, 4)
    return Stage(
        edits=edits,
        applies=tuple(applies),
        fates=tuple(
            fate
            for fate in fates
            if dice.strikes(f"fate {fate.name}", f"{fate.kind} after {fate.after:.0f} s")
        ),
        lost_lines=lost if loses and dice.strikes(f"lost lines s{number}", str(lost)) else 0,
        separate=separate,
        pause=chance.choice((0.0, 200.0, HOUR, 3 * DAY)),
    )


def _edited(
    chance: random.Random, dice: Dice, manifests: tuple[Declared, ...], number: int
) -> tuple[tuple[Declared, ...], tuple[str, ...]]:
    edited, told = list(manifests), []
    for n in range(chance.choice((0, 1, 1, 2))):
        kind, where = chance.choice(EDITS), chance.randrange(max(len(edited), 1))
        new = _changed(chance, kind, edited[where], f"{number}{n}") if edited else []
        if not edited or not dice.strikes(f"edit {number}.{n}", f"{kind} of {edited[where].name}"):
            continue
        told.append(f"{kind} of {edited[where].name}")
        edited[where : where + 1] = new
    return tuple(edited), tuple(told)


def _changed(chance: random.Random, kind: str, old: Declared, number: str) -> list[Declared]:
    """Return what takes the place of a manifest."""
    state = DeclaredState(chance.choice(("started", "started", "stopped", "analysed")))
    policy = RestartPolicy(chance.choice(("Never", "OnFailure", "Always")))
    added = Declared(name=f"n{number}", place=f"n{number}")
    later = old.generation + 1
    results = {
        "spec": [replace(old, version=old.version + 1)],
        "revert": [replace(old, version=max(1, old.version - 1))],
        "generation": [replace(old, generation=later)],
        "generation and spec": [replace(old, generation=later, version=old.version + 1)],
        "remove": [],
        "rename": [replace(old, name=f"{old.name}x", previous=())],
        "rename and say so": [
            replace(old, name=f"{old.name}y", previous=(*old.previous, old.name))
        ],
        "rename back": [_renamed_back(old)],
        "previous names dropped": [replace(old, previous=())],
        "description": [replace(old, description=f"words {number}")],
        "state": [replace(old, state=state)],
        "restart policy": [replace(old, restart=policy)],
        "add": [old, added],
    }
    return results[kind]


def _renamed_back(old: Declared) -> Declared:
    if not old.previous:
        return old
    return replace(old, name=old.previous[-1], previous=(*old.previous[:-1], old.name))
