"""Large worlds by dice: one seed, one schedule."""

from __future__ import annotations

import random
from typing import NamedTuple

from tests.model.applier import Job
from tests.model.play import close, moves, setting
from tests.model.protocol import Protocol
from tests.model.service import Key, Rules
from tests.model.world import World

_CHANCE = {
    "omit": 0.5,
    "stale": 0.3,
    "skew": 0.5,
    "lose": 0.12,
    "shift": 0.05,
    "arrive": 0.3,
    "forget": 0.5,
}
_RARE = {"kill": 0.05, "unmark": 0.1, "copy": 0.05}
_MOVES = 600


class Rolled(NamedTuple):
    """How one schedule went.

    Attributes:
        wrong: What must not be.
        steps: What happened, in order.
        requests: How many requests there were in the end.
    """

    wrong: list[str]
    steps: list[str]
    requests: int


class _Dice:
    def __init__(self, seed: object) -> None:
        self.random = random.Random(str(seed))

    def pick(self, options: int, what: str) -> int:
        """Throw."""
        if self.random.random() >= _CHANCE[what]:
            return 0
        return self.random.randrange(1, options)


def scenery(seed: int) -> World:
    """Return the world of a seed: its rules, its appliers, and what they declare."""
    dice = random.Random(f"scenery {seed}")
    shifts = dice.choice([0, 0, 0, 1])
    lag, hands = dice.randint(0, 6), dice.choice([0, 0, 0, 1])
    rules = Rules(
        settle=lag + dice.choice([0, 0, 1, 4]),
        lag=lag,
        stale=dice.choice([0, 0, 2]),
        late=dice.choice([0, 0, 2]),
        horizon=dice.randint(4, 20),
        ledger="own" if dice.random() < 0.3 and not hands + shifts else "shared",
        losses=dice.choice([0, 2, 6]),
        kills=dice.choice([0, 1, 2]),
        hands=hands,
        shifts=shifts,
        consent=dice.random() < 0.3,
        forgetful=dice.random() < 0.3,
        hasty=dice.random() < 0.7,
    )
    versions = dice.choice([1, 1, 2])
    declared = [_jobs(dice, versions) for _ in range(dice.randint(1, 4))]
    return setting(rules, *declared)


def hasty(world: World) -> World:
    """Return a world like another one, whose lists are late and whose appliers do not wait for them."""
    rules = world.rules._replace(settle=0, lag=10, hasty=True, hands=0)
    return setting(rules, *(one.jobs for one in world.appliers))


def _jobs(dice: random.Random, versions: int) -> tuple[Job, ...]:
    """Two jobs, as a checkout of some commit declares them."""
    commit = dice.randrange(versions)
    raised = commit if dice.random() < 0.5 else 0
    first = Job(Key("a", 1, f"d{commit}"), commit)
    second = Job(Key("b", 1 + raised, f"d{commit}"), commit)
    return (first, second) if dice.random() < 0.5 else (first,)


def roll(seed: object, world: World, protocol: Protocol) -> Rolled:
    """Play one schedule to its end."""
    dice = _Dice(seed)
    steps = []
    for _ in range(_MOVES):
        possible = [
            (name, move)
            for name, move in moves(world, protocol)
            if dice.random.random() < _RARE.get(name.split()[0], 1.0)
        ]
        if possible:
            name, move = dice.random.choice(possible)
            move(world, dice)
            steps.append(name)
        if all(one.over for one in world.appliers) or world.violations():
            break
    wrong = world.violations() or close(world, protocol, dice)
    return Rolled(wrong, steps, world.service.count)
