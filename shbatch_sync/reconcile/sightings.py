"""Which requests of ours a list should show, and which of them it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from shbatch_sync.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Sighting:
    """A request of ours that a list has shown, or that the ledger knows as made.

    Attributes:
        job: Name of its job, where that is known.
        since: When it was made, or first known.
    """

    job: str | None
    since: datetime


@dataclass(slots=True)
class Sightings:
    """What lists have shown so far.

    Attributes:
        shown: Request id → what is known of each request of ours that a list should show.
        forgotten: Ids of requests of ours that neither a list nor a read by id finds any more.
        unlisted: Request id → since when lists lack it, of those that are there or may be.
    """

    shown: dict[str, Sighting] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    unlisted: dict[str, float] = field(default_factory=dict)

    def see(self, inventory: Inventory, now: datetime) -> None:
        """Learn which requests of ours the next list should show as well."""
        for lives in inventory.owned.values():
            for live in lives:
                sighting = Sighting(live.marker.job, live.request.created or now)
                self.shown.setdefault(live.id, sighting)
        for one in (*inventory.copies, *inventory.damaged):
            sighting = Sighting(one.job, one.request.created or now)
            self.shown.setdefault(one.request.request_id, sighting)
        self.forgotten -= self.shown.keys()

    def forget(self, request_id: str) -> None:
        """Expect a request no longer; a list that shows it all the same brings it back."""
        self.forgotten.add(request_id)
        del self.shown[request_id]

    def lack(self, request_ids: Iterable[str], now: float) -> None:
        """Remember what the list at hand lacks; what earlier ones lacked already is missing since then."""
        self.unlisted = {id_: self.unlisted.get(id_, now) for id_ in request_ids}
