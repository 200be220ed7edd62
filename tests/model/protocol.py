"""The rules that an applier follows; each safeguard is a method, so that a test can take it away.

One turn is one call, or one line of the ledger. When nothing is left to do the applier lists, and decides anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shbatch_sync.phase import BUSY, COUNTS_AS_STARTED, Phase
from tests.model import verdict
from tests.model.applier import Applier, Job, Line, Step
from tests.model.calls import Calls
from tests.model.memory import Memory
from tests.model.scene import Scene, key_of, view
from tests.model.service import WRITABLE, Chooser, Mark, Request
from tests.model.verdict import Verdict
from tests.model.world import World

PATIENCE = 40
_ENDS = frozenset({Phase.DONE, Phase.FAILED, Phase.STOPPED})


class Protocol(Calls, Memory):
    """All rules in place."""

    def look(self, world: World, me: Applier, dice: Chooser) -> None:
        seen = world.service.list(dice)
        me.lists += 1
        self._take_in(world, me, seen)
        steps: list[Step] = []
        gaps = self.gap(world, me, seen)
        waits = bool(gaps)
        for job in me.jobs:
            if job.key.job not in me.held | gaps:
                found, wait = self.decide(world, me, view(job, seen, world.lines(me), self.is_copy))
                steps += found
                waits |= wait
        me.todo = tuple(steps)
        if not steps:
            me.asleep = world.service.now
            me.over = not waits or me.lists > PATIENCE

    def _take_in(self, world: World, me: Applier, seen: Sequence[Request]) -> None:
        """Learn from a list: what it shows, and which ends it shows for the first time."""
        ours = [request for request in seen if request.mark is not None]
        me.seen |= {request.id for request in ours}
        if me.known is None:
            me.known = frozenset(request.id for request in ours)
        for request in ours:
            me.made.pop(request.id, None)
            mark = request.mark
            if mark is None or self.is_copy(request):
                continue
            if mark.seal is None and mark.retired is None:
                me.first_seen.setdefault(request.id, world.service.now)
            if request.phase in _ENDS:
                line = Line("final", mark.key, 0, None, request.id, request.phase.value)
                world.write_once(me, line)

    # --- deciding ---------------------------------------------------------------------------------------------

    def decide(self, world: World, me: Applier, scene: Scene) -> tuple[list[Step], bool]:
        """Return the steps of one job, and whether time alone may bring more."""
        if unwanted := list(self.unwanted(scene)):
            return unwanted, True
        if self.stranger(me, scene):
            if steps := list(self.yielding(world, me, scene)):
                return steps, True
            me.held |= {scene.job.key.job}
            return self._tell(me, scene)
        if self.outdated(scene):
            return self._tell(me, scene)
        if not scene.claimants:
            return self._bring_about(world, me, scene)
        return self._carry_on(world, me, scene)

    def _tell(self, me: Applier, scene: Scene) -> tuple[list[Step], bool]:
        me.told |= {scene.job.key.job}
        return [], False

    def _bring_about(self, world: World, me: Applier, scene: Scene) -> tuple[list[Step], bool]:
        if self.overtaken(scene):
            return self._tell(me, scene)
        if self.done_before(scene):
            return [], False
        if scene.copies or self.paid_before(scene) or self.twin(scene):
            return self._tell(me, scene)
        if self.replacing_paid(world, scene):
            return self._tell(me, scene)
        if not self.may_create(world, me, scene):
            return [], True
        return self.creating(me, scene.job), True

    def _carry_on(self, world: World, me: Applier, scene: Scene) -> tuple[list[Step], bool]:
        elected = self.elect(me, scene.claimants)
        winner = elected.order[0]
        if self.done_before(scene) and winner.phase is not Phase.DONE:
            return list(self.retiring(scene.job, scene.claimants, "dup")), False
        if elected.conflict:
            return self._tell(me, scene)
        steps = [Step("stop", scene.job, one.id, one.mark) for one in elected.surplus]
        if not self.settled(world, me, scene):
            return steps, True
        held = self.replacing_paid(world, scene)
        steps += self.sealing(scene.job, winner)
        steps += self.retiring(scene.job, elected.losers, "dup")
        if held:
            me.told |= {scene.job.key.job}
            return steps, False
        ahead, wait = self._advance(me, scene, winner)
        return [*steps, *ahead], wait

    def _advance(self, me: Applier, scene: Scene, winner: Request) -> tuple[list[Step], bool]:
        job = scene.job
        old = [one for one in scene.others if one.phase in BUSY]
        busy = [*old, *(one for one in scene.retired if one.phase in BUSY)]
        stops = [
            Step("stop", job, one.id, one.mark) for one in old if one.phase is not Phase.STOPPING
        ]
        retire = list(self.retiring(job, scene.others, "old"))
        if winner.phase in {Phase.FAILED, Phase.STOPPED}:
            me.told |= {job.key.job}
        if winner.phase not in {Phase.CREATED, Phase.ANALYSIS_DONE}:
            return [*stops, *retire], bool(busy)
        if self.start_missing(scene) or self.unmarked_twin(scene):
            me.told |= {job.key.job}
            return [*stops, *retire], bool(busy)
        if self.others_at_rest(scene):
            return [*stops, *self.starting(job, winner), *retire], True
        return stops, True

    # --- the safeguards ---------------------------------------------------------------------------------------

    def creating(self, me: Applier, job: Job) -> list[Step]:
        """Write the create down before it is made, under a nonce of its own."""
        me.nonces += 1
        mark = Mark(job.key, 100 * me.name + me.nonces, job.commit)
        return [Step("intent", job, None, mark), Step("create", job, None, mark)]

    def not_answered(self, world: World, me: Applier, step: Step) -> None:
        """Never send a create again: the next list finds it, or does not."""
        me.unanswered[step.job.key] = world.service.now

    def may_create(self, world: World, me: Applier, scene: Scene) -> bool:
        """Wait for create calls of the key, own or others', that may still be about to show."""
        key, now = scene.job.key, world.service.now
        if key in me.made.values():
            return False
        ended = me.unanswered.get(key)
        if ended is not None and now < ended + world.rules.settle:
            return False
        young = now - world.rules.settle
        answered = {line.nonce for line in scene.record if line.event in {"created", "refused"}}
        if ended is None and any(
            line.event == "intent" and line.nonce not in answered and line.at > young
            for line in scene.record
        ):
            return False
        return not any(self._still_there(world, scene, line, young) for line in scene.record)

    def _still_there(self, world: World, scene: Scene, line: Line, young: int) -> bool:
        ended = {one.id for one in scene.record if one.event == "final"}
        seen = (*scene.others, *scene.retired, *scene.copies, *scene.suspects)
        listed = {one.id for one in seen}
        if line.event != "created" or line.id in ended | listed:
            return False
        return line.at > young or line.id in world.service.requests

    def settled(self, world: World, me: Applier, scene: Scene) -> bool:
        """Judge an unsealed claimant only in a list begun long enough after it was first seen."""
        young = [
            one
            for one in (*scene.claimants, *scene.others)
            if one.mark is not None
            and one.mark.seal is None
            and world.service.now < me.first_seen.get(one.id, 0) + world.rules.settle
        ]
        return not young and self.complete(me, scene)

    def complete(self, me: Applier, scene: Scene) -> bool:
        """Judge it only in a list that shows every request whose create has answered."""
        unsealed = any(one.mark is not None and one.mark.seal is None for one in scene.claimants)
        return not (unsealed and me.made)

    def gap(self, world: World, me: Applier, seen: Sequence[Request]) -> frozenset[str]:
        """Judge no job by a list that lacks what an earlier one, or the ledger, has shown and which is still there."""
        lines = world.lines(me)
        ended = {line.id for line in lines if line.event == "final"}
        made = {line.id for line in lines if line.event == "created" and line.id is not None}
        missing = (me.seen | made - ended) - {one.id for one in seen}
        there = [one for id_, one in world.service.requests.items() if id_ in missing]
        return frozenset(one.origin.key.job for one in there if one.origin is not None)

    def elect(self, me: Applier, claimants: Sequence[Request]) -> Verdict:
        """Choose; every applier by the same rule, which is the product's own."""
        del me
        return verdict.elect(claimants)

    def written(self, seen: Mark | None, sent: Mark) -> bool:
        """Go on only when the description is what was written: another run may have written it too."""
        return seen == sent

    def sealing(self, job: Job, winner: Request) -> list[Step]:
        """Seal the winner before anything is started, and read the seal back."""
        mark = winner.mark
        if mark is None or mark.seal == winner.id or winner.phase not in WRITABLE:
            return []
        return [Step("put", job, winner.id, mark._replace(seal=winner.id))]

    def retiring(self, job: Job, losers: Iterable[Request], kind: str) -> Iterator[Step]:
        """Say on whatever lost, or was replaced, that it counts no more."""
        for one in losers:
            if one.mark is not None and one.phase in WRITABLE:
                yield Step("put", job, one.id, one.mark._replace(retired=kind))

    def starting(self, job: Job, winner: Request) -> list[Step]:
        """Write a start down before it is made."""
        return [
            Step("start_line", job, winner.id, winner.mark),
            Step("start", job, winner.id, winner.mark),
        ]

    def others_at_rest(self, scene: Scene) -> bool:
        """Start the new one when what it replaces is at rest."""
        return not any(one.phase in BUSY for one in (*scene.others, *scene.retired))

    def looks_again(self) -> bool:
        """Look once more after a start."""
        return True

    def is_copy(self, request: Request) -> bool:
        """A seal that names another request, or another body than the marker was made for."""
        mark = request.mark
        if mark is None:
            return False
        if mark.seal is not None:
            return mark.seal != request.id
        return request.body != f"{mark.key.job}.{mark.key.digest}"

    def twin(self, scene: Scene) -> bool:
        """Do not create what an unmarked request does already."""
        return any(one.body == scene.job.body for one in scene.suspects)

    def unmarked_twin(self, scene: Scene) -> bool:
        """Nor start it: the marker may have been taken out of the one that another run has just started."""
        return self.twin(scene)

    def stranger(self, me: Applier, scene: Scene) -> bool:
        """Leave a job alone for which another run has made a request of another spec meanwhile."""
        return any(one.id not in (me.known or ()) for one in scene.others)

    def yielding(self, world: World, me: Applier, scene: Scene) -> Iterator[Step]:
        """Stop what is not paid for yet, where another run has started another spec meanwhile."""
        strangers = [one for one in scene.others if one.id not in (me.known or ())]
        started = [one for one in strangers if one.phase in COUNTS_AS_STARTED]
        meant = (
            max((key_of(one).generation for one in started), default=0) < scene.job.key.generation
        )
        if world.rules.consent or meant:
            return
        for one in scene.claimants:
            if one.phase is Phase.STARTING:
                yield Step("stop", scene.job, one.id, one.mark)

    def outdated(self, scene: Scene) -> bool:
        """Leave alone what a later commit has written, and what a higher generation has overtaken."""
        lives = (*scene.claimants, *scene.others)
        if any(one.mark is not None and one.mark.commit > scene.job.commit for one in lives):
            return True
        used = [line.key.generation for line in scene.past]
        used += [one.mark.key.generation for one in (*lives, *scene.retired) if one.mark]
        return max(used, default=0) > scene.job.key.generation

    def unwanted(self, scene: Scene) -> Iterator[Step]:
        """Stop what one run started after another one had retired it, before it is paid for."""
        for one in scene.retired:
            if one.phase is Phase.STARTING:
                yield Step("stop", scene.job, one.id, one.mark)
