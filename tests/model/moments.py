"""Worlds to begin from: a moment that leads to trouble where one rule is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from shbatch_sync.phase import Phase
from tests.model.applier import Job, Step
from tests.model.play import Benign, setting
from tests.model.protocol import Protocol
from tests.model.service import Key, Mark, Request, Rules
from tests.model.world import World

JOB = Job(Key("a", 1, "d0"))
NEXT = Job(Key("a", 1, "d1"))
LATER = Job(Key("a", 1, "d1"), 1)
RAISED = Job(Key("a", 2, "d1"))
_AT_WORK = frozenset({Phase.PROCESSING, Phase.STOPPING})


class Moment(NamedTuple):
    """Where to begin, with which protocol, and what must not come of it beside what must never.

    Attributes:
        rules: What may happen.
        world: Makes the world, by the rules of a protocol.
        oracle: What is wrong in a world.
    """

    world: Callable[[Protocol], World]
    oracle: Callable[[World], list[str]] = World.violations


def alone(rules: Rules, *jobs: Job) -> Callable[[Protocol], World]:
    """Appliers that begin with nothing."""
    return lambda _: setting(rules, *((job,) for job in jobs))


def _place(world: World, maker: int, job: Job = JOB, **how: object) -> Request:
    """Put a request there that an applier made some time ago."""
    id_ = world.service.make(job.body, Mark(job.key, 100 * maker + 1, job.commit), Benign())
    request = world.service.requests[id_]._replace(**how)
    world.service.requests[id_] = request
    return request


def _sealed(request: Request) -> Mark:
    assert request.mark is not None
    return request.mark._replace(seal=request.id)


def _mark(world: World, request: Request, mark: Mark | None) -> Request:
    world.service.requests[request.id] = request._replace(mark=mark)
    return world.service.requests[request.id]


def _starting(protocol: Protocol, request: Request) -> tuple[Step, ...]:
    return tuple(protocol.starting(JOB, request))


def run(world: World, protocol: Protocol, *jobs: Job) -> None:
    """Let one applier act alone until it ends, and the service finish."""
    me = world.begin(*jobs)
    while not me.over:
        protocol.turn(world, me, Benign())
        if me.asleep is not None:
            world.service.tick(Benign())
    world.service.finish()


# --- two appliers of one key, at the worst moment -------------------------------------------------------------


def decided_for_the_younger(protocol: Protocol) -> World:
    """One applier never saw the older request, and has just sealed the younger; the other sees both."""
    world = setting(Rules(settle=0, lag=0), (JOB,), (JOB,))
    _place(world, 1)
    mine = _place(world, 0)
    if protocol.sealing(JOB, mine):
        mine = _mark(world, mine, _sealed(mine))
    world.appliers[0].todo = _starting(protocol, mine)
    return world


def started_the_younger(protocol: Protocol) -> World:
    """The same a little later: it is being processed, and the ledger of the other one does not say so."""
    del protocol
    world = setting(Rules(settle=0, lag=0, ledger="own"), (JOB,))
    _place(world, 1)
    mine = _place(world, 2, phase=Phase.PROCESSING, paid=True)
    _mark(world, mine, _sealed(mine))
    return world


def written_over(protocol: Protocol) -> World:
    """One has sealed what the other, which saw more, has retired right after that."""
    world = setting(Rules(settle=0, lag=0), (JOB,), (JOB,))
    other = _place(world, 1)
    other = _mark(world, other, _sealed(other))
    mine = _place(world, 0)
    sent = _sealed(mine)
    _mark(world, mine, sent._replace(seal=None, retired="dup"))
    world.appliers[0].todo = (
        Step("read_back", JOB, mine.id, sent),
        *_starting(protocol, mine),
    )
    world.appliers[1].todo = _starting(protocol, other)
    return world


def not_listed_yet(protocol: Protocol) -> World:
    """What the first one made is listed late; the other one has seen it, and is about to start it."""
    world = setting(Rules(settle=0, lag=2, omissions=1, ledger="own"), (JOB,), (JOB,))
    mine = _place(world, 0)
    mine = _mark(world, mine, _sealed(mine))
    _place(world, 1, born=-9)
    world.appliers[0].made = {mine.id: JOB.key}
    world.appliers[1].todo = _starting(protocol, mine)
    return world


def both_are_sure(protocol: Protocol) -> World:
    """Each has seen only its own, has sealed it, and is about to start it; the service takes its time."""
    world = setting(Rules(settle=0, lag=0, hasty=False), (JOB,), (JOB,))
    for me in world.appliers:
        request = _place(world, me.name)
        request = _mark(world, request, _sealed(request))
        me.todo = _starting(protocol, request)
    return world


def page_moves_while_judging(protocol: Protocol) -> World:
    """Both have seen both requests and are about to judge; a page moves under one of the lists."""
    world = setting(Rules(settle=0, lag=0, shifts=1), (JOB,), (JOB,))
    requests = _place(world, 0), _place(world, 1)
    for me in world.appliers:
        me.seen = frozenset(one.id for one in requests)
    del protocol
    return world


# --- what people and time do ----------------------------------------------------------------------------------


def page_moves(protocol: Protocol) -> World:
    """A finished request beside a duplicate; a page moves while the next applier, without a ledger, reads it."""
    world = World(Rules(settle=0, lag=0, ledger="none"))
    _place(world, 8)
    _place(world, 9)
    run(world, protocol, JOB)
    world.service.left["shift"] = 1
    world.begin(JOB)
    return world


def marker_gone(protocol: Protocol) -> World:
    """A person has taken the marker out of what is done; the next applier has no ledger."""
    world = World(Rules(settle=0, lag=0, ledger="none"))
    run(world, protocol, JOB)
    for request in list(world.service.requests.values()):
        world.unmark(request)
    world.begin(JOB)
    return world


def marker_gone_meanwhile(protocol: Protocol) -> World:
    """A marker is taken out between an election and its start, while another applier begins to judge."""
    world = setting(Rules(settle=0, lag=0), (JOB,), (JOB,))
    mine = _place(world, 0)
    mine = _mark(world, mine, _sealed(mine))
    _place(world, 1)
    world.appliers[0].todo = _starting(protocol, mine)
    _mark(world, mine, None)
    return world


def gone_while_processed(protocol: Protocol) -> World:
    """What was started is forgotten before its end was seen; a duplicate of it is still there, not retired."""
    world = World(Rules(settle=0, lag=0))
    me = world.begin(JOB)
    while not any(one.phase is Phase.STARTING for one in world.service.requests.values()):
        protocol.turn(world, me, Benign())
    world.end(me)
    world.service.finish()
    world.forget()
    _place(world, 3)
    world.begin(JOB)
    return world


# --- two specs of one job -------------------------------------------------------------------------------------


def paid_and_changed(protocol: Protocol) -> World:
    """A job has run; a comment in its script changes."""
    world = World(Rules(settle=0, lag=0, hasty=False))
    run(world, protocol, JOB)
    world.begin(NEXT)
    return world


def changed_and_back(protocol: Protocol) -> World:
    """A spec was replaced, with consent, before it ran, and the other one ran; then the change is undone."""
    world = World(Rules(settle=0, lag=0, consent=True))
    me = world.begin(JOB)
    while not any(line.event == "created" for line in world.shared):
        protocol.turn(world, me, Benign())
    world.end(me)
    world.service.tick(Benign())
    run(world, protocol, NEXT)
    world.begin(JOB)
    return world


def older_checkout(protocol: Protocol) -> World:
    """The newer pipeline was killed before its start; then the older one, which was slow, gets to work."""
    del protocol
    world = World(Rules(settle=0, lag=0))
    _place(world, 9, LATER)
    world.begin(JOB)
    world.begin(LATER).over = True
    return world


def being_replaced(protocol: Protocol) -> World:
    """A raised generation, while the one before is being processed."""
    del protocol
    world = World(Rules(settle=0, lag=0, consent=True))
    old = _place(world, 9, phase=Phase.PROCESSING, paid=True)
    _mark(world, old, _sealed(old))
    world.begin(RAISED)
    return world


def replaced_and_started(protocol: Protocol) -> World:
    """One was about to start its request when another spec replaced and retired it; the service takes its time."""
    world = setting(Rules(settle=0, lag=0, hasty=False), (JOB,), (NEXT,))
    mine, other = _place(world, 0), _place(world, 1, NEXT)
    sealed = _mark(world, mine, _sealed(mine))
    other = _mark(world, other, _sealed(other))
    world.appliers[0].todo = _starting(protocol, sealed)
    world.appliers[0].known = frozenset({mine.id})
    _mark(world, mine, _sealed(mine)._replace(retired="old"))
    world.appliers[1].todo = tuple(protocol.starting(NEXT, other))
    world.appliers[1].known = frozenset({mine.id, other.id})
    return world


def another_spec_meanwhile(protocol: Protocol) -> World:
    """One is about to judge its request, when another run is about to start one of another spec."""
    world = setting(Rules(settle=0, lag=0), (JOB,), (NEXT,))
    mine, other = _place(world, 0), _place(world, 1, NEXT)
    other = _mark(world, other, _sealed(other))
    world.appliers[0].known = frozenset({mine.id})
    world.appliers[1].todo = tuple(protocol.starting(NEXT, other))
    world.appliers[1].known = frozenset({mine.id, other.id})
    return world


# --- what else must not be ------------------------------------------------------------------------------------


def old_spec_paid(world: World) -> list[str]:
    """The spec of the older checkout must not be paid for."""
    requests = world.service.requests.values()
    paid = [one for one in requests if one.paid and one.body == JOB.body]
    return ["the older spec was paid for"] if paid else []


def two_at_once(world: World) -> list[str]:
    """Two requests of one job must not write the same files at the same time."""
    busy = [one for one in world.service.requests.values() if one.phase in _AT_WORK]
    return ["two at once"] if len(busy) > 1 else []


def both_specs_paid(world: World) -> list[str]:
    """Nobody has agreed to pay for both."""
    paid = {one.body for one in world.service.requests.values() if one.paid}
    return ["both specs were paid for"] if len(paid) > 1 else []
