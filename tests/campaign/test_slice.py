"""A short slice of the campaign; `python -m tests.campaign` runs as much of it as there is time for."""

from __future__ import annotations

import pytest

from tests.campaign.__main__ import chunks, tally
from tests.campaign.seeds import play_seed

SLICE = 300


@pytest.mark.parametrize("seeds", list(chunks(0, SLICE)), ids=str)
def test_nothing_is_paid_twice_nor_lost(seeds):
    counts, failing = tally(seeds, hasty=False)
    assert failing == []
    assert counts["schedules"] == len(seeds)
    assert counts["faults"] > 0


SAME = {"plain": 4, "threads": 7, "people": 3, "ledger": 18}


@pytest.mark.parametrize("kind", SAME)
def test_a_seed_is_the_same_every_time(kind):
    first, second = play_seed(SAME[kind]), play_seed(SAME[kind])
    assert kind in (first.world.schedule.extras.kinds or ("plain",))
    assert first.world.log == second.world.log
    assert first.world.sheet.text == second.world.sheet.text
