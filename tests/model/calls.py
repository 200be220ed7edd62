"""One turn of an applier: the next call, or the next line of the ledger, and what its answer means."""

from __future__ import annotations

from shbatch_sync.phase import COUNTS_AS_STARTED
from tests.model.applier import Applier, Step
from tests.model.service import Answer, Chooser, Mark
from tests.model.world import World

_BEFORE = frozenset({"intent", "start_line"})
_AFTER = frozenset({"created"})


class Calls:
    """How each step is taken; what it means is up to the protocol."""

    def look(self, world: World, me: Applier, dice: Chooser) -> None:
        """List and decide."""
        raise NotImplementedError

    def not_answered(self, world: World, me: Applier, step: Step) -> None:
        """Do what is to be done after a create without an answer."""
        raise NotImplementedError

    def written(self, seen: Mark | None, sent: Mark) -> bool:
        """Say whether what is read back is good enough to go on."""
        raise NotImplementedError

    def looks_again(self) -> bool:
        """Say whether a start is looked after."""
        raise NotImplementedError

    def turn(self, world: World, me: Applier, dice: Chooser) -> None:
        """Make the next call; where none is due, list and decide."""
        me.asleep = None
        if me.todo:
            self._step(world, me, dice)
        else:
            self.look(world, me, dice)
        if me.over:
            world.end(me)

    def _step(self, world: World, me: Applier, dice: Chooser) -> None:
        step, me.todo = me.todo[0], me.todo[1:]
        if not getattr(self, f"_{step.call}")(world, me, step, dice):
            # What a step of a job that failed was to prepare is not begun.
            me.todo = tuple(one for one in me.todo if one.job != step.job)
            me.asleep = None if me.todo else world.service.now
        elif (
            me.todo
            and not world.rules.kills
            and (step.call in _BEFORE or me.todo[0].call in _AFTER)
        ):
            # A line and its call are apart only for who dies in between.
            self._step(world, me, dice)

    # --- the steps; each says whether what follows it may be done ---------------------------------------------

    def _intent(self, world: World, me: Applier, step: Step, dice: Chooser) -> bool:
        del dice
        return world.write(me, "intent", step)

    def _create(self, world: World, me: Applier, step: Step, dice: Chooser) -> bool:
        mark = _mark(step)
        answer, made = world.service.create(dice, step.job.body, mark)
        if answer is Answer.LOST or made is None:
            self.not_answered(world, me, step)
            return True
        me.made[made] = step.job.key
        me.first_seen[made] = world.service.now
        me.unanswered.pop(step.job.key, None)
        me.todo = (Step("created", step.job, made, mark), *me.todo)
        return True

    def _created(self, world: World, me: Applier, step: Step, dice: Chooser) -> bool:
        del dice
        return world.write(me, "created", step)

    def _put(self, world: World, me: Applier, step: Step, dice: Chooser) -> bool:
        mark, id_ = _mark(step), _id(step)
        answer = world.service.put(dice, id_, mark)
        if answer is not Answer.YES:
            return False
        me.todo = (step._replace(call="read_back"), *me.todo)
        return True

    def _read_back(self, world: World, me: Applier, step: Step, dice: Chooser) -> bool:
        del me
        mark = _mark(step)
        seen = world.service.get(dice, _id(step))
        return seen is not None and self.written(seen.mark, mark)

    def _start_line(self, world: World, me: Applier, step: Step, dice: Chooser) -> bool:
        del dice
        return world.write(me, "start", step)

    def _start(self, world: World, me: Applier, step: Step, dice: Chooser) -> bool:
        answer = world.service.start(dice, _id(step))
        if not self.looks_again():
            me.held |= {step.job.key.job}
        if answer is Answer.YES:
            return True
        seen = world.service.get(dice, _id(step))
        return seen is not None and seen.phase in COUNTS_AS_STARTED

    def _stop(self, world: World, me: Applier, step: Step, dice: Chooser) -> bool:
        del me
        return world.service.stop(dice, _id(step)) is Answer.YES


def _mark(step: Step) -> Mark:
    assert isinstance(step.mark, Mark)
    return step.mark


def _id(step: Step) -> int:
    assert step.id is not None
    return step.id
