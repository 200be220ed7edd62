"""What can happen next in a world, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shbatch_sync.phase import Phase
from tests.model.applier import Applier, Job
from tests.model.protocol import Protocol
from tests.model.service import WRITABLE, Chooser, Rules
from tests.model.world import World

Move = Callable[[World, Chooser], None]
_CLEAN_RUNS = 4
_ENOUGH = 400


class Benign:
    """Nothing bad happens."""

    def pick(self, options: int, what: str) -> int:
        """Take the harmless one."""
        del options, what
        return 0


def setting(rules: Rules, *declared: tuple[Job, ...]) -> World:
    """Return a world with appliers that declare these jobs, all at the same moment."""
    world = World(rules)
    for jobs in declared:
        world.begin(*jobs)
    return world


def moves(world: World, protocol: Protocol) -> Iterator[tuple[str, Move]]:
    """Yield all that can happen next, with a name."""
    service = world.service
    alive = [one for one in world.appliers if not one.over]
    for one in alive:
        if one.asleep is None or one.asleep < service.now:
            yield f"{one.name} {one.todo[0].call if one.todo else 'list'}", _turn(protocol, one)
        if service.left["kill"] > 0:
            yield f"kill {one.name}", _kill(one)
    horizon = world.rules.horizon
    if horizon is None or service.now < horizon or all(one.asleep == service.now for one in alive):
        yield "tick", _tick
    for request in service.movable():
        if world.rules.hasty or not request.accepted:
            yield f"advance {request.id}", _advance(request.id)
    if service.left["hand"] > 0:
        yield from _edits(world)


def _edits(world: World) -> Iterator[tuple[str, Move]]:
    for request in world.service.requests.values():
        if request.mark is not None and not request.foreign:
            yield f"copy {request.id}", _copy(request.id)
            if request.phase in WRITABLE:
                yield f"unmark {request.id}", _unmark(request.id)


# A move finds what it moves by name, for it may be made in a clone.


def _turn(protocol: Protocol, me: Applier) -> Move:
    return lambda world, dice: protocol.turn(world, world.appliers[me.name], dice)


def _kill(me: Applier) -> Move:
    def move(world: World, dice: Chooser) -> None:
        del dice
        world.service.left["kill"] -= 1
        world.end(world.appliers[me.name])

    return move


def _tick(world: World, dice: Chooser) -> None:
    world.service.tick(dice)


def _advance(id_: int) -> Move:
    def move(world: World, dice: Chooser) -> None:
        del dice
        world.service.advance(world.service.requests[id_])

    return move


def _copy(id_: int) -> Move:
    def move(world: World, dice: Chooser) -> None:
        world.service.left["hand"] -= 1
        world.copy(world.service.requests[id_], dice, "a person's own")

    return move


def _unmark(id_: int) -> Move:
    def move(world: World, dice: Chooser) -> None:
        del dice
        world.service.left["hand"] -= 1
        world.unmark(world.service.requests[id_])

    return move


# --- the end -------------------------------------------------------------------------------------------------


def close(world: World, protocol: Protocol, dice: Chooser) -> list[str]:
    """Let everything come to rest, apply again until nothing is left, forget, apply again; return what is wrong."""
    world.service.left = dict.fromkeys(world.service.left, 0)
    if world.rules.forgetful and dice.pick(2, "forget"):
        world.service.finish()
        world.forget()
    _pass(world, world.rules.lag + world.rules.stale + world.rules.late + 1)
    last = world.appliers[-1]
    for _ in range(_CLEAN_RUNS):
        last = _clean_run(world, protocol, last.jobs)
        world.service.finish()
        _pass(world, world.rules.stale + 1)
    wrong = [*world.violations(), *_unreached(world, last)]
    if world.rules.ledger != "none":
        world.forget()
        _clean_run(world, protocol, last.jobs)
        world.service.finish()
        wrong += [f"{one}, after it was forgotten" for one in world.violations()]
    return wrong


def _pass(world: World, ticks: int) -> None:
    for _ in range(ticks):
        world.service.tick(Benign())


def _clean_run(world: World, protocol: Protocol, jobs: tuple[Job, ...]) -> Applier:
    me = world.begin(*jobs)
    for turn in range(_ENOUGH):
        if me.over:
            return me
        protocol.turn(world, me, Benign())
        if me.asleep is not None:
            world.service.tick(Benign())
            if turn % 4 == 0:
                _drift(world)
    world.end(me)
    me.told |= {"never ends"}
    return me


def _drift(world: World) -> None:
    for request in list(world.service.movable()):
        world.service.advance(world.service.requests[request.id])


def _unreached(world: World, last: Applier) -> Iterator[str]:
    """Every job that is declared has run, or the last apply says why not; where nothing was odd, it has run."""
    if "never ends" in last.told:
        yield "an apply that never ends"
    for job in last.jobs:
        requests = (*world.forgotten, *world.service.requests.values())
        done = any(
            one.phase is Phase.DONE and not one.foreign and one.origin and one.origin.key == job.key
            for one in requests
        )
        if not done and (job.key.job not in last.told or _plain(world)):
            yield f"{job.key} has not run{', and a person is asked for nothing' if job.key.job in last.told else ''}"


def _plain(world: World) -> bool:
    """Whether nothing happened that a person has to judge."""
    rules = world.rules
    specs = {job for one in world.appliers for job in one.jobs}
    odd = rules.hands or rules.shifts or rules.forgetful or rules.lag > rules.settle
    return not odd and len({job.key.job for job in specs}) == len(specs)
