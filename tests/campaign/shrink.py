"""Cutting a failing schedule down to what matters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.campaign.play import Played
from tests.campaign.seeds import play_seed

MOST_TRIES = 400


def shrunk(played: Played, seed: int, *, hasty: bool) -> tuple[Played, frozenset[str]]:
    """Return a schedule that still fails with as little happening as possible, and what it is spared."""
    tries = 0
    spared: frozenset[str] = frozenset()

    def attempt(more: Sequence[str]) -> bool:
        nonlocal played, spared, tries
        tries += 1
        again = play_seed(seed, hasty=hasty, spared=spared | set(more))
        if not again.violations:
            return False
        played, spared = again, spared | set(more)
        return True

    def left() -> list[str]:
        return [event for event, _ in played.world.dice.struck]

    size = max(len(left()) // 2, 1)
    while size and tries < MOST_TRIES:
        helped = _pass(left, attempt, size)
        size = size if helped and size == 1 else size // 2
    return played, spared


def _pass(
    left: Callable[[], list[str]], attempt: Callable[[Sequence[str]], bool], size: int
) -> bool:
    """Try to leave out pieces of one size, from the end; say whether any could be."""
    helped = False
    index = len(left())
    while index > 0:
        piece = left()[max(0, index - size) : index]
        helped = (bool(piece) and attempt(piece)) or helped
        index -= size
    return helped
