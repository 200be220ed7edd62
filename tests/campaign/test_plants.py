"""Each oracle sees what goes wrong where the product lacks a rule, and only there."""

from __future__ import annotations

import pytest

from tests.campaign.plants import PLANTS, planted
from tests.campaign.seeds import play_seed


def found(text: str, seed: int) -> bool:
    return any(text in one for one in play_seed(seed).violations)


@pytest.mark.parametrize("name", PLANTS)
def test_a_rule_that_is_missing_is_found_out(name):
    plant = PLANTS[name]
    with planted(plant):
        seed = next((seed for seed in plant.seeds if found(plant.found, seed)), None)
    assert seed is not None
    assert not found(plant.found, seed)
