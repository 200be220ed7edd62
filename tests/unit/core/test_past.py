"""What the ledger's lines add up to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shbatch_sync.ledger_line import Entry, Event
from shbatch_sync.past import Sums, by_job, entries_of, estimated, past_requests, sum_up
from shbatch_sync.pricing import Prices, past_prices
from tests.unit.core.factories import BODY, entry, job, ledger, price, spec

BEGUN = datetime(2025, 6, 1, tzinfo=UTC)


def line(event: Event, minutes: float, **members) -> Entry:
    values = {
        "target": "eu",
        "project": "crops",
        "job": "ndvi",
        "generation": 1,
        "digest": "1.000000000000",
        "nonce": "aaaaaaaa",
        **members,
    }
    return Entry(at=BEGUN + timedelta(minutes=minutes), event=event, **values)


def rows(*lines: Entry) -> list[tuple[str, timedelta | None, float | None]]:
    return [(row.state, row.took, row.cost_pu) for row in past_requests(lines)]


def test_a_request_is_one_row_from_its_intent_to_its_end():
    (row,) = past_requests(
        [
            line(Event.INTENT, 0),
            line(Event.CREATED, 1, request_id="r1"),
            line(Event.SEALED, 2, request_id="r1"),
            line(Event.START, 3, request_id="r1"),
            line(Event.FINAL, 48, request_id="r1", status="DONE", cost_pu=120.0),
        ]
    )
    assert (row.request_id, row.state, row.took, row.cost_pu) == (
        "r1",
        "done",
        timedelta(minutes=45),
        120.0,
    )
    assert row.begun == BEGUN


def test_a_renamed_job_is_found_whole_under_each_of_its_names():
    lines = [
        line(Event.INTENT, 0, job="old"),
        line(Event.CREATED, 1, job="old", request_id="r1"),
        line(Event.INTENT, 2, job="other", nonce="bbbbbbbb"),
        line(Event.START, 3, job="new", request_id="r1"),
        line(Event.FINAL, 9, job="new", request_id="r1", status="DONE", cost_pu=100.0),
    ]
    whole = [one for one in lines if one.job != "other"]
    assert entries_of(lines, lambda name: name == "old") == whole
    assert entries_of(lines, lambda name: name == "new") == whole
    assert entries_of(lines, lambda _: False) == []
    (row,) = past_requests(entries_of(lines, lambda name: name == "old"))
    assert (row.job, row.state, row.cost_pu) == ("new", "done", 100.0)


def test_a_resumed_request_takes_as_long_as_its_tries_together():
    lines = [
        line(Event.START, 0, request_id="r1"),
        line(Event.FINAL, 10, request_id="r1", status="STOPPED", cost_pu=50.0),
        line(Event.START, 80, request_id="r1", attempt=2),
        line(Event.FINAL, 90, request_id="r1", status="DONE", cost_pu=110.0, attempt=2),
    ]
    (row,) = past_requests(lines)
    assert (row.attempt, row.state, row.took, row.cost_pu) == (
        2,
        "done",
        timedelta(minutes=20),
        110.0,
    )


def test_how_far_a_request_without_an_end_got():
    assert rows(line(Event.INTENT, 0)) == [("no answer", None, None)]
    assert rows(line(Event.INTENT, 0), line(Event.RETIRED, 1)) == [("refused", None, None)]
    assert rows(line(Event.CREATED, 0, request_id="r1")) == [("created", None, None)]
    assert rows(line(Event.ADOPTED, 0, request_id="r1")) == [("adopted", None, None)]
    assert rows(line(Event.START, 0, request_id="r1")) == [("started", None, None)]
    stopping = (line(Event.START, 0, request_id="r1"), line(Event.STOP, 1, request_id="r1"))
    assert rows(*stopping) == [("stopping", None, None)]
    retired = (line(Event.CREATED, 0, request_id="r1"), line(Event.RETIRED, 1, request_id="r1"))
    assert rows(*retired) == [("created", None, None)]


def test_a_call_whose_answer_was_lost_and_that_was_found_again_is_one_row():
    lines = [
        line(Event.INTENT, 0),
        line(Event.SEALED, 2, request_id="r1"),
        line(Event.START, 3, request_id="r1"),
        line(Event.START, 4, request_id="r1"),
    ]
    (row,) = past_requests(lines)
    assert (row.request_id, row.begun, row.state) == ("r1", BEGUN, "started")


def test_sums_count_what_is_known():
    made = past_requests(
        [
            line(Event.START, 0, request_id="r1"),
            line(Event.FINAL, 9, request_id="r1", status="DONE", cost_pu=1.5),
            line(Event.FINAL, 9, request_id="r2", nonce="b", status="DONE", cost_pu=2.0, job="a"),
            line(Event.START, 9, request_id="r3", nonce="c"),
        ]
    )
    assert sum_up(made) == Sums(3, 2, timedelta(minutes=9), 3.5)
    assert sum_up([]) == Sums(0, 0, timedelta(), 0.0)
    assert [(job, len(mine)) for job, mine in by_job(made).items()] == [("a", 1), ("ndvi", 2)]


def test_a_sum_beyond_all_numbers_is_one():
    ends = [
        line(Event.FINAL, 1, request_id=id_, nonce=id_, status="DONE", cost_pu=1e308)
        for id_ in ("r1", "r2")
    ]
    assert sum_up(past_requests(ends)).cost_pu == float("inf")


def test_an_end_without_a_start_has_no_duration():
    assert rows(line(Event.FINAL, 5, request_id="r1", status="FAILED", cost_pu=0.0)) == [
        ("failed", None, 0.0)
    ]


def test_rows_are_in_the_order_of_their_beginning():
    later = line(Event.CREATED, 9, request_id="r2", nonce="bbbbbbbb", job="a")
    earlier = line(Event.CREATED, 1, request_id="r1")
    assert [row.request_id for row in past_requests([later, earlier])] == ["r1", "r2"]


def ended(cost_pu: float | None, status: str = "DONE", **members) -> Entry:
    members.setdefault("digest", job().digest)
    return line(Event.FINAL, 9, request_id="r1", status=status, cost_pu=cost_pu, **members)


def compared(
    *lines: Entry, price_pu: float | None = 200.0, **declared
) -> tuple[bool, float | None]:
    """Return whether the one request of `lines` has an estimate, and its ratio."""
    jobs = [job(**declared)]
    (row,) = estimated(past_requests(lines), jobs, {jobs[0].name: price(price_pu)})
    return row.estimate is not None, row.ratio


def test_an_estimate_is_that_of_the_very_spec_that_ran():
    assert compared(ended(250.0)) == (True, 1.25)
    assert compared(ended(250.0, digest="1.0", norm_digest=job().norm_digest)) == (True, 1.25)
    assert compared(ended(250.0), generation=2) == (True, 1.25)
    assert compared(ended(250.0, digest="1.0")) == (False, None)
    assert compared(ended(250.0), spec={**BODY, "input": {}}) == (False, None)
    assert compared(ended(250.0, job="gone")) == (False, None)
    assert compared(ended(250.0, job="old"), previous_names=("old",)) == (True, 1.25)


def test_only_what_was_done_at_the_first_try_says_how_good_an_estimate_is():
    assert compared(ended(50.0, "STOPPED")) == (True, None)
    assert compared(ended(50.0, attempt=2)) == (True, None)
    assert compared(ended(50.0), price_pu=None) == (True, None)
    # every file was there already, or the end is not known
    assert compared(ended(0.0)) == (False, None)
    assert compared(ended(None)) == (False, None)


def test_prices_are_counted_and_only_known_ones_are_compared():
    script = "//VERSION=3\nfunction setup() { return {input: ['B04'], output: {bands: 1}}; }\n"
    jobs = [
        job("a", spec=spec(evalscript=script)),
        job("b", spec=BODY | {"input": {"type": "geopackage", "features": {}}}),
    ]
    assert len(Prices(jobs)) == 2
    lines = [
        entry(
            "final",
            number,
            job=one.name,
            digest=one.digest,
            norm_digest=one.norm_digest,
            status="DONE",
            cost_pu=120.0,
        )
        for number, one in enumerate(jobs, 1)
    ]
    assert past_prices(jobs, ledger(*lines)).keys() == {"a"}
