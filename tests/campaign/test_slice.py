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


def test_a_seed_is_the_same_every_time():
    first, second = play_seed(7), play_seed(7)
    assert first.world.log == second.world.log
    assert first.world.sheet.text == second.world.sheet.text
