"""Chance that follows from a seed, event by event, so that leaving one out does not change the others."""

from __future__ import annotations

import random
from collections.abc import Collection


class Dice:
    """The chance of one schedule.

    Attributes:
        struck: What has happened, in order: the schedule to shrink.
        born: Request id → when it was created, for lags.
    """

    def __init__(self, seed: int, spared: Collection[str] = ()) -> None:
        self.seed = seed
        self.spared = frozenset(spared)
        self.struck: list[tuple[str, str]] = []
        self.born: dict[str, float] = {}

    def of(self, event: str) -> random.Random:
        """Return the chance of one event."""
        return random.Random(f"{self.seed}/{event}")

    def strikes(self, event: str, what: str) -> bool:
        """Note that an event happens, unless this run is to do without it."""
        if event in self.spared:
            return False
        self.struck.append((event, what))
        return True
