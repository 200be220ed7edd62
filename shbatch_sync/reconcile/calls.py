"""What a run asked of the service and what came of it, as far as the next round has to know."""

from __future__ import annotations

from dataclasses import dataclass, field

from shbatch_sync.clock import Clock
from shbatch_sync.plan import Action, Change, Reason
from shbatch_sync.reconcile.lag import Lag

# Seconds after which a read was still seen to know nothing of a write.
READS_LAG = 100.0
_AGAIN = frozenset({Reason.NEW_TRY, Reason.RESUME, Reason.FORGOTTEN})


@dataclass(slots=True)
class Calls:
    """What was asked of the service, and what it said.

    Attributes:
        unanswered: Job name → when a create call without an answer ended.
        refused: (request id or job, action) → when it was first refused.
        accepted: (request id, action, try) → when the service took it.
        written: (request id, description) of what was written and may not show yet.
        stubborn: (request id, text) of descriptions that the service stores in other words.
        restarted: Jobs that were run again in this run.
        renewed: Jobs whose create was refused for its token once.
    """

    clock: Clock
    lag: Lag
    unanswered: dict[str, float] = field(default_factory=dict)
    refused: dict[tuple[str, Action], float] = field(default_factory=dict)
    accepted: dict[tuple[str, Action, int], float] = field(default_factory=dict)
    written: set[tuple[str, str]] = field(default_factory=set)
    stubborn: set[tuple[str, str | None]] = field(default_factory=set)
    restarted: set[str] = field(default_factory=set)
    renewed: set[str] = field(default_factory=set)

    def patient(self, subject: str, action: Action, limit: float | None = None) -> bool:
        """Say whether a step that was refused is still to be tried again; `limit` is in seconds."""
        now = self.clock.monotonic()
        limit = self.lag.patience if limit is None else limit
        return now - self.refused.setdefault((subject, action), now) < limit

    def accept(self, change: Change) -> None:
        """Remember that the service took an action."""
        self.accepted[_key(change)] = self.clock.monotonic()
        self.ran_again(change)
        self.refused.pop((change.request_id or "", change.action), None)

    def ran_again(self, change: Change) -> None:
        """Remember that a job was run again, so that one request to do so is not taken for several."""
        if change.reason in _AGAIN:
            self.restarted.add(change.job)

    def lately_accepted(self, change: Change) -> bool:
        """Say whether this run has had the same action accepted so lately that no read need show it yet."""
        at = self.accepted.get(_key(change))
        return at is not None and self.clock.monotonic() - at < max(READS_LAG, self.lag.settle)


def _key(change: Change) -> tuple[str, Action, int]:
    attempt = (
        change.marker.attempt if change.marker else change.live.marker.attempt if change.live else 1
    )
    return (change.request_id or "", change.action, attempt)
