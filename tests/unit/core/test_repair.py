"""What a damaged marker is mended to, and where nobody can tell."""

from __future__ import annotations

import pytest

from shbatch_sync.marker import Marker
from shbatch_sync.ownership import survey
from shbatch_sync.repair import Mend, mends
from tests.unit.core.factories import entry, facts, job, ledger, mark, request, rid, spec

BROKEN = str(mark(1)).replace("h=", "h=0")


def mended(*jobs, text=BROKEN, lines=(), **members) -> Mend:
    known = ledger(*lines)
    live = [request(1, marker=text, **members)]
    (one,) = mends(jobs, survey(jobs, live, known, facts()), known, facts())
    return one


def test_by_the_body_where_one_job_declares_it():
    one = mended(job())
    assert isinstance(one.marker, Marker)
    assert (one.why, one.marker.job) == ("its body is what one job declares", "ndvi")


def test_the_generation_is_the_one_that_can_still_be_read():
    one = mended(job(generation=2))
    assert one.marker is not None
    assert one.marker.generation == 1
    lost = mended(job(generation=2), text="[shbatch-sync/1 crops/ndvi", lines=[])
    assert lost.marker is not None
    assert lost.marker.generation == 2


@pytest.mark.parametrize(
    ("jobs", "why"),
    [
        ([job(spec=spec("s3://x/<tileName>"))], "neither the ledger nor any declared job knows it"),
        ([job("a"), job("b")], r"several jobs declare just this body (a, b)"),
    ],
)
def test_nobody_can_tell(jobs, why):
    one = mended(*jobs)
    assert one.marker is None
    assert why in one.why


def test_not_while_the_service_takes_no_description():
    one = mended(job(), status="PROCESSING", action="START", lines=[entry("created", 1)])
    assert (one.marker, one.request_id) == (None, rid(1))
    assert "when it is at rest" in one.why
