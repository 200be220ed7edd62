"""A request that is at work is stopped only where the one that replaces it may be started."""

from __future__ import annotations

from shbatch_sync.plan import Policy
from tests.unit.core.factories import OTHER, ago, entry, job, mark, plan, price, request, steps

OLD = request(2, "PROCESSING", "START", body=OTHER, marker=mark(2, OTHER), cost=9.0)
NEW = request(1, marker=mark(1, generation=2))
PRICE = {"ndvi": price(100)}


def heir(**members):
    return job(state="started", generation=2, **members)


def test_the_old_one_is_stopped_and_then_the_new_one_started():
    assert steps(plan(heir(), [OLD, NEW], estimates=PRICE)) == [
        "stop superseded",
        "wait old_active",
    ]
    within = plan(heir(max_pu=100), [OLD, NEW], estimates=PRICE, policy=Policy(max_start_pu=100))
    assert steps(within) == ["stop superseded", "wait old_active"]
    assert within.estimate["pu"] == 100


def test_not_where_the_new_one_would_be_too_dear():
    for made in (
        plan(heir(max_pu=1), [OLD, NEW], estimates=PRICE),
        plan(heir(), [OLD, NEW], estimates=PRICE, policy=Policy(max_start_pu=1)),
    ):
        assert steps(made) == ["stop superseded !cost", "start old_active !cost"]


def test_not_while_the_new_one_has_to_wait_for_other_jobs():
    first = job("first", state="created", spec=OTHER)
    made = plan([first, heir(depends_on=("first",))], [OLD, NEW])
    assert steps([one for one in made.changes if one.job == "ndvi"]) == [
        "wait depends_on",
        "wait depends_on",
    ]


def test_a_place_is_made_by_the_stop_itself():
    made = plan(heir(), [OLD, NEW], policy=Policy(max_running=1))
    assert steps(made) == ["stop superseded", "wait max_running"]


def test_other_stops_and_waits_are_left_as_they_are():
    lone = plan(job(state="stopped"), [request(1, "PROCESSING", "START")])
    assert steps(lone) == ["stop declared"]
    seen = plan(
        job(state="analysed", generation=2),
        [OLD, request(1, "ANALYSING", "ANALYSE", marker=mark(1, generation=2))],
    )
    assert "stop superseded" in steps(seen)


def test_what_gave_way_to_an_older_request_is_withheld_beside_it():
    older = request(
        2,
        "DONE",
        "START",
        body=OTHER,
        marker=mark(2, OTHER),
        cost=50.0,
        created=ago(hours=9),
        asked=ago(hours=1),
    )
    stopped = request(
        1, "STOPPED", "STOP", marker=mark(1, stopped=True), cost=0.0, updated=ago(minutes=30)
    )
    lines = [entry("start", 1, at=ago(hours=2)), entry("stop", 1, at=ago(minutes=50))]
    assert "start resume !replace" in steps(plan(job(state="started"), [older, stopped], lines))
