"""How late a list shows new requests: what a run has to wait for before it judges what it made or has just seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from shbatch_sync.inventory import Inventory

# Seconds that a step is tried again for: a stop while the service takes a start in, a request it does not find yet.
PATIENCE = 600.0
_FACTOR = 2


@dataclass(slots=True)
class Lag:
    """What a run knows of the time between a create and the first list that shows it.

    Attributes:
        asked: Seconds that a new request is to be left alone at least.
        recorded: The longest lag that the ledger knows, in seconds.
        made: Request id → job, of requests that this run made and no list has shown yet.
        missed: Request id → seconds after its create call that a list still missed it.
        lags: The same, of requests that a list has shown since.
        first_seen: Request id of an unsealed claimant → when it was first seen or made.
    """

    asked: float
    recorded: float = 0.0
    made: dict[str, str] = field(default_factory=dict)
    missed: dict[str, float] = field(default_factory=dict)
    lags: dict[str, float] = field(default_factory=dict)
    first_seen: dict[str, float] = field(default_factory=dict)

    @property
    def settle(self) -> float:
        """Seconds that a new request is left alone: as asked, but never below twice the longest lag seen."""
        return max(self.asked, _FACTOR * max([self.recorded, *self.lags.values()]))

    @property
    def patience(self) -> float:
        """Seconds that something is tried or waited for before it is given up."""
        return max(PATIENCE, 3 * self.settle)

    def make(self, request_id: str, job: str, now: float) -> None:
        """Remember a request that this run has made."""
        self.made[request_id] = job
        self.first_seen[request_id] = now

    def see(self, inventory: Inventory, begun: float, now: float) -> dict[str, str]:
        """Learn from a list: which requests of this run it shows, how long it missed them, what is new to us.

        Args:
            inventory: What the list showed.
            begun: When it was begun, by the monotonic clock.
            now: By the same clock.

        Returns:
            Request id → job, of requests that are waited for no longer: the service may have dropped them, and they
            would hold up every other job.
        """
        given_up: dict[str, str] = {}
        for request_id in list(self.made):
            if request_id in inventory.ids:
                self._show(request_id)
            elif now - self.first_seen[request_id] > self.patience:
                given_up[request_id] = self.made.pop(request_id)
            elif begun > self.first_seen[request_id]:
                self.missed[request_id] = begun - self.first_seen[request_id]
        for lives in inventory.owned.values():
            for live in lives:
                if not live.sealed and live.marker.retired is None:
                    self.first_seen.setdefault(live.id, now)
        return given_up

    def _show(self, request_id: str) -> None:
        del self.made[request_id]
        if request_id in self.missed:
            self.lags[request_id] = self.missed[request_id]
