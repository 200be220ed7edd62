"""From a seed to a judged schedule."""

from __future__ import annotations

from tests.campaign.dice import Dice
from tests.campaign.draw import draw
from tests.campaign.oracle import judge
from tests.campaign.play import Played, play
from tests.campaign.world import world_of


def play_seed(seed: int, *, hasty: bool = False, spared: frozenset[str] = frozenset()) -> Played:
    """Draw a schedule, play it and judge it.

    Args:
        seed: What everything follows from.
        hasty: Settle for a tenth of the lists' lag, which breaks what the protocol rests on.
        spared: Events that are not to happen.
    """
    dice = Dice(seed, spared)
    schedule = draw(seed, dice, hasty=hasty)
    with world_of(schedule, dice) as world:
        played = play(world)
        judge(played)
    return played
