"""Which of several requests of one key counts.

Two runs, or one whose create call lost its answer, may leave several requests for one job. Creating is free,
starting is not: so all runs list, all find the same winner by the same rule, and only a winner that carries the
seal is ever analysed or started. The rule needs no lock and no message between the runs; it needs lists that show
every claimant, which is what the settle time before it is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shbatch_sync.inventory import Live
from shbatch_sync.phase import STARTED, UNPAID, Phase

_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an election.

    Attributes:
        claimants: All of them, the one that counts first.
        losers: Those that do not and should say so, in a stable order.
        surplus: Started beside the winner and not yet paid for: to be stopped.
        conflict: Several that are being processed: nobody may choose but a person.
    """

    claimants: tuple[Live, ...]
    losers: tuple[Live, ...] = ()
    surplus: tuple[Live, ...] = ()
    conflict: tuple[Live, ...] = ()

    @property
    def winner(self) -> Live:
        """The request that counts."""
        return self.claimants[0]


def elect(claimants: Sequence[Live]) -> Outcome:
    """Choose among the claimants of a key: DONE > PROCESSING > starting > sealed > oldest > smallest id.

    What an earlier try was paid for is the key's history; what it left behind unpaid is a loser like any other.

    Args:
        claimants: At least one; all tries of one job, generation and spec.
    """
    ordered = sorted(claimants, key=_rank)
    winner = ordered[0]
    rivals = [
        live
        for live in ordered[1:]
        if live.marker.attempt >= winner.marker.attempt or live.phase in UNPAID
    ]
    processing = tuple(live for live in ordered if live.phase is Phase.PROCESSING)
    conflict = (
        processing if len(processing) > 1 or (processing and winner.phase is Phase.DONE) else ()
    )
    surplus = (
        tuple(live for live in ordered[1:] if live.phase is Phase.STARTING) if not conflict else ()
    )
    losers = tuple(live for live in rivals if live.phase not in STARTED)
    return Outcome(tuple(ordered), losers, surplus, conflict)


# An unknown state may be a paid one, and one that is stopping was: neither makes room for a start beside it.
_STANDING = {
    Phase.DONE: 0,
    Phase.PROCESSING: 1,
    Phase.STARTING: 2,
    Phase.STOPPING: 2,
    Phase.UNKNOWN: 2,
}
_RESTING = 3


def _rank(live: Live) -> tuple[int, int, int, datetime, str]:
    standing = _STANDING.get(live.phase, _RESTING)
    resting = standing == _RESTING
    # Of two that were started the older one counts, whichever try it is: the other is stopped before it costs.
    attempt = -live.marker.attempt if resting else 0
    unsealed = 1 if resting and not live.sealed else 0
    return (standing, attempt, unsealed, live.request.created or _LAST, live.id)
