"""What of the account's requests is ours: one pass over the list, keeping only what a decision can need.

The list may hold a hundred thousand requests of other people; of those only a count is kept, and the few that
deliver to a place that one of our jobs delivers to (they may be our own with the marker gone).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shbatch_sync import marker as markers
from shbatch_sync.job import Job
from shbatch_sync.ledger import Ledger
from shbatch_sync.marker import Absent, Damaged, Marker
from shbatch_sync.phase import COUNTS_AS_RUNNING, Phase, phase_of
from shbatch_sync.request import BatchProcessRequest


@dataclass(frozen=True, slots=True)
class Live:
    """A request of ours, as the list showed it.

    Attributes:
        request: What the service says.
        marker: Valid.
        phase: Where it stands.
    """

    request: BatchProcessRequest
    marker: Marker
    phase: Phase

    @property
    def id(self) -> str:
        """The service's id."""
        return self.request.request_id

    @property
    def sealed(self) -> bool:
        """Whether it won its election."""
        return self.marker.seal is not None

    @property
    def cost_pu(self) -> float:
        """Processing units charged so far."""
        return self.request.cost_PU or 0.0

    @property
    def text(self) -> str:
        """The part of the description that belongs to people."""
        return markers.human_text(self.request.description)

    @property
    def spec(self) -> Mapping[str, Any]:
        """The echo of the body."""
        return self.request.request


@dataclass(frozen=True, slots=True)
class Suspect:
    """A request that may be ours, or looks like one of ours, and cannot prove it.

    Attributes:
        request: What the service says.
        why: For people.
        job: The job whose marker it carries, if one can still be read.
        marker: That marker, where it is whole.
    """

    request: BatchProcessRequest
    why: str
    job: str | None = None
    marker: Marker | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """The list, sorted by what it means to this project.

    Attributes:
        owned: Job name → requests with a valid marker of this project that stands on the request it was made for.
        damaged: Requests that were ours once and whose marker cannot be read.
        copies: Requests that carry a marker made for another one.
        lookalikes: Requests of others that deliver where one of our jobs does.
        wanted: Id → request that a job is to take over and that is not marked as ours.
        foreign: How many requests are not ours.
        accounts: `domainAccountId` of all listed requests.
        ids: Ids of all requests that carry a trace of this project.
    """

    owned: Mapping[str, tuple[Live, ...]] = field(default_factory=dict)
    damaged: tuple[Suspect, ...] = ()
    copies: tuple[Suspect, ...] = ()
    lookalikes: tuple[Suspect, ...] = ()
    wanted: Mapping[str, Suspect] = field(default_factory=dict)
    foreign: int = 0
    accounts: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    @property
    def running(self) -> int:
        """How many requests of ours count as running."""
        return sum(
            live.phase in COUNTS_AS_RUNNING for lives in self.owned.values() for live in lives
        )

    def of_job(self, job: Job) -> tuple[Live, ...]:
        """Return the requests of a job that still count, under whatever name it had, in a stable order."""
        return tuple(
            live
            for name in job.names
            for live in self.owned.get(name, ())
            if live.marker.retired is None
        )

    def retired(self, job: Job) -> tuple[Live, ...]:
        """Return the requests of a job that count no more."""
        return tuple(
            live
            for name in job.names
            for live in self.owned.get(name, ())
            if live.marker.retired is not None
        )


# Whose marker it was may still be readable where the rest of it is not.
_OWNER = re.compile(rf"shbatch-sync/\d+ ({markers.PROJECT})/({markers.JOB})(?![a-z0-9._-])")


def delivery_url(spec: Mapping[str, Any]) -> str | None:
    """Return where a body delivers to, or None."""
    value: Any = spec
    # The exact type first: asking for a Mapping takes five times as long, and this is asked of a whole account.
    for key in ("output", "delivery"):
        value = value.get(key) if type(value) is dict or isinstance(value, Mapping) else None
    for storage in value.values() if type(value) is dict or isinstance(value, Mapping) else ():
        is_object = type(storage) is dict or isinstance(storage, Mapping)
        url = storage.get("url") if is_object else None
        if isinstance(url, str):
            return url
    return None


_COPIED = "its marker was made for another request"


class _Sorter:
    """Collects one pass over the list."""

    def __init__(
        self, project: str, ledger: Ledger, urls: frozenset[str], adopt: frozenset[str]
    ) -> None:
        self.project = project
        self.ledger = ledger
        self.urls = urls
        self.adopt = adopt
        self.known_ids = adopt | ledger.ids
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
            self.copies.append(Suspect(request, _COPIED, marker.job, marker))
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
        copies = [
            live for lives in same.values() for live in lives if not self._genuine(live, lives)
        ]
        for live in copies:
            self.owned[live.marker.job].remove(live)
            self.copies.append(Suspect(live.request, _COPIED, live.marker.job, live.marker))

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


def take_inventory(
    requests: Iterable[BatchProcessRequest],
    *,
    project: str,
    ledger: Ledger,
    urls: frozenset[str] = frozenset(),
    adopt: frozenset[str] = frozenset(),
) -> Inventory:
    """Sort a list by ownership.

    Args:
        requests: Every request of the account, in any order.
        project: Ours.
        ledger: Knows ids whose marker somebody removed.
        urls: Where our jobs deliver to.
        adopt: Ids of requests that our jobs are to take over.
    """
    sorter = _Sorter(project, ledger, urls, adopt)
    for request in requests:
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
