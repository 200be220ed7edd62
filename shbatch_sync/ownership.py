"""Whose each listed request is: one pass over the list, keeping only what a decision can need.

The list may hold a hundred thousand requests of other people; of those only a count is kept, and the few that
deliver to a place that one of our jobs delivers to (they may be our own with the marker gone).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from shbatch_sync import marker as markers
from shbatch_sync.inventory import COPIED, Inventory, Live, Suspect, delivery_url
from shbatch_sync.job import Job
from shbatch_sync.ledger import Ledger
from shbatch_sync.marker import Absent, Damaged, Marker
from shbatch_sync.phase import phase_of
from shbatch_sync.plan import Facts
from shbatch_sync.request import BatchProcessRequest

# Whose marker it was may still be readable where the rest of it is not.
_OWNER = re.compile(rf"shbatch-sync/\d+ ({markers.PROJECT})/({markers.JOB})(?![a-z0-9._-])")


class _Sorter:
    """Collects one pass over the list."""

    def __init__(self, desired: Sequence[Job], ledger: Ledger, facts: Facts) -> None:
        self.project = facts.project
        self.ledger = ledger
        self.urls = {url for job in desired if (url := delivery_url(job.spec)) is not None}
        self.adopt = {job.adopt for job in desired if job.adopt is not None}
        self.known_ids = self.adopt | ledger.ids
        self.owned: dict[str, list[Live]] = defaultdict(list)
        self.damaged: list[Suspect] = []
        self.copies: list[Suspect] = []
        self.lookalikes: list[Suspect] = []
        self.wanted: dict[str, Suspect] = {}
        self.foreign = 0
        self.accounts: set[str] = set()
        self.ids: set[str] = set()

    def add(self, request: BatchProcessRequest) -> None:
        if request.domain_account_id and isinstance(request.domain_account_id, str):
            self.accounts.add(request.domain_account_id)
        description = request.description
        match markers.parse(description):
            case Absent() if request.request_id not in self.known_ids:
                self._foreign(request)
            case Marker() as marker if marker.project == self.project:
                self._marked(request, marker)
            case Absent() | Damaged() if self._to_be_taken_over(request):
                self._foreign(request)
            case Damaged(why) if self._ours(request, description):
                self._damage(request, f"its marker is damaged: {why}", description)
            case Absent() if self._is_known(request.request_id):
                self._damage(
                    request, "its marker is gone, but the ledger knows its id", description
                )
            case Marker() as marker:
                self._foreign(request, marker)
            case _:
                self._foreign(request)

    def _is_known(self, id_: str) -> bool:
        return id_ in self.ledger.ids and id_ not in self.ledger.unmarked_ids

    def _to_be_taken_over(self, request: BatchProcessRequest) -> bool:
        """Say whether a job names a request that has never been ours; what has been needs its marker back."""
        id_ = request.request_id
        return id_ in self.adopt and id_ not in self.ledger.marked_ids

    def _marked(self, request: BatchProcessRequest, marker: Marker) -> None:
        self.ids.add(request.request_id)
        if marker.seal is not None and marker.seal != markers.seal_of(request.request_id):
            self.copies.append(Suspect(request, COPIED, marker.job, marker))
        else:
            self.owned[marker.job].append(Live(request, marker, phase_of(request)))

    def unmask(self) -> None:
        """Take out of what is ours whatever carries a marker that was drawn for another request.

        A nonce names one create call, which made one request.
        """
        same: dict[str, list[Live]] = defaultdict(list)
        for lives in self.owned.values():
            for live in lives:
                same[live.marker.nonce].append(live)
        for name, lives in self.owned.items():
            copies = [live for live in lives if not self._genuine(live, same[live.marker.nonce])]
            self.copies += [Suspect(live.request, COPIED, name, live.marker) for live in copies]
            self.owned[name] = [live for live in lives if live not in copies]

    def _genuine(self, live: Live, same: list[Live]) -> bool:
        """Say whether a request is the one its marker was made for: its seal says so, or the ledger, or no rival does.

        Which of two came first proves nothing: a marker can be pasted over an older description.
        """
        if live.sealed:
            return True
        drawn_for = self.ledger.makers.get(live.marker.nonce)
        if drawn_for is not None:
            return live.id in drawn_for
        if live.id in self.ledger.nonces:
            return False
        # One call that was carried out twice: whichever is chosen does what the call asked for.
        return all((other.marker, other.spec) == (live.marker, live.spec) for other in same)

    def _ours(self, request: BatchProcessRequest, description: str) -> bool:
        """Say whether a damaged marker was one of ours: by its id, by the name still in it, by where it delivers."""
        owner = _OWNER.search(description)
        if request.request_id in self.ledger.ids:
            return True
        if owner is not None:
            return owner[1] == self.project
        return delivery_url(request.request) in self.urls

    def _damage(self, request: BatchProcessRequest, why: str, description: str) -> None:
        self.ids.add(request.request_id)
        known = self.ledger.of_request(request.request_id).entries
        owner = _OWNER.search(description)
        job = known[-1].job if known else owner[2] if owner else None
        self.damaged.append(Suspect(request, why, job))

    def _foreign(self, request: BatchProcessRequest, marker: Marker | None = None) -> None:
        if request.request_id in self.adopt:
            why = (
                f"it belongs to project {marker.project}" if marker else "it is not marked as ours"
            )
            self.wanted[request.request_id] = Suspect(request, why, None, marker)
            return
        self.foreign += 1
        if self.urls and delivery_url(request.request) in self.urls:
            self.lookalikes.append(Suspect(request, "it is not marked as ours", None, marker))


def survey(
    desired: Sequence[Job], live: Iterable[BatchProcessRequest], ledger: Ledger, facts: Facts
) -> Inventory:
    """Sort the account's list by what it means to these jobs; one pass.

    Args:
        desired: All jobs of the project on this target.
        live: Every request of the account, in any order.
        ledger: Knows ids whose marker somebody removed.
        facts: Whose project it is.
    """
    sorter = _Sorter(desired, ledger, facts)
    for request in live:
        sorter.add(request)
    sorter.unmask()
    return Inventory(
        owned={
            job: tuple(sorted(lives, key=lambda live: live.id))
            for job, lives in sorted(sorter.owned.items())
        },
        damaged=_by_id(sorter.damaged),
        copies=_by_id(sorter.copies),
        lookalikes=_by_id(sorter.lookalikes),
        wanted=sorter.wanted,
        foreign=sorter.foreign,
        accounts=frozenset(sorter.accounts),
        ids=frozenset(sorter.ids),
    )


def _by_id(suspects: list[Suspect]) -> tuple[Suspect, ...]:
    return tuple(sorted(suspects, key=lambda suspect: suspect.request.request_id))
