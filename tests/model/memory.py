"""What an applier lets the past tell it: the ledger, and what stands beside the request that counts."""

from __future__ import annotations

from shbatch_sync.phase import COUNTS_AS_RUNNING, COUNTS_AS_STARTED, UNPAID
from tests.model.scene import Scene, key_of
from tests.model.world import World


class Memory:
    """Rules that keep money from being spent again."""

    def done_before(self, scene: Scene) -> bool:
        """The ledger remembers what was done, when the service has forgotten it."""
        return any(line.event == "final" and line.status == "done" for line in scene.record)

    def paid_before(self, scene: Scene) -> bool:
        """The ledger remembers that money may have been spent."""
        return any(line.event in {"start", "final"} for line in scene.record)

    def start_missing(self, scene: Scene) -> bool:
        """A start that is remembered, of a request that is not to be seen: no other one is started."""
        listed = {one.id for one in (*scene.claimants, *scene.others, *scene.retired)}
        ended = {line.id for line in scene.record if line.event == "final"}
        return any(line.event == "start" and line.id not in listed | ended for line in scene.record)

    def replacing_paid(self, world: World, scene: Scene) -> bool:
        """Another spec of the same generation is not paid for without consent."""
        if world.rules.consent or any(line.event == "start" for line in scene.record):
            return False
        if any(one.phase not in UNPAID for one in scene.claimants):
            return False
        paid = [one for one in scene.others if one.paid or one.phase in COUNTS_AS_RUNNING]
        generations = [one.mark.key.generation for one in paid if one.mark]
        listed = {one.id for one in scene.others}
        generations += [
            line.key.generation
            for line in scene.past
            if line.event == "start" and line.id not in listed
        ]
        return bool(generations) and scene.job.key.generation <= max(generations)

    def overtaken(self, scene: Scene) -> bool:
        """A spec that had its turn before another one ran does not run again by itself."""
        turns = [line.at for line in scene.record if line.event in {"intent", "created", "start"}]
        rivals = [
            line.at
            for line in scene.past
            if line.event == "start" and line.key.generation == scene.job.key.generation
        ]
        if turns and any(at > max(turns) for at in rivals):
            return True
        return any(
            one.phase in COUNTS_AS_STARTED and one.created > own.created
            for own in scene.retired
            if key_of(own) == scene.job.key
            for one in (*scene.others, *scene.retired)
            if key_of(one) != scene.job.key and key_of(one).generation == scene.job.key.generation
        )
