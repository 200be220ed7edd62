"""What of the account's requests is ours, sorted by what it means to the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shbatch_sync import marker as markers
from shbatch_sync.job import Job
from shbatch_sync.marker import Marker
from shbatch_sync.phase import COUNTS_AS_RUNNING, Phase
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


# Why a request that carries a marker does not count.
COPIED = "its marker was made for another request"


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
