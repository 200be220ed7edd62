"""The protocol with one rule taken away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tests.model.applier import Applier, Job, Step
from tests.model.protocol import Protocol
from tests.model.scene import Scene
from tests.model.service import WRITABLE, Mark, Request
from tests.model.verdict import Verdict
from tests.model.world import World


class Resending(Protocol):
    """A create without an answer is sent again at once."""

    def not_answered(self, world: World, me: Applier, step: Step) -> None:
        del world
        me.todo = (*self.creating(me, step.job), *me.todo)


class Impatient(Protocol):
    """A create without an answer is looked for in the next list, and given up there."""

    def not_answered(self, world: World, me: Applier, step: Step) -> None:
        me.unanswered[step.job.key] = world.service.now - world.rules.settle


class Unsettled(Protocol):
    """What is listed is judged at once."""

    def settled(self, world: World, me: Applier, scene: Scene) -> bool:
        del world
        return self.complete(me, scene)


class Incomplete(Protocol):
    """A list that lacks what was just made is good enough."""

    def complete(self, me: Applier, scene: Scene) -> bool:
        del me, scene
        return True


class Gullible(Protocol):
    """What a list lacks is not there, though an earlier one has shown it."""

    def gap(self, world: World, me: Applier, seen: Sequence[Request]) -> frozenset[str]:
        del world, me, seen
        return frozenset()


class OwnFirst(Protocol):
    """Everybody prefers what they made themselves."""

    def elect(self, me: Applier, claimants: Sequence[Request]) -> Verdict:
        verdict = super().elect(me, claimants)
        order = sorted(verdict.order, key=lambda one: _maker(one) != me.name)
        losers = tuple(one for one in order[1:] if one.phase in WRITABLE)
        return Verdict(tuple(order), losers, (), verdict.conflict)


class StartedIsNothing(Protocol):
    """The older one counts, whatever has been started."""

    def elect(self, me: Applier, claimants: Sequence[Request]) -> Verdict:
        verdict = super().elect(me, claimants)
        order = sorted(verdict.order, key=lambda one: one.created)
        losers = tuple(one for one in order[1:] if one.phase in WRITABLE)
        return Verdict(tuple(order), losers, (), ())


class Unsealed(Protocol):
    """The winner is started without a seal."""

    def sealing(self, job: Job, winner: Request) -> list[Step]:
        del job, winner
        return []


class Unread(Protocol):
    """What was written is taken for what is there."""

    def written(self, seen: Mark | None, sent: Mark) -> bool:
        del seen, sent
        return True


class Untidy(Protocol):
    """Nothing is ever retired."""

    def retiring(self, job: Job, losers: Iterable[Request], kind: str) -> Iterator[Step]:
        del job, losers, kind
        return iter(())


class Speechless(Protocol):
    """A start is not written down."""

    def starting(self, job: Job, winner: Request) -> list[Step]:
        return super().starting(job, winner)[1:]


class Forgetful(Protocol):
    """What the ledger says of an end is not asked for."""

    def done_before(self, scene: Scene) -> bool:
        del scene
        return False

    def paid_before(self, scene: Scene) -> bool:
        del scene
        return False


class Unlooking(Protocol):
    """After a start nobody looks again."""

    def looks_again(self) -> bool:
        return False


class TrustsSeals(Protocol):
    """Any seal is good."""

    def is_copy(self, request: Request) -> bool:
        mark = request.mark
        return mark is not None and mark.seal is None and super().is_copy(request)


class TrustsBodies(Protocol):
    """Without a seal any body is good."""

    def is_copy(self, request: Request) -> bool:
        mark = request.mark
        return mark is not None and mark.seal is not None and super().is_copy(request)


class Witnessless(Protocol):
    """What does the same without a marker is not looked for."""

    def twin(self, scene: Scene) -> bool:
        del scene
        return False


class WitnessForCreatesOnly(Protocol):
    """It is looked for before a create, but not before a start."""

    def unmarked_twin(self, scene: Scene) -> bool:
        del scene
        return False


class StartMissing(Protocol):
    """A start that the ledger knows of a request that is gone keeps no other one from being started."""

    def start_missing(self, scene: Scene) -> bool:
        del scene
        return False


class Strangerless(Protocol):
    """What another run made of another spec meanwhile is nobody's business."""

    def stranger(self, me: Applier, scene: Scene) -> bool:
        del me, scene
        return False


class Unyielding(Protocol):
    """What was started goes on, whatever another run has started meanwhile."""

    def yielding(self, world: World, me: Applier, scene: Scene) -> Iterator[Step]:
        del world, me, scene
        return iter(())


class Gateless(Protocol):
    """Another spec is paid for whenever it is declared."""

    def replacing_paid(self, world: World, scene: Scene) -> bool:
        del world, scene
        return False


class Fenceless(Protocol):
    """An older checkout may undo what a newer one did."""

    def outdated(self, scene: Scene) -> bool:
        del scene
        return False


class Hasty(Protocol):
    """The new one is started beside the old one."""

    def others_at_rest(self, scene: Scene) -> bool:
        del scene
        return True


class LetsRetiredRun(Protocol):
    """What was started after it had been retired goes on."""

    def unwanted(self, scene: Scene) -> Iterator[Step]:
        del scene
        return iter(())


class Returning(Protocol):
    """A spec that had its turn runs again when it is declared again."""

    def overtaken(self, scene: Scene) -> bool:
        del scene
        return False


def _maker(request: Request) -> int:
    assert request.mark is not None
    return request.mark.nonce // 100
