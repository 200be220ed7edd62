"""The product's election, asked in the model's terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from shbatch_sync import election
from shbatch_sync.inventory import Live
from shbatch_sync.marker import Marker, Retired
from shbatch_sync.phase import Phase
from shbatch_sync.request import BatchProcessRequest
from tests.model.service import Request

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Verdict(NamedTuple):
    """An election, in the model's terms."""

    order: tuple[Request, ...]
    losers: tuple[Request, ...]
    surplus: tuple[Request, ...]
    conflict: tuple[Request, ...]


def elect(claimants: Sequence[Request]) -> Verdict:
    """Choose by the product's own rule."""
    outcome = election.elect([_live(one.id, *_facts(one)) for one in claimants])
    by_id = {str(one.id).zfill(4): one for one in claimants}

    def back(lives: Iterable[Live]) -> tuple[Request, ...]:
        return tuple(by_id[live.id] for live in lives)

    return Verdict(
        back(outcome.claimants),
        back(outcome.losers),
        back(outcome.surplus),
        back(outcome.conflict),
    )


def _facts(request: Request) -> tuple[int, Phase, bool, str | None]:
    mark = request.mark
    assert mark is not None
    return request.created, request.phase, mark.seal is not None, mark.retired


@cache
def _live(id_: int, created: int, phase: Phase, sealed: bool, retired: str | None) -> Live:
    name = str(id_).zfill(4)
    at = (_BEGIN + timedelta(seconds=created)).isoformat().replace("+00:00", "Z")
    request = BatchProcessRequest.from_dict({"id": name, "created": at})
    mark = Marker(
        project="model",
        job="job",
        generation=1,
        digest="1.000000000000",
        nonce="aaaaaaaa",
        seal=name if sealed else None,
        retired=Retired(retired) if retired else None,
    )
    return Live(request, mark, phase)
