"""With all rules in place nothing goes wrong: all states of small worlds, and many schedules of large ones."""

from __future__ import annotations

import pytest

from shbatch_sync.phase import Phase
from tests.model.__main__ import play, tally
from tests.model.moments import JOB, alone
from tests.model.play import Benign
from tests.model.protocol import Protocol
from tests.model.service import Mark, Rules
from tests.model.walk import walk
from tests.model.without import Resending
from tests.model.world import World


@pytest.mark.parametrize(
    ("rules", "appliers"),
    [
        (Rules(settle=0, lag=0), 2),
        (Rules(settle=0, lag=0, kills=1), 2),
        (Rules(settle=0, lag=0, ledger="own"), 2),
        (Rules(settle=1, lag=1, losses=2, kills=1), 1),
        (Rules(settle=1, lag=1, losses=1, late=1), 1),
    ],
)
def test_no_state_of_a_small_world_is_wrong(rules: Rules, appliers: int):
    walked = walk(alone(rules, *[JOB] * appliers)(Protocol()), Protocol())
    assert walked.violation is None, walked.violation
    assert walked.whole
    assert walked.ends > 1


def test_no_schedule_of_a_large_world_is_wrong():
    counted = tally(range(700), Protocol, in_haste=False)
    assert counted.failing == []
    assert counted.requests > 700


def test_a_settle_below_the_lag_pays_twice():
    """What the whole rests on, and that the oracles can fail."""
    counted = tally(range(300), Protocol, in_haste=True)
    assert len(counted.failing) > 2


def test_a_seed_is_one_schedule():
    assert play(7, Protocol(), in_haste=False) == play(7, Protocol(), in_haste=False)


def test_what_went_wrong_is_told_step_by_step():
    walked = walk(alone(Rules(settle=1, lag=1, losses=1), JOB)(Resending()), Resending())
    assert walked.violation is not None
    wrong, path = walked.violation
    assert "made twice" in wrong
    assert path[0] == "0 list"
    assert any(step.startswith("0 intent") for step in path)


def test_paying_for_one_key_twice_is_seen():
    world = World(Rules())
    for _ in range(2):
        id_ = world.service.make(JOB.body, Mark(JOB.key, 1), Benign())
        world.service.set(world.service.requests[id_]._replace(phase=Phase.STARTING))
    world.service.finish()
    assert any("paid 2 times" in wrong for wrong in world.violations())
